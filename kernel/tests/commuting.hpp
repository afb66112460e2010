// In which order operations mean the same.
#pragma once

#include <vector>

#include "check.hpp"
#include "circuit.hpp"

// Whether two operations mean the same in any order, as far as their qubits tell.
inline bool may_swap(const ionbox::Operation& left, const ionbox::Operation& right) {
    ionbox::Mask mixed = left.mixed() | right.mixed();
    ionbox::Mask shared = (left.mixed() | left.diagonal()) & (right.mixed() | right.diagonal());
    return !(mixed & shared);
}

// `order` has numbers of what was given: each once, and none before one it may not swap with,
// unless that one comes nowhere.
inline void check_order(
    const std::vector<ionbox::Operation>& given, const std::vector<std::size_t>& order) {
    std::vector<bool> is_taken(given.size()), is_ordered(given.size());
    for (std::size_t number : order) is_ordered[number] = true;
    for (std::size_t number : order) {
        CHECK(!is_taken[number]);
        for (std::size_t sooner = 0; sooner < number; ++sooner) {
            bool is_early = !is_taken[sooner] && is_ordered[sooner];
            CHECK(!is_early || may_swap(given[sooner], given[number]));
        }
        is_taken[number] = true;
    }
}

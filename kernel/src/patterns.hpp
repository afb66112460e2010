// The patterns of errors that shots have: which shots have the same state at the end.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "passage.hpp"

namespace ionbox {

// Pauli errors, an entry each, ascending by shot, then by channel; channels in the order in which
// they act. All of it as `ionbox.engines.errors.Errors` and `ionbox.backends.noise.Channel` say.
struct Errors {
    const std::int32_t* after;  // of each channel
    const std::int32_t* qubits;
    const std::int32_t* qubit_starts;
    std::size_t count;
    const std::int64_t* shots;
    const std::int64_t* channels;
    const std::uint64_t* paulis;
};

// The different patterns, ascending, and the shots of each.
struct Patterns {
    std::size_t num_words;             // of a pattern; its first bit is the highest of the first
    std::vector<std::uint64_t> words;  // of one pattern after the other
    std::vector<std::size_t> starts;   // of each pattern's shots, and the end
    std::vector<std::size_t> shots;
    std::vector<Mask> flips;           // of each shot: by which qubits what is measured differs

    std::size_t size() const { return starts.size() - 1; }
    const std::uint64_t* pattern(std::size_t k) const { return words.data() + k * num_words; }
};

Patterns patterns_of(const Passage& passage, const Errors& errors, std::size_t num_shots);

// Of each shot, the number of its pattern.
std::vector<std::size_t> numbers_of_patterns(const Patterns& patterns);

// Of each pattern, the first act that it changes; past all acts if there is none.
std::vector<std::uint32_t> first_acts(const Passage& passage, const Patterns& patterns);

inline bool has_bit(const std::uint64_t* pattern, std::uint32_t number) {
    return pattern[number / 64] >> (63 - number % 64) & 1;
}

// Visit what an act applies as a pattern says: flips and signs of qubits, then the act itself, and
// whether it is turned round.
template <class Flip, class Sign, class Itself>
void visit(const Act& act, const std::uint64_t* pattern, Flip flip, Sign sign, Itself itself) {
    std::uint32_t number = act.first_bit;
    if (act.passing == Passing::not_at_all) {
        for (Mask x = act.x; x != 0; x &= x - 1)
            if (has_bit(pattern, number++)) flip(std::countr_zero(x));
        for (Mask z = act.z; z != 0; z &= z - 1)
            if (has_bit(pattern, number++)) sign(std::countr_zero(z));
    }
    itself(act.passing == Passing::by_turning && has_bit(pattern, number));
}

}  // namespace ionbox

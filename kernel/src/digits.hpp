// Words as numbers in base 4: which digit stands where.
#pragma once

#include <cstddef>
#include <vector>

namespace ionbox {

constexpr std::size_t words_of(std::size_t num_digits) { return std::size_t{1} << 2 * num_digits; }

// Put digit k of a number to places[k].
inline std::size_t deposit_digits(std::size_t number, const std::vector<std::size_t>& places) {
    std::size_t found = 0;
    for (std::size_t place : places) {
        found |= (number & 3) << 2 * place;
        number >>= 2;
    }
    return found;
}

}  // namespace ionbox

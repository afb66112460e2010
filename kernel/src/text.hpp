// Members of JSON objects and arrays, as they are sent: a comma before each one.
//
// Every function writes what it is given in up to `threads` parts at once, one behind the other,
// and returns the end of the text; the text is the same for any number of parts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ionbox {

// The basis states of a register: listed, or `first` and those that follow it.
struct Keys {
    const std::uint64_t* listed;  // null if they follow each other
    std::uint64_t first;
    int num_bits;  // of a bitstring, bit 0 first; 0 for decimal integers

    std::uint64_t at(std::size_t k) const { return listed ? listed[k] : first + k; }
};

// The most that `count` members may take, while they are written.
std::size_t members_room(const Keys& keys, std::size_t count, int threads);
std::size_t strings_room(std::size_t count, int threads);

// Write `,"key":value` for each value that is not zero.
//
// digits: of a number, 15 or 7; those of integers are all written.
template <class Value>
char* write_members(
    char* out, const Keys& keys, const Value* values, std::size_t count, int digits, int threads);

// Write `,"key"` for each integer.
char* write_strings(char* out, const std::uint64_t* keys, std::size_t count, int threads);

// Where the bits of a register stand in the text of a shot, a byte apart.
struct Place {
    std::size_t start;
    std::size_t num_bits;
    const std::uint8_t* rows;  // bit k of a row is bit k % 8 of byte k / 8
};

// Write the text of each shot: the template, in which all bits are 0, with its own bits.
char* write_shots(
    char* out, const char* blank, std::size_t size, const std::vector<Place>& places,
    std::size_t count, int threads);

}  // namespace ionbox

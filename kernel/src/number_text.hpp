// Numbers as text, exactly as printf writes them, several times faster.
#pragma once

#include <cstdint>

namespace ionbox {

// The most that a number's text may touch, from where it is written.
constexpr int number_room = 28;

// Write an integer in decimal; return the end of the text.
char* write_integer(char* out, std::uint64_t value);

// Write `value` as "%.15g" or "%.7g" does, correctly rounded; return the end of the text.
//
// digits: 15 or 7. Infinities and what is no number are written as Python does.
char* write_number(char* out, double value, int digits);

}  // namespace ionbox

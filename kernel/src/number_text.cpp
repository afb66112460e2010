#include "number_text.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

namespace ionbox {

namespace {

using Wide = unsigned __int128;

// 10**q is `significand` * 2**exponent, or less than two units of the significand off.
struct Power {
    std::uint64_t significand;
    int exponent;
};

// From the magnitude of the least normal float64 to what makes 15 digits before the point of it.
constexpr int least_power = -308, most_power = 322;
// A significand of 64 bits holds the powers of five up to 5**27.
constexpr int most_exact_power = 27;

constexpr Power rounded(Wide significand, int exponent) {
    return {static_cast<std::uint64_t>(significand >> 64), exponent + 64};
}

// Powers of ten from 128 bits, which lose less than two units in each step.
constexpr auto powers = [] {
    std::array<Power, most_power - least_power + 1> table{};
    Wide up = Wide{1} << 127, down = up;
    int up_exponent = -127, down_exponent = -127;
    for (int q = 0; q <= most_power; ++q) {
        table[static_cast<std::size_t>(q - least_power)] = rounded(up, up_exponent);
        bool overflows = up + (up >> 2) < up;  // 10 is 5/4 * 8
        up = overflows ? (up >> 1) + (up >> 3) : up + (up >> 2);
        up_exponent += overflows ? 4 : 3;
    }
    for (int q = -1; q >= least_power; --q) {
        down -= down / 5;  // a tenth is 4/5 / 8
        down_exponent -= 3;
        if (!(down >> 127)) down <<= 1, --down_exponent;
        table[static_cast<std::size_t>(q - least_power)] = rounded(down, down_exponent);
    }
    return table;
}();

constexpr const Power& power(int q) { return powers[static_cast<std::size_t>(q - least_power)]; }

// Floats next to 10**q, from the least to the greatest of them.
const auto magnitudes = [] {
    std::array<double, 309 - least_power> table{};
    for (std::size_t k = 0; k < table.size(); ++k)
        table[k] = std::ldexp(static_cast<double>(powers[k].significand), powers[k].exponent);
    return table;
}();

// Eight digits of a number below 10**8, one a byte, the first in the lowest byte.
std::uint64_t eight_digits(std::uint32_t value) {
    std::uint64_t fours = value / 10000 | static_cast<std::uint64_t>(value % 10000) << 32;
    std::uint64_t hundreds = fours * 10486 >> 20 & 0x0000007f0000007f;
    std::uint64_t twos = hundreds | (fours - 100 * hundreds) << 16;
    std::uint64_t tens = twos * 103 >> 10 & 0x000f000f000f000f;
    return tens | (twos - 10 * tens) << 8;
}

constexpr std::uint64_t zeros_text = 0x3030303030303030;

void store(char* out, std::uint64_t text) { std::memcpy(out, &text, sizeof text); }

constexpr std::uint64_t power_of_ten(int exponent) {
    return exponent == 0 ? 1 : 10 * power_of_ten(exponent - 1);
}

// The first digits of a number as an integer, and the decimal exponent of the first one.
struct Decimal {
    std::uint64_t digits;
    int exponent;
    bool is_sure;  // if not, the number is too near to the middle between two texts
};

int decimal_exponent(double value, int binary_exponent) {
    int exponent = binary_exponent * 78913 >> 18;  // of the power of two below
    return exponent + (value >= magnitudes[static_cast<std::size_t>(exponent + 1 - least_power)]);
}

// Round value * 10**q, of `num_digits` digits, to an integer. The value is positive and normal.
template <int num_digits>
Decimal round_to_digits(double value) {
    auto bits = std::bit_cast<std::uint64_t>(value);
    int exponent = static_cast<int>(bits >> 52) - 1075 - 11;
    std::uint64_t significand = (bits | std::uint64_t{1} << 52) << 11;

    int first = decimal_exponent(value, exponent + 63), q = num_digits - 1 - first;
    const Power& scale = power(q);
    Wide product = static_cast<Wide>(significand) * scale.significand;
    auto high = static_cast<std::uint64_t>(product >> 64);
    auto low = static_cast<std::uint64_t>(product);
    int shift = -(exponent + scale.exponent + 64);
    std::uint64_t half = std::uint64_t{1} << (shift - 1), digits = high >> shift;
    std::uint64_t rest = high & (2 * half - 1);
    bool is_sure = rest - half + 3 > 6;
    bool is_up = rest >= half;
    if (!is_sure && q >= 0 && q <= most_exact_power) {
        is_sure = true;  // nothing was lost: a tie is one, and goes to the even digit
        if (rest == half && low == 0) is_up = digits & 1;
    }
    digits += is_up;
    if (digits == power_of_ten(num_digits)) digits /= 10, ++first;
    return {digits, first, is_sure};
}

// Write digits with the point where `exponent` says; `text` is followed by room for 8 more bytes.
char* write_fixed(char* out, const char* text, int count, int exponent) {
    if (exponent < 0) {
        std::memcpy(out, "0.000000", 8);
        std::memcpy(out + 1 - exponent, text, 15);
        return out + 1 - exponent + count;
    }
    int before = exponent + 1;
    std::memcpy(out, text, static_cast<std::size_t>(before));
    if (count <= before) return out + before;
    out[before] = '.';
    std::memcpy(out + before + 1, text + before, static_cast<std::size_t>(count - before));
    return out + count + 1;
}

char* write_scientific(char* out, const char* text, int count, int exponent) {
    out[0] = text[0];
    out[1] = '.';
    std::memcpy(out + 2, text + 1, 14);
    out += count > 1 ? count + 1 : 1;
    *out++ = 'e';
    *out++ = exponent < 0 ? '-' : '+';
    int size = exponent < 0 ? -exponent : exponent;
    if (size >= 100) *out++ = static_cast<char>('0' + size / 100), size %= 100;
    *out++ = static_cast<char>('0' + size / 10);
    *out++ = static_cast<char>('0' + size % 10);
    return out;
}

template <int num_digits>
char* write_digits(char* out, double value) {
    Decimal decimal{};
    if (value >= std::numeric_limits<double>::min()) decimal = round_to_digits<num_digits>(value);
    if (!decimal.is_sure)
        return std::to_chars(out, out + number_room, value, std::chars_format::general, num_digits)
            .ptr;
    char text[24] = {};  // a zero, then the digits: 15 or 7 of them fill their words
    int zeros = 0;
    if constexpr (num_digits == 15) {
        auto front = eight_digits(static_cast<std::uint32_t>(decimal.digits / 100000000));
        auto back = eight_digits(static_cast<std::uint32_t>(decimal.digits % 100000000));
        store(text, front + zeros_text);
        store(text + 8, back + zeros_text);
        zeros = (back ? std::countl_zero(back) : 64 + std::countl_zero(front)) / 8;
    } else {
        auto word = eight_digits(static_cast<std::uint32_t>(decimal.digits));
        store(text, word + zeros_text);
        zeros = std::countl_zero(word) / 8;
    }
    bool is_fixed = decimal.exponent >= -4 && decimal.exponent < num_digits;
    if (is_fixed) return write_fixed(out, text + 1, num_digits - zeros, decimal.exponent);
    return write_scientific(out, text + 1, num_digits - zeros, decimal.exponent);
}

}  // namespace

char* write_integer(char* out, std::uint64_t value) {
    if (value >= 100000000) {
        out = write_integer(out, value / 100000000);
        store(out, eight_digits(static_cast<std::uint32_t>(value % 100000000)) + zeros_text);
        return out + 8;
    }
    std::uint64_t digits = eight_digits(static_cast<std::uint32_t>(value));
    int zeros = std::countr_zero(digits | std::uint64_t{1} << 56) / 8;
    store(out, (digits + zeros_text) >> 8 * zeros);
    return out + 8 - zeros;
}

char* write_number(char* out, double value, int digits) {
    if (std::isnan(value)) return std::strcpy(out, "nan") + 3;
    if (std::signbit(value)) *out++ = '-', value = -value;
    if (std::isinf(value)) return std::strcpy(out, "inf") + 3;
    if (value == 0) return *out = '0', out + 1;
    return digits == 15 ? write_digits<15>(out, value) : write_digits<7>(out, value);
}

}  // namespace ionbox

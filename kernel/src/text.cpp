#include "text.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <type_traits>

#include "crew.hpp"
#include "number_text.hpp"

namespace ionbox {

namespace {

constexpr std::size_t least_part = 4096;  // fewer members are not worth a thread
constexpr std::size_t key_digits = 20;    // of 2**64
constexpr std::size_t slack = 16;         // words are stored whole, and may reach beyond a part

// The eight bits of a byte as text, the lowest first; with a comma after each of them.
struct Bits {
    char plain[8];
    char listed[16];
};

constexpr auto bits_of_byte = [] {
    std::array<Bits, 256> table{};
    for (std::size_t byte = 0; byte < 256; ++byte)
        for (std::size_t k = 0; k < 8; ++k) {
            char bit = byte >> k & 1 ? '1' : '0';
            table[byte].plain[k] = table[byte].listed[2 * k] = bit;
            table[byte].listed[2 * k + 1] = ',';
        }
    return table;
}();

char* write_bits(char* out, std::uint64_t key, int num_bits) {
    char* end = out + num_bits;
    for (; out < end; out += 8, key >>= 8) std::memcpy(out, bits_of_byte[key & 0xff].plain, 8);
    return end;
}

std::size_t member_room(const Keys& keys) {
    std::size_t key = std::max(static_cast<std::size_t>(keys.num_bits), key_digits);
    return key + number_room + 4;
}

std::size_t num_parts(std::size_t count, int threads) {
    return std::clamp<std::size_t>(count / least_part, 1, static_cast<std::size_t>(threads));
}

// Write each part into a room of its own, then close the gaps.
//
// room: of a member. gap: between parts.
// write: from where to write, the first member and the one after the last, to the end of the text.
template <class Write>
char* write_parts(
    char* out, std::size_t count, std::size_t room, std::size_t gap, int threads, Write write) {
    std::size_t parts = num_parts(count, threads);
    if (parts == 1) return write(out, std::size_t{0}, count);
    std::vector<char*> starts(parts), ends(parts);
    std::atomic<std::size_t> next_part{0};
    run_crew(static_cast<int>(parts), [&](int, Barrier&) {
        for (std::size_t part; (part = next_part.fetch_add(1)) < parts;) {
            std::size_t first = count * part / parts, last = count * (part + 1) / parts;
            starts[part] = out + first * room + part * gap;
            ends[part] = write(starts[part], first, last);
        }
    });
    char* end = ends[0];
    for (std::size_t part = 1; part < parts; ++part) {
        auto size = static_cast<std::size_t>(ends[part] - starts[part]);
        if (end != starts[part]) std::memmove(end, starts[part], size);
        end += size;
    }
    return end;
}

template <class Value>
char* write_value(char* out, Value value, int digits) {
    if constexpr (std::is_integral_v<Value>)
        return write_integer(out, static_cast<std::uint64_t>(value));
    else
        return write_number(out, static_cast<double>(value), digits);
}

}  // namespace

std::size_t members_room(const Keys& keys, std::size_t count, int threads) {
    return count * member_room(keys) + num_parts(count, threads) * slack;
}

std::size_t strings_room(std::size_t count, int threads) {
    return count * (key_digits + 3) + num_parts(count, threads) * slack;
}

template <class Value>
char* write_members(
    char* out, const Keys& keys, const Value* values, std::size_t count, int digits, int threads) {
    auto write = [&](char* end, std::size_t first, std::size_t last) {
        for (std::size_t k = first; k < last; ++k) {
            if (values[k] == 0) continue;
            *end++ = ',';
            *end++ = '"';
            std::uint64_t key = keys.at(k);
            end = keys.num_bits ? write_bits(end, key, keys.num_bits) : write_integer(end, key);
            *end++ = '"';
            *end++ = ':';
            end = write_value(end, values[k], digits);
        }
        return end;
    };
    return write_parts(out, count, member_room(keys), slack, threads, write);
}

char* write_strings(char* out, const std::uint64_t* keys, std::size_t count, int threads) {
    auto write = [&](char* end, std::size_t first, std::size_t last) {
        for (std::size_t k = first; k < last; ++k) {
            *end++ = ',';
            *end++ = '"';
            end = write_integer(end, keys[k]);
            *end++ = '"';
        }
        return end;
    };
    return write_parts(out, count, key_digits + 3, slack, threads, write);
}

char* write_shots(
    char* out, const char* blank, std::size_t size, const std::vector<Place>& places,
    std::size_t count, int threads) {
    auto write = [&](char* text, std::size_t first, std::size_t last) {
        for (std::size_t shot = first; shot < last; ++shot, text += size) {
            std::memcpy(text, blank, size);
            for (const Place& place : places) {
                std::size_t row_bytes = (place.num_bits + 7) / 8, left = 2 * place.num_bits - 1;
                const std::uint8_t* row = place.rows + shot * row_bytes;
                for (char* at = text + place.start; left; ++row, at += 16) {
                    std::size_t step = std::min<std::size_t>(left, 16);
                    std::memcpy(at, bits_of_byte[*row].listed, step);
                    left -= step;
                }
            }
        }
        return text;
    };
    return write_parts(out, count, size, 0, threads, write);
}

template char* write_members<float>(char*, const Keys&, const float*, std::size_t, int, int);
template char* write_members<double>(char*, const Keys&, const double*, std::size_t, int, int);
template char* write_members<std::int64_t>(
    char*, const Keys&, const std::int64_t*, std::size_t, int, int);

}  // namespace ionbox

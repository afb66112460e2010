// Steps on one tile of words: compiled once for each instruction set, as tile.cpp.
#include <cstddef>
#include <cstdint>

#include "variant.hpp"

namespace ionbox {
namespace {

using std::size_t;

template <int width>
struct Numbers {
    typedef double Vector __attribute__((vector_size(8 * width)));
};
template <>
struct Numbers<1> {
    typedef double Vector;
};

// Words that differ in the lanes only are consecutive: a run of `run` words, in vectors of `width`.
template <int run, int width>
struct Words {
    using Vector = typename Numbers<width>::Vector;

    static Vector load(const double* from) {
        Vector vector;
        __builtin_memcpy(&vector, from, sizeof vector);
        return vector;
    }
    static void store(double* to, Vector vector) { __builtin_memcpy(to, &vector, sizeof vector); }

    static void apply_all(const WordTile& tile) {
        for (size_t k = 0; k < tile.num_steps; ++k) {
            const WordMatrix& step = tile.steps[k];
            size_t count = (size_t{1} << 2 * (tile.num_digits - step.num_qubits)) / run;
            for (size_t other = 0; other < count; ++other) {
                double* words = tile.words + first(step, other * run);
                step.num_qubits == 1 ? turn(step, words) : combine(step, words);
            }
        }
    }

    // The word that is I on the qubits of a step, and `others` on the others.
    static size_t first(const WordMatrix& step, size_t others) {
        for (int k = 0; k < step.num_qubits; ++k) {
            size_t low = others & ((size_t{1} << 2 * step.places[k]) - 1);
            others = (others - low) * 4 + low;
        }
        return others;
    }

    static void turn(const WordMatrix& step, double* words) {
        const double* m = step.entries;
        double *to_x = words + step.offsets[1], *to_y = words + step.offsets[2],
               *to_z = words + step.offsets[3];
        for (int k = 0; k < run; k += width) {
            Vector x = load(to_x + k), y = load(to_y + k), z = load(to_z + k);
            store(to_x + k, m[0] * x + m[1] * y + m[2] * z);
            store(to_y + k, m[3] * x + m[4] * y + m[5] * z);
            store(to_z + k, m[6] * x + m[7] * y + m[8] * z);
        }
    }

    static void combine(const WordMatrix& step, double* words) {
        size_t num_words = size_t{1} << 2 * step.num_qubits;
        for (int k = 0; k < run; k += width) {
            Vector before[64];
            for (size_t word = 0; word < num_words; ++word)
                before[word] = load(words + step.offsets[word] + k);
            for (size_t row = 0; row < step.num_rows; ++row) {
                Vector sum = Vector{};
                for (std::uint32_t term = step.starts[row]; term < step.starts[row + 1]; ++term)
                    sum += step.coefficients[term] * before[step.columns[term]];
                store(words + step.offsets[step.rows[row]] + k, sum);
            }
        }
    }
};

}  // namespace

#define WORDS_(name) apply_words_##name
#define WORDS(name) WORDS_(name)

void WORDS(VARIANT)(const WordTile& tile);
void WORDS(VARIANT)(const WordTile& tile) {
    switch (tile.lane_digits) {
        case 0: return Words<1, 1>::apply_all(tile);
        case 1: return Words<4, 2>::apply_all(tile);
        default: return Words<16, VECTOR_BYTES / 8>::apply_all(tile);
    }
}

}  // namespace ionbox

// The seam between the code that is compiled once and the code that is compiled for each
// instruction set. Nothing in it may be instantiated on both sides, or the linker could put an
// AVX-512 copy of it into the portable path: plain data, pointers to functions, and what is static.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ionbox {

// A tile is worked on in groups of registers. A group takes vectors that differ in up to
// `register_places` places, with all their lanes, applies many steps to them, and puts them back:
// what a step mixes must be one of those places or of the lanes. Vectors are numbered as in the
// buffer; `base` is the number of a group's first vector.
enum class Code : int {
    rotate_y,     // cosine - i sine Y on a place, one of cosine and sine 1; also rotate_x
    rotate_x,
    turn_y,       // cosine - i sine Y, the sine from a table, one for each parity of the base
    turn_x,
    shear,        // 1 + i tangent, the tangent from a table, one for each parity of the base
    scale,        // by a real factor, the cosine
    flip,         // X on a register place, where another one is 1 or anyhow
    flip_masked,  // X on a place, in some registers, where a mask of lanes says so
    multiply,     // by a factor for each register and lane, one set for each parity of the base
    multiply_by_rows,  // by factors that depend on the base in any quadratic way
    mix,          // any matrix on two register places
    combine,      // any matrix on places: a sum of 2 or 4 exchanges, each times its factors
};

constexpr int most_register_places = 3;
constexpr int most_lane_bits = 4;
constexpr int most_group_bits = most_register_places + most_lane_bits;

// Factors of a `multiply_by_rows`: of vector v and lane l of a group,
// G[base] * product over the bits k of (v, l) that are 1 of E[base][k] * F[v, l].
template <class Real>
struct Rows {
    const Real* edges;    // E: for each base, most_group_bits + 1 real parts, then imaginary ones
    const Real* corners;  // G: for each base, a real and an imaginary part
    const Real* factors;  // F: real parts of all registers, then imaginary parts
    std::uint64_t crossing;  // the bits k for which E is not 1 everywhere
};

template <class Real>
struct Step {
    Code code;
    int place;                    // 0, 1, 2: of the registers; 3 and more: of the lanes
    int control;                  // of a flip: a register place, or -1
    int other_place;              // of a matrix on two: the higher place; else -1
    unsigned touched;             // registers that a multiply or a flip_masked changes
    std::uint64_t base_controls;  // bits of the base that must be 1
    std::uint64_t base_parity;    // bits of the base that are counted
    std::uint64_t far_controls;   // qubits outside of the tile
    std::uint64_t far_parity;
    Real cosine, sine;
    const Real* table;            // one mask for all registers (null: all lanes), or numbers
    int rows;                     // of a multiply_by_rows: which of the tile's
    int num_terms;                // of a combine: exchanges of place and, twice as far, the other
};

template <class Real>
struct Group {
    std::uint64_t places;  // bits of a vector's number in which the group's vectors differ
    const Step<Real>* steps;
    std::size_t num_steps;
};

// A stage as a tile sees it. All is borrowed.
template <class Real>
struct TileStage {
    int num_qubits;                 // of a tile, as in memory
    int num_padded;                 // of a tile, as in the buffer: at least a vector
    int run_qubits;                 // the lowest so many places are consecutive in memory
    const std::size_t* run_starts;  // amplitudes from the tile's first, for each run
    std::uint64_t dead;             // bits of an index that are still 0 in all of the state
    const Group<Real>* groups;
    std::size_t num_groups;
    Real scale[2];                  // a complex factor for all that is written
    // Where weights go that are not written in place, because swaps renamed qubits.
    const std::size_t* out_low;     // of each of 2**out_low_bits neighbours: its place in the tile
    const std::size_t* out_high;    // of each run of neighbours: its first one's
    const std::size_t* out_starts;  // of each run of neighbours: where it goes
    int out_low_bits;               // -1: in place
};

// What one tile needs beside its stage.
template <class Real>
struct TileTask {
    std::size_t first;       // index of the tile's first amplitude
    std::size_t out_first;   // of its first weight
    Real* state;             // real and imaginary part in turn
    Real* weights;           // where squared magnitudes go instead of amplitudes, or null
    Real* buffer;            // `buffer_size` numbers, aligned to 64 bytes
    const Rows<Real>* rows;  // of each multiply_by_rows
};

template <class Real>
using ApplyToTile = void (*)(const TileStage<Real>& stage, const TileTask<Real>& task);

// An operation made ready for all of a small state: real parts of all amplitudes, a gap, and
// imaginary parts. Qubits are places in the number of a vector, above those of the lanes, whose
// part is in tables, a number for each lane.
enum class SweepCode : int {
    rotate_x,  // cosine - i sine X; table: cosines, sines
    rotate_y,  // cosine - i sine Y; table: cosines, sines
    multiply,  // table: real and imaginary parts of factors, then those where the parity is odd
    flip,      // table: 1 in the lanes where it acts, else 0
    mix,       // any matrix on two qubits; table: its real parts, then its imaginary ones
};

template <class Real>
struct Sweep {
    SweepCode code;
    int place, other_place;  // of the targets in the index of an amplitude; lanes are the lowest
    std::uint64_t controls;  // bits of a vector's number that must be 1; of a mix, of an index
    std::uint64_t parity;    // bits of a vector's number; where their sum is odd, sines change sign
    const Real* table;
};

// The numbers of Real from the real parts of a small state to the imaginary ones.
static constexpr std::size_t parts_distance(std::size_t num_vectors, std::size_t lanes) {
    return (num_vectors + 8) * lanes;  // not over the same places of the cache
}

template <class Real>
using ApplySweep = void (*)(const Sweep<Real>& sweep, Real* state, std::size_t num_vectors);

// Write the squared magnitudes of a small state.
template <class Real>
using Weigh = void (*)(const Real* state, std::size_t num_vectors, double* weights);

// A matrix on the words of a few qubits, as a tile of words sees it; see words.hpp.
struct WordMatrix {
    int num_qubits;
    int places[3];               // of the qubits among the digits of a tile, ascending
    const std::size_t* offsets;  // of each of its words from the one that is all I, in the tile
    const double* entries;       // of one qubit: of X, Y and Z, row after row
    // Of more: the rows that change something, each as a sum of words times coefficients.
    std::size_t num_rows;
    const std::uint32_t* rows;
    const std::uint32_t* starts;   // of each row, and the end of the last
    const std::uint32_t* columns;
    const double* coefficients;
};

// A tile of words, all of it consecutive in memory; steps touch none of its lowest digits.
struct WordTile {
    double* words;
    int num_digits, lane_digits;  // in base 4
    const WordMatrix* steps;
    std::size_t num_steps;
};

using ApplyToWords = void (*)(const WordTile& tile);

struct Variant {
    const char* name;
    int vector_bytes;
    int register_places;
    ApplyToTile<float> apply_float;
    ApplyToTile<double> apply_double;
    ApplySweep<float> sweep_float;
    ApplySweep<double> sweep_double;
    Weigh<float> weigh_float;
    Weigh<double> weigh_double;
    ApplyToWords apply_words;
};

// Vectors whose numbers differ by multiples of 64 would share few places of the first-level
// cache: each 64 vectors are followed by a gap.
static constexpr std::size_t with_gaps(std::size_t vector) { return vector + (vector >> 6); }

// Numbers of Real in a tile's buffer.
static constexpr std::size_t buffer_size(int num_padded, std::size_t lanes) {
    std::size_t num_vectors = (std::size_t{1} << num_padded) / lanes;
    return (2 * with_gaps(num_vectors) + 16) * lanes;
}

}  // namespace ionbox

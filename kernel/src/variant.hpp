// The seam between the code that is compiled once and the code that is compiled for each
// instruction set. Nothing in it may be instantiated on both sides, or the linker could put an
// AVX-512 copy of it into the portable path: plain data and pointers to functions only.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ionbox {

// An operation of a stage, with its qubits as places in the tile.
struct TileOperation {
    int kind;                    // as Kind
    int targets[2];              // places in the tile
    std::uint64_t controls;      // places in the tile
    std::uint64_t parity;        // places in the tile
    std::uint64_t far_controls;  // qubits outside of the tile
    std::uint64_t far_parity;    // qubits outside of the tile
    double entries[32];          // real and imaginary part in turn
};

// A stage as a tile sees it. All is borrowed.
struct TileStage {
    int num_qubits;                 // of a tile, as in memory
    int num_padded;                 // of a tile, as in the buffer: at least a vector
    int run_qubits;                 // the lowest so many places are consecutive in memory
    const std::size_t* run_starts;  // amplitudes from the tile's first, for each run
    const TileOperation* operations;
    std::size_t num_operations;
};

// Apply a stage to the tile whose first amplitude has index `first`.
//
// state: real and imaginary part in turn. weights: where squared magnitudes go instead of
// amplitudes, or null. buffer: room for two numbers for each of 2**num_padded amplitudes, aligned
// to 64 bytes.
template <class Real>
using ApplyToTile = void (*)(
    const TileStage& stage, Real* state, Real* weights, std::size_t first, Real* buffer);

struct Variant {
    const char* name;
    ApplyToTile<float> apply_float;
    ApplyToTile<double> apply_double;
};

constexpr int padded_qubits = 4;      // 16 floats are the widest vector
constexpr int most_tile_qubits = 14;  // 128 KiB of floats, in the second-level cache of any core

}  // namespace ionbox

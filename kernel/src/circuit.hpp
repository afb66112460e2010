// What the kernel is given, and what it makes of it: operations, and stages of them.
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ionbox {

using Complex = std::complex<double>;
using Mask = std::uint64_t;  // bit q is qubit q

constexpr Mask bit(int place) { return Mask{1} << place; }

enum class Kind {
    phase,     // a factor for even and one for odd parity of the bits in `parity`
    flip,      // x on one target
    matrix_1,  // on one target
    matrix_2,  // on two targets
};

// One operation on qubits, which acts where all controls are 1.
struct Operation {
    Kind kind;
    Mask controls = 0;
    Mask parity = 0;           // of a phase
    int targets[2] = {-1, -1};  // of the others; targets[0] is the lowest bit of the matrix
    Complex entries[16] = {};   // even and odd factor, or the matrix, row after row

    Mask targets_mask() const;
    // Qubits in which the operation is diagonal; it may read, but never mixes their values.
    Mask diagonal() const { return controls | parity; }
};

// Operations that are applied to one tile after the other, in one pass over memory.
struct Stage {
    std::vector<int> qubits;  // those of a tile, ascending; place in the list = bit in the tile
    std::vector<Operation> operations;
    Mask mixed = 0;  // qubits that are no longer 0 because of this stage
};

// The operations as they were packed: those of one entry from starts[k] to starts[k + 1].
struct Packed {
    std::size_t num_operations;
    const std::int32_t* qubits;  // targets, then controls
    const std::int32_t* qubit_starts;
    const std::int32_t* num_targets;
    const Complex* entries;  // 2: a phase; 4 or 16: a matrix
    const std::int32_t* entry_starts;
};

// Cast operations into their simplest kinds, and merge runs on one qubit.
std::vector<Operation> lower(const Packed& packed, int num_qubits);

// Distribute operations over as few stages as a search among a dozen candidates finds.
std::vector<Stage> cut_into_stages(
    const std::vector<Operation>& operations, int num_qubits, int tile_qubits);

}  // namespace ionbox

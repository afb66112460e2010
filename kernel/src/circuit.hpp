// What the kernel is given, and what it makes of it: operations, and stages of them.
#pragma once

#include <array>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace ionbox {

using Complex = std::complex<double>;
using Mask = std::uint64_t;  // bit q is qubit q

constexpr Mask bit(int place) { return Mask{1} << place; }
constexpr bool is_odd(Mask mask) { return __builtin_parityll(mask); }
constexpr Mask all_bits(int count) { return count < 64 ? bit(count) - 1 : ~Mask{0}; }

enum class Kind {
    phase,       // a factor for even and one for odd parity of the bits in `parity`
    flip,        // X on one target
    rotation_x,  // cosine - i sine X on one target
    rotation_y,  // cosine - i sine Y
    matrix,      // on two targets
};

using Matrix = std::array<Complex, 16>;  // row after row; targets[0] is the lowest bit

// One operation on qubits, which acts where all controls are 1.
struct Operation {
    Kind kind;
    Mask controls = 0;
    Mask parity = 0;  // of a phase; where it is odd, a rotation turns the other way
    int targets[2] = {-1, -1};
    double cosine = 1, sine = 0;   // of a rotation
    Complex even = 1, odd = 1;     // of a phase
    std::shared_ptr<const Matrix> matrix = nullptr;

    // Qubits whose values it changes or mixes.
    Mask mixed() const {
        return (targets[0] < 0 ? 0 : bit(targets[0])) | (targets[1] < 0 ? 0 : bit(targets[1]));
    }
    // Qubits in which it is diagonal; it may read, but never mixes their values.
    Mask diagonal() const { return controls | parity; }
};

// The packed arrays of a circuit, as `ionbox.circuits.circuit.Circuit` holds them. Slice k of an
// array goes from its starts[k] to its starts[k + 1].
struct Circuit {
    int num_qubits;
    std::size_t num_operations;
    const std::int16_t* gates;  // row numbers of the gate table
    const std::int32_t* qubits;  // targets, then controls
    const std::int32_t* qubit_starts;
    const std::int32_t* num_targets;
    const double* params;
    const std::int32_t* param_starts;
    const std::uint8_t* paulis;  // 0 I, 1 X, 2 Y, 3 Z; of each term, one a target
    const std::int32_t* pauli_starts;
};

// A circuit in operations that a tile knows how to apply.
struct Lowered {
    std::vector<Operation> operations;
    std::vector<int> place_of;  // at the end, the value of qubit q stands at place place_of[q]
};

// Where swaps may only rename qubits, `place_of` says where the qubits are.
Lowered lower(const Circuit& circuit, bool may_rename);

// Operations that are applied to one tile after the other, in one pass over memory.
struct Stage {
    std::vector<int> qubits;  // those of a tile, ascending; place in the list = bit in the tile
    std::vector<Operation> operations;
    Mask mixed = 0;  // qubits that are no longer 0 because of this stage
};

// What the tiles of a state are cut by.
struct Cut {
    int num_qubits;
    int tile_qubits;
    Mask last_qubits;   // must be in the tiles of the last stage
    bool drops_phases;  // those that change no squared magnitude at the end are left out
};

// Distribute operations over as few stages as a search among a dozen candidates finds.
std::vector<Stage> cut_into_stages(std::vector<Operation> operations, const Cut& cut);

}  // namespace ionbox

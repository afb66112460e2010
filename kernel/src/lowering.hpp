// From gates to the few kinds of operation that a tile knows how to apply.
#pragma once

#include <vector>

#include "circuit.hpp"

namespace ionbox {

using Matrix1 = std::array<Complex, 4>;  // on one target, row after row

// Collects operations; a matrix on one qubit waits, because the next one may join it.
class Lowering {
public:
    Lowering(int num_qubits, bool may_rename);

    // All qubits are those of the circuit; the targets and controls of one call are distinct.
    void add_phase(Mask controls, Mask parity, Complex even, Complex odd);
    void add_matrix_1(Mask controls, int target, const Matrix1& matrix);
    void add_matrix_2(Mask controls, int low, int high, const Matrix& matrix);
    void add_swap(Mask controls, int low, int high);

    // exp(-i angle P), P = X where only x, Z where only z, Y where both are 1; turn = exp(i angle).
    void add_word(Mask controls, Mask x, Mask z, Complex turn);

    Lowered finish();

private:
    struct Waiting {
        bool is_set = false;
        Matrix1 matrix;
    };

    Mask places(Mask qubits) const;
    int place(int qubit) const { return place_of_[static_cast<std::size_t>(qubit)]; }

    // What follows works on places.
    void phase(Mask controls, Mask parity, Complex even, Complex odd);
    void flip(Mask controls, int target);
    void cancel_flips();
    void rotate(Kind kind, Mask controls, int target, Complex turn, Mask parity = 0);
    void turn(Mask controls, int target, const Matrix1& matrix);
    void join(int target, const Matrix1& matrix);
    void release(int target);
    void add(Operation operation);

    std::vector<int> place_of_;
    bool may_rename_;
    Complex global_ = 1;  // a factor of all amplitudes
    std::vector<Waiting> waiting_;
    std::vector<Operation> operations_;
};

// Add a gate of the table; the operation k of the circuit.
void add_gate(Lowering& lowering, const Circuit& circuit, std::size_t k);

// The rows that `add_gate` knows, in the order of the gate table, as gateset.name.
const std::vector<const char*>& gate_rows();

}  // namespace ionbox

// Qubits that never meet: each set of them is a state of its own, and probabilities multiply.
#pragma once

#include <vector>

#include "circuit.hpp"
#include "memory.hpp"

namespace ionbox {

// The operations on qubits that are connected by them; both count qubits as they end up.
struct Component {
    std::vector<int> qubits;  // ascending; qubits[k] is qubit k of the operations
    std::vector<Operation> operations;
};

// Whether operations connect all qubits.
bool is_connected(const Lowered& lowered);

// Cut what was lowered into its components; a qubit that stays 0 belongs to none.
std::vector<Component> components_of(const Lowered& lowered);

// Weights of the states of some qubits, which bit k of an index stands for.
template <class Real>
struct Factor {
    std::vector<int> qubits;  // ascending
    Aligned<Real> weights;
};

// Write the products of the weights of all factors, for all 2**num_qubits indices.
template <class Real>
void multiply_out(std::vector<Factor<Real>> factors, int num_qubits, int threads, Real* out);

}  // namespace ionbox

// Stages on a state vector, on several threads.
#pragma once

#include <string>
#include <vector>

#include "circuit.hpp"
#include "variant.hpp"

namespace ionbox {

// The instruction sets that this processor has, the best one first.
std::vector<const Variant*> variants();

template <class Real>
struct State {
    int num_qubits;
    Real* amplitudes;  // real and imaginary part in turn
    Real* weights;     // squared magnitudes in place of the final amplitudes, or null
    Mask live;         // qubits that may be 1; where another one is 1, all is zero already
};

template <class Real>
constexpr int tile_qubits = sizeof(Real) == 4 ? most_tile_qubits : most_tile_qubits - 1;

// Throws std::bad_alloc before anything is changed.
template <class Real>
void execute(
    const std::vector<Stage>& stages, State<Real> state, const Variant& variant, int threads);

}  // namespace ionbox

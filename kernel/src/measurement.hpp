// Measuring one qubit of a state, and what the outcome leaves of it.
#pragma once

#include <cstddef>

namespace ionbox {

// The squared norms of the amplitudes in which a qubit is 0, and in which it is 1: sums in double,
// in an order that depends on the size alone. amplitudes: real and imaginary part in turn.
struct Norms {
    double zero, one;
};
template <class Real>
Norms norms(const Real* amplitudes, std::size_t size, int qubit, int threads);

// Multiply the amplitudes in which a qubit is `outcome`, and clear the others; a reset then moves
// what is kept to where the qubit is 0.
template <class Real>
struct Collapse {
    int qubit;
    int outcome;
    Real factor;
    bool is_reset;
};
template <class Real>
void collapse(Real* amplitudes, std::size_t size, const Collapse<Real>& collapse, int threads);

}  // namespace ionbox

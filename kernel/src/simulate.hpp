// A run, from gates to squared magnitudes, and what happens to a state between circuits.
#pragma once

#include "circuit.hpp"
#include "execute.hpp"
#include "memory.hpp"

namespace ionbox {

struct Settings {
    const Variant& variant;
    int threads;
    Progress& progress;
};

// Squared magnitudes of all 2**n amplitudes that a circuit makes of |0...0>.
template <class Real>
Aligned<Real> simulate(const Circuit& circuit, const Settings& settings);

// Apply a circuit to amplitudes in place; where a qubit that is not live is 1, they are not read.
template <class Real>
void evolve(const Circuit& circuit, Real* amplitudes, Mask live, const Settings& settings);

// What `simulate` would take.
struct Effort {
    int stages;     // of the widest component
    double passes;  // over the state, each reading and writing all of it, or a share
    double steps;   // of all groups, each over the state, or a share
    double flops;   // products and sums of real numbers
};
template <class Real>
Effort effort(const Circuit& circuit, const Variant& variant);

}  // namespace ionbox

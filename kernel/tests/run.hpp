// The seam between the tests and the kernel: a circuit goes in, amplitudes or weights come out.
#pragma once

#include <complex>
#include <vector>

#include "execute.hpp"
#include "reference.hpp"

template <class Real>
struct Outcome {
    std::vector<std::complex<Real>> amplitudes;
    std::vector<Real> weights;
};

// Simulate from |0...0>, and read out weights if they are wanted (the amplitudes are then used up).
template <class Real>
Outcome<Real> run(
    const Circuit& circuit, const ionbox::Variant& variant, int threads, bool are_weights_wanted) {
    Arrays arrays(circuit);
    Outcome<Real> outcome;
    outcome.amplitudes.resize(std::size_t{1} << circuit.num_qubits);
    outcome.amplitudes[0] = 1;
    if (are_weights_wanted) outcome.weights.resize(outcome.amplitudes.size());
    auto stages = ionbox::cut_into_stages(
        ionbox::lower(arrays.packed(), circuit.num_qubits), circuit.num_qubits,
        ionbox::tile_qubits<Real>);
    ionbox::State<Real> state{
        circuit.num_qubits, reinterpret_cast<Real*>(outcome.amplitudes.data()),
        are_weights_wanted ? outcome.weights.data() : nullptr, 0};
    ionbox::execute<Real>(stages, state, variant, threads);
    return outcome;
}

// The seam between the tests and the kernel: a circuit goes in, amplitudes or weights come out.
#pragma once

#include <complex>
#include <limits>
#include <vector>

#include "execute.hpp"
#include "lowering.hpp"
#include "reference.hpp"

inline void add(ionbox::Lowering& lowering, const Step& step) {
    Mask controls = mask_of(step.controls);
    const std::vector<Complex>& e = step.entries;
    if (e.size() == 1) return lowering.add_word(controls, step.x, step.z, e[0]);
    if (e.size() == 2) return lowering.add_phase(controls, mask_of(step.targets), e[0], e[1]);
    if (e.size() == 4)
        return lowering.add_matrix_1(controls, step.targets[0], {e[0], e[1], e[2], e[3]});
    if (e == swap_entries) return lowering.add_swap(controls, step.targets[0], step.targets[1]);
    ionbox::Matrix matrix;
    std::copy(e.begin(), e.end(), matrix.begin());
    lowering.add_matrix_2(controls, step.targets[0], step.targets[1], matrix);
}

inline ionbox::Lowered lowered(const Circuit& circuit, bool may_rename) {
    ionbox::Lowering lowering(circuit.num_qubits, may_rename);
    for (const Step& step : circuit.steps) add(lowering, step);
    return lowering.finish();
}

template <class Real>
struct Outcome {
    std::vector<std::complex<Real>> amplitudes;
    std::vector<Real> weights;
};

template <class Real>
void execute(const ionbox::Lowered& lowered, Outcome<Real>& outcome,
             const ionbox::Variant& variant, int threads) {
    int num_qubits = static_cast<int>(lowered.place_of.size());
    bool has_weights = !outcome.weights.empty();
    Mask last = has_weights ? ionbox::last_qubits<Real>(lowered.place_of) : 0;
    auto stages = ionbox::cut_into_stages(
        lowered.operations, {num_qubits, ionbox::tile_qubits<Real>(num_qubits), last, has_weights});
    ionbox::State<Real> state{num_qubits, reinterpret_cast<Real*>(outcome.amplitudes.data()),
                              has_weights ? outcome.weights.data() : nullptr, 0, lowered.place_of};
    ionbox::Progress progress;
    ionbox::execute<Real>(stages, state, variant, threads, progress);
}

// Amplitudes made of |0...0>.
template <class Real>
std::vector<std::complex<Real>> amplitudes(
    const Circuit& circuit, const ionbox::Variant& variant, int threads) {
    Outcome<Real> outcome;
    outcome.amplitudes.resize(std::size_t{1} << circuit.num_qubits);
    outcome.amplitudes[0] = 1;
    execute(lowered(circuit, false), outcome, variant, threads);
    return outcome.amplitudes;
}

// Weights made of |0...0>. All other amplitudes are no numbers: nobody may read them.
template <class Real>
std::vector<Real> weights(const Circuit& circuit, const ionbox::Variant& variant, int threads) {
    Outcome<Real> outcome;
    std::size_t size = std::size_t{1} << circuit.num_qubits;
    outcome.amplitudes.assign(size, std::numeric_limits<Real>::quiet_NaN());
    outcome.amplitudes[0] = 1;
    outcome.weights.resize(size);
    execute(lowered(circuit, true), outcome, variant, threads);
    return outcome.weights;
}

#include "simulate.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "components.hpp"

namespace ionbox {
namespace {

// Phases at the end change no squared magnitude.
constexpr bool drops_phases = true;

// Run operations on |0...0>; what is written are weights, all of them.
template <class Real>
void run(std::vector<Operation> operations, const std::vector<int>& place_of,
         const Settings& settings, Real* weights) {
    int num_qubits = static_cast<int>(place_of.size());
    Cut cut{num_qubits, tile_qubits<Real>(num_qubits), last_qubits<Real>(place_of), drops_phases};
    std::vector<Stage> stages = cut_into_stages(std::move(operations), cut);
    std::size_t size = std::size_t{1} << num_qubits;
    Aligned<Real> amplitudes = allocate<Real>(2 * size);
    amplitudes[0] = 1;
    amplitudes[1] = 0;
    Mask live = 0;
    for (const Stage& stage : stages) live |= stage.mixed;
    if (live != all_bits(num_qubits)) std::fill_n(weights, size, Real{0});
    execute<Real>(stages, {num_qubits, amplitudes.get(), weights, 0, place_of}, settings.variant,
                  settings.threads, settings.progress);
}

std::vector<int> in_order(std::size_t count) {
    std::vector<int> places;
    for (std::size_t k = 0; k < count; ++k) places.push_back(static_cast<int>(k));
    return places;
}

}  // namespace

template <class Real>
Aligned<Real> simulate(const Circuit& circuit, const Settings& settings) {
    Lowered lowered = lower(circuit, true);
    Aligned<Real> weights = allocate<Real>(std::size_t{1} << circuit.num_qubits);
    if (is_connected(lowered)) {
        run<Real>(std::move(lowered.operations), lowered.place_of, settings, weights.get());
        return weights;
    }
    std::vector<Component> components = components_of(lowered);
    std::vector<Factor<Real>> factors;
    for (Component& component : components) {
        std::size_t count = component.qubits.size();
        factors.push_back({component.qubits, allocate<Real>(std::size_t{1} << count)});
        run<Real>(std::move(component.operations), in_order(count), settings,
                  factors.back().weights.get());
    }
    multiply_out(std::move(factors), circuit.num_qubits, settings.threads, weights.get());
    return weights;
}

template <class Real>
void evolve(const Circuit& circuit, Real* amplitudes, Mask live, const Settings& settings) {
    Lowered lowered = lower(circuit, false);
    Cut cut{circuit.num_qubits, tile_qubits<Real>(circuit.num_qubits), 0, !drops_phases};
    std::vector<Stage> stages = cut_into_stages(std::move(lowered.operations), cut);
    execute<Real>(stages, {circuit.num_qubits, amplitudes, nullptr, live, lowered.place_of},
                  settings.variant, settings.threads, settings.progress);
}

template <class Real>
Effort effort(const Circuit& circuit, const Variant& variant) {
    Lowered lowered = lower(circuit, true);
    Effort effort{0, 0, 0, 0};
    for (Component& component : components_of(lowered)) {
        int num_qubits = static_cast<int>(component.qubits.size());
        // The qubits that swaps renamed are where they belong, but for a last pass now and then.
        Cut cut{num_qubits, tile_qubits<Real>(num_qubits), 0, drops_phases};
        std::vector<Stage> stages = cut_into_stages(std::move(component.operations), cut);
        double share = std::ldexp(1.0, num_qubits - circuit.num_qubits);
        effort.stages = std::max(effort.stages, static_cast<int>(stages.size()));
        Work work = work_of<Real>(stages, num_qubits, variant);
        effort.passes += share * work.passes;
        effort.steps += share * work.steps;
        effort.flops += std::ldexp(work.flops, num_qubits);
    }
    return effort;
}

template Aligned<float> simulate(const Circuit&, const Settings&);
template Aligned<double> simulate(const Circuit&, const Settings&);
template void evolve(const Circuit&, float*, Mask, const Settings&);
template void evolve(const Circuit&, double*, Mask, const Settings&);
template Effort effort<float>(const Circuit&, const Variant&);
template Effort effort<double>(const Circuit&, const Variant&);

}  // namespace ionbox

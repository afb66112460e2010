// Random circuits, and what they do, by the definition.
#pragma once

#include <bit>
#include <complex>
#include <numbers>
#include <random>
#include <vector>

#include "circuit.hpp"

using ionbox::Complex;
using ionbox::Mask;

// 1 entry is exp(i angle) of a Pauli word, 2 are a phase by parity, 4 or 16 a matrix.
struct Step {
    std::vector<int> targets, controls;
    std::vector<Complex> entries;
    Mask x = 0, z = 0;  // of a Pauli word
};

struct Circuit {
    int num_qubits;
    std::vector<Step> steps;
};

inline const std::vector<Complex> swap_entries = {1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1};

inline Mask mask_of(const std::vector<int>& qubits) {
    Mask mask = 0;
    for (int qubit : qubits) mask |= ionbox::bit(qubit);
    return mask;
}

// ---- by the definition ----

inline std::size_t read_bits(std::size_t index, const std::vector<int>& qubits) {
    std::size_t bits = 0;
    for (std::size_t k = 0; k < qubits.size(); ++k) bits |= (index >> qubits[k] & 1) << k;
    return bits;
}

inline std::size_t write_bits(
    std::size_t index, const std::vector<int>& qubits, std::size_t bits) {
    index &= ~mask_of(qubits);
    for (std::size_t k = 0; k < qubits.size(); ++k) index |= (bits >> k & 1) << qubits[k];
    return index;
}

// exp(-i angle P), P = i**|x & z| X**x Z**z, where all controls are 1.
inline void apply_word(const Step& step, std::vector<Complex>& state) {
    const std::vector<Complex> before = state;
    constexpr Complex powers_of_i[] = {1, {0, 1}, -1, {0, -1}};
    Complex factor = powers_of_i[std::popcount(step.x & step.z) % 4] * Complex{0, -1};
    Mask controls = mask_of(step.controls);
    for (std::size_t index = 0; index < state.size(); ++index) {
        if ((index & controls) != controls) continue;
        std::size_t from = index ^ step.x;
        double sign = std::popcount(step.z & from) % 2 ? -1 : 1;
        state[index] = step.entries[0].real() * before[index] +
                       step.entries[0].imag() * sign * factor * before[from];
    }
}

inline void apply(const Step& step, std::vector<Complex>& state) {
    if (step.entries.size() == 1) return apply_word(step, state);
    const std::vector<Complex> before = state;
    Mask controls = mask_of(step.controls);
    std::size_t size = std::size_t{1} << step.targets.size();
    for (std::size_t index = 0; index < state.size(); ++index) {
        if ((index & controls) != controls) continue;
        std::size_t row = read_bits(index, step.targets);
        if (step.entries.size() == 2) {
            state[index] *= step.entries[static_cast<std::size_t>(std::popcount(row) % 2)];
            continue;
        }
        state[index] = 0;
        for (std::size_t column = 0; column < size; ++column)
            state[index] += step.entries[row * size + column] *
                            before[write_bits(index, step.targets, column)];
    }
}

inline std::vector<Complex> reference(const Circuit& circuit) {
    std::vector<Complex> state(std::size_t{1} << circuit.num_qubits);
    state[0] = 1;
    for (const Step& step : circuit.steps) apply(step, state);
    return state;
}

// ---- random circuits of every kind of operation ----

class Random {
public:
    explicit Random(unsigned seed) : engine_(seed) {}

    int below(int limit) { return static_cast<int>(engine_() % static_cast<unsigned>(limit)); }
    Complex phase() { return std::polar(1.0, 2 * std::numbers::pi * below(1 << 20) / (1 << 20)); }

    std::vector<int> qubits(int num_qubits, int count) {
        std::vector<int> all;
        for (int qubit = 0; qubit < num_qubits; ++qubit) all.push_back(qubit);
        for (int k = 0; k < count; ++k)
            std::swap(all[static_cast<std::size_t>(k)],
                      all[static_cast<std::size_t>(k + below(num_qubits - k))]);
        all.resize(static_cast<std::size_t>(count));
        return all;
    }

    std::vector<Complex> unitary_1() {
        double angle = std::arg(phase());
        Complex a = phase() * std::cos(angle), b = phase() * std::sin(angle), turn = phase();
        return {a, b, -turn * std::conj(b), turn * std::conj(a)};
    }

    // A product of matrices on one qubit, a cnot, and such a product.
    std::vector<Complex> unitary_2() {
        std::vector<Complex> first = product_2(), last = product_2(), product(16);
        constexpr std::size_t cnot[4] = {0, 1, 3, 2};
        for (std::size_t row = 0; row < 4; ++row)
            for (std::size_t column = 0; column < 4; ++column)
                for (std::size_t k = 0; k < 4; ++k)
                    product[4 * row + column] += last[4 * row + k] * first[4 * cnot[k] + column];
        return product;
    }

    std::vector<Complex> entries(int kind) {
        if (kind == 0) return {phase(), phase()};  // by parity
        if (kind == 1) return {1, phase()};
        if (kind == 2) return unitary_1();
        if (kind == 3) return {phase(), 0, 0, phase()};
        if (kind == 4) return {0, 1, 1, 0};
        if (kind == 5) return unitary_2();
        if (kind == 6) return swap_entries;
        Complex even = phase(), odd = phase();
        return {even, 0, 0, 0, 0, odd, 0, 0, 0, 0, odd, 0, 0, 0, 0, even};
    }

    // A Pauli word on some qubits, which may be all I; controls are none of them.
    Step word(int num_qubits) {
        int width = 1 + below(std::min(5, num_qubits));
        int num_controls = below(2) ? below(std::min(3, num_qubits - width + 1)) : 0;
        std::vector<int> chosen = qubits(num_qubits, width + num_controls);
        Step step{{}, {chosen.begin() + width, chosen.end()}, {phase()}};
        for (int k = 0; k < width; ++k) {
            Mask qubit = ionbox::bit(chosen[static_cast<std::size_t>(k)]);
            if (below(2)) step.x |= qubit;
            if (below(2)) step.z |= qubit;
        }
        return step;
    }

    Step step(int num_qubits) {
        if (below(4) == 0) return word(num_qubits);
        int kind = below(num_qubits < 2 ? 5 : 8);
        int most_targets = std::min(4, num_qubits);
        int num_targets = kind < 2 ? 1 + below(most_targets) : kind < 5 ? 1 : 2;
        int num_controls = below(2) ? below(std::min(4, num_qubits - num_targets + 1)) : 0;
        std::vector<int> chosen = qubits(num_qubits, num_targets + num_controls);
        auto middle = chosen.begin() + num_targets;
        return {{chosen.begin(), middle}, {middle, chosen.end()}, entries(kind)};
    }

    Circuit circuit(int num_qubits, int num_steps) {
        Circuit circuit{num_qubits, {}};
        for (int k = 0; k < num_steps; ++k) circuit.steps.push_back(step(num_qubits));
        return circuit;
    }

private:
    std::vector<Complex> product_2() {
        std::vector<Complex> low = unitary_1(), high = unitary_1(), product(16);
        for (std::size_t row = 0; row < 4; ++row)
            for (std::size_t column = 0; column < 4; ++column)
                product[4 * row + column] = high[row / 2 * 2 + column / 2] *
                                            low[row % 2 * 2 + column % 2];
        return product;
    }

    std::mt19937 engine_;
};

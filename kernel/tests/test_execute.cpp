// Random circuits, against the definition: every variant, both precisions, several threads.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "check.hpp"
#include "run.hpp"

namespace {

constexpr int thread_counts[] = {1, 2, 3};

template <class Real>
constexpr double tolerance = sizeof(Real) == 4 ? 2e-6 : 1e-13;

template <class Real>
void check_amplitudes(const Outcome<Real>& outcome, const std::vector<Complex>& expected) {
    for (std::size_t k = 0; k < expected.size(); ++k)
        CHECK(std::abs(Complex(outcome.amplitudes[k]) - expected[k]) < tolerance<Real>);
}

template <class Real>
void check_weights(const Outcome<Real>& outcome, const std::vector<Complex>& expected) {
    for (std::size_t k = 0; k < expected.size(); ++k)
        CHECK(std::abs(outcome.weights[k] - std::norm(expected[k])) < tolerance<Real>);
}

template <class Number>
bool are_same_bits(const std::vector<Number>& left, const std::vector<Number>& right) {
    return left.size() == right.size() &&
           !std::memcmp(left.data(), right.data(), left.size() * sizeof(Number));
}

template <class Real>
void check_variant(
    const Circuit& circuit, const ionbox::Variant& variant, const std::vector<Complex>& expected) {
    Outcome<Real> alone;
    for (int threads : thread_counts) {
        Outcome<Real> state = run<Real>(circuit, variant, threads, false);
        Outcome<Real> read = run<Real>(circuit, variant, threads, true);
        check_amplitudes(state, expected);
        check_weights(read, expected);
        if (threads == 1) alone = {state.amplitudes, read.weights};
        CHECK(are_same_bits(alone.amplitudes, state.amplitudes));
        CHECK(are_same_bits(alone.weights, read.weights));
    }
}

void check_circuit(const Circuit& circuit) {
    std::vector<Complex> expected = reference(circuit);
    for (const ionbox::Variant* variant : ionbox::variants()) {
        check_variant<float>(circuit, *variant, expected);
        check_variant<double>(circuit, *variant, expected);
    }
}

// So that later operations meet a state without zeros.
Circuit spread(Circuit circuit, Random& random) {
    for (int qubit = 0; qubit < circuit.num_qubits; ++qubit)
        circuit.steps.insert(circuit.steps.begin(), Step{{qubit}, {}, random.unitary_1()});
    return circuit;
}

}  // namespace

TEST(no_operations_leave_the_ground_state) {
    for (int num_qubits : {1, 5, 15}) check_circuit({num_qubits, {}});
}

TEST(random_circuits_in_one_tile) {
    Random random(1);
    for (int num_qubits = 1; num_qubits <= 12; ++num_qubits)
        for (int round = 0; round < 4; ++round) {
            Circuit circuit = random.circuit(num_qubits, 40);
            check_circuit(round % 2 ? circuit : spread(circuit, random));
        }
}

TEST(random_circuits_in_many_tiles) {
    Random random(2);
    for (int num_qubits = 13; num_qubits <= 17; ++num_qubits) {
        check_circuit(random.circuit(num_qubits, 40));
        check_circuit(spread(random.circuit(num_qubits, 40), random));
    }
}

TEST(a_cat_state_grows_over_all_qubits) {
    Circuit circuit{17, {{{0}, {}, {M_SQRT1_2, M_SQRT1_2, M_SQRT1_2, -M_SQRT1_2}}}};
    for (int qubit = 0; qubit < 16; ++qubit)
        circuit.steps.push_back({{qubit + 1}, {qubit}, {0, 1, 1, 0}});
    check_circuit(circuit);
}

TEST(a_phase_that_all_qubits_control) {
    for (int num_qubits : {2, 6, 14, 16}) {
        Random random(3);
        Circuit circuit{num_qubits, {}};
        Step phase{{0}, {}, {1, -1}};
        for (int qubit = 1; qubit < num_qubits; ++qubit) phase.controls.push_back(qubit);
        circuit.steps.push_back(phase);
        circuit = spread(circuit, random);
        check_circuit(spread(circuit, random));
    }
}

// Random circuits, against the definition: every variant, both precisions, several threads.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "check.hpp"
#include "run.hpp"

namespace {

constexpr int thread_counts[] = {1, 2, 3};

// The sanitizer of threads is slow; tiles are many from 15 qubits on.
#ifdef __SANITIZE_THREAD__
constexpr int most_qubits = 15;
#else
constexpr int most_qubits = 17;
#endif

template <class Real>
constexpr double tolerance = sizeof(Real) == 4 ? 2e-6 : 1e-13;

template <class Number>
bool are_same_bits(const std::vector<Number>& left, const std::vector<Number>& right) {
    return left.size() == right.size() &&
           !std::memcmp(left.data(), right.data(), left.size() * sizeof(Number));
}

template <class Real>
void check_variant(const Circuit& circuit, const ionbox::Variant& variant,
                   const std::vector<Complex>& expected) {
    auto state = amplitudes<Real>(circuit, variant, 1);
    auto read = weights<Real>(circuit, variant, 1);
    for (std::size_t k = 0; k < expected.size(); ++k) {
        CHECK(std::abs(Complex(state[k]) - expected[k]) < tolerance<Real>);
        CHECK(std::abs(read[k] - std::norm(expected[k])) < tolerance<Real>);
    }
    if (circuit.num_qubits <= 13) return;  // one tile
    for (int threads : thread_counts) {
        CHECK(are_same_bits(state, amplitudes<Real>(circuit, variant, threads)));
        CHECK(are_same_bits(read, weights<Real>(circuit, variant, threads)));
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
        for (int round = 0; round < 6; ++round) {
            Circuit circuit = random.circuit(num_qubits, 40);
            check_circuit(round % 2 ? circuit : spread(circuit, random));
        }
}

TEST(random_circuits_in_many_tiles) {
    Random random(2);
    for (int num_qubits = 13; num_qubits <= most_qubits; ++num_qubits) {
        check_circuit(random.circuit(num_qubits, 40));
        check_circuit(spread(random.circuit(num_qubits, 40), random));
    }
}

TEST(a_cat_state_grows_over_all_qubits) {
    Circuit circuit{most_qubits, {{{0}, {}, {M_SQRT1_2, M_SQRT1_2, M_SQRT1_2, -M_SQRT1_2}}}};
    for (int qubit = 0; qubit < most_qubits - 1; ++qubit)
        circuit.steps.push_back({{qubit + 1}, {qubit}, {0, 1, 1, 0}});
    check_circuit(circuit);
}

TEST(a_phase_that_all_qubits_control) {
    for (int num_qubits : {2, 6, 14, most_qubits - 1}) {
        Random random(3);
        Circuit circuit{num_qubits, {}};
        Step phase{{0}, {}, {1, -1}};
        for (int qubit = 1; qubit < num_qubits; ++qubit) phase.controls.push_back(qubit);
        circuit.steps.push_back(phase);
        circuit = spread(circuit, random);
        check_circuit(spread(circuit, random));
    }
}

TEST(many_phases_between_mixing_operations) {
    Random random(4);
    for (int num_qubits : {3, 9, 15}) {
        Circuit circuit{num_qubits, {}};
        for (int round = 0; round < 2; ++round) {
            circuit = spread(circuit, random);
            for (int low = 0; low < num_qubits; ++low)
                for (int high = 0; high < low; ++high) {
                    bool is_controlled = random.below(2);
                    Step phase{{low}, {high}, {1, random.phase()}};
                    if (!is_controlled) phase = {{low, high}, {}, random.entries(0)};
                    circuit.steps.insert(circuit.steps.begin(), phase);
                }
        }
        check_circuit(spread(circuit, random));
    }
}

TEST(swaps_move_qubits_between_tiles) {
    Random random(6);
    Circuit circuit = random.circuit(most_qubits, 20);
    for (int round = 0; round < 2; ++round)
        for (int qubit = 0; qubit < most_qubits / 2; ++qubit) {
            int other = most_qubits - 1 - qubit;
            circuit.steps.push_back({{qubit, other}, {}, swap_entries});
            if (round == 0) circuit.steps.push_back(random.word(most_qubits));
        }
    circuit.steps.push_back({{0, most_qubits - 1}, {}, swap_entries});
    check_circuit(spread(circuit, random));
}

// Factors that rotations leave for the end, 0.7 and more each, are below any float by themselves.
TEST(the_factors_of_many_rotations_do_not_vanish) {
    Random random(7);
    Circuit circuit{5, {}};
    const std::vector<Complex> x = {0, 1, 1, 0}, half = {0.8, -0.6, 0.6, 0.8};
    for (int k = 0; k < 1200; ++k) {
        circuit.steps.push_back({{k % 5}, {}, half});
        circuit.steps.push_back({{k % 5}, {(k + 1) % 5}, x});
    }
    std::vector<Complex> expected = reference(circuit);
    for (const ionbox::Variant* variant : ionbox::variants()) {
        auto narrow = weights<float>(circuit, *variant, 1);
        auto wide = weights<double>(circuit, *variant, 1);
        for (std::size_t k = 0; k < expected.size(); ++k) {
            CHECK(std::abs(narrow[k] - std::norm(expected[k])) < 1e-4);
            CHECK(std::abs(wide[k] - std::norm(expected[k])) < 1e-12);
        }
    }
}

TEST(last_qubits_are_named_only_where_renamed_qubits_leave_a_tile) {
    std::vector<int> place_of;
    for (int qubit = 0; qubit < 17; ++qubit) place_of.push_back(qubit);
    CHECK(ionbox::last_qubits<float>(place_of) == 0);
    std::swap(place_of[1], place_of[16]);
    CHECK(ionbox::last_qubits<float>(place_of) == (0b11101 | ionbox::bit(16)));
    CHECK(ionbox::last_qubits<float>({1, 0}) == 0);
}

TEST(work_counts_passes_as_shares_of_the_state) {
    Circuit circuit{17, {{{0}, {}, {0, 1, 1, 0}}}};
    ionbox::Lowered one = lowered(circuit, true);
    auto stages = ionbox::cut_into_stages(one.operations, {17, 14, 0, true});
    auto work = ionbox::work_of<float>(stages, 17, *ionbox::variants()[0]);
    CHECK(work.passes == 0.125);  // a tile of 14 qubits: the others are still 0
    CHECK(work.steps == 0.25);    // a group, and a step in it
}

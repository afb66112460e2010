// Measuring one qubit, against the definition; sizes of one chunk of weights and of several.
#include <cmath>
#include <complex>

#include "check.hpp"
#include "measurement.hpp"
#include "reference.hpp"

namespace {

template <class Real>
using Amplitudes = std::vector<std::complex<Real>>;

template <class Real>
Amplitudes<Real> random_amplitudes(Random& random, int num_qubits) {
    Amplitudes<Real> found;
    for (std::size_t k = 0; k < std::size_t{1} << num_qubits; ++k)
        found.emplace_back(static_cast<Real>(random.below(2001) - 1000) / 1000,
                           static_cast<Real>(random.below(2001) - 1000) / 1000);
    return found;
}

template <class Real>
Real* parts(Amplitudes<Real>& amplitudes) {
    return reinterpret_cast<Real*>(amplitudes.data());
}

template <class Real>
void check_norms(Amplitudes<Real> state, int qubit) {
    double expected[2] = {0, 0};
    for (std::size_t k = 0; k < state.size(); ++k)
        expected[k >> qubit & 1] += std::norm(Complex(state[k]));
    auto alone = ionbox::norms(parts(state), state.size(), qubit, 1);
    auto together = ionbox::norms(parts(state), state.size(), qubit, 3);
    CHECK(std::abs(alone.zero - expected[0]) <= 1e-12 * expected[0]);
    CHECK(std::abs(alone.one - expected[1]) <= 1e-12 * expected[1]);
    CHECK(alone.zero == together.zero && alone.one == together.one);
}

template <class Real>
void check_collapse(const Amplitudes<Real>& before, int threads, ionbox::Collapse<Real> how) {
    Amplitudes<Real> after = before;
    ionbox::collapse(parts(after), after.size(), how, threads);
    for (std::size_t k = 0; k < after.size(); ++k) {
        int value = static_cast<int>(k >> how.qubit & 1);
        bool is_kept = how.is_reset ? value == 0 : value == how.outcome;
        std::size_t from = k;
        if (how.is_reset) from |= static_cast<std::size_t>(how.outcome) << how.qubit;
        CHECK(after[k] == (is_kept ? how.factor * before[from] : std::complex<Real>(0)));
    }
}

template <class Real>
void check_all(Random& random, int num_qubits) {
    Amplitudes<Real> state = random_amplitudes<Real>(random, num_qubits);
    for (int qubit : {0, num_qubits / 2, num_qubits - 1}) {
        check_norms(state, qubit);
        for (int outcome : {0, 1})
            for (bool is_reset : {false, true})
                for (int threads : {1, 3})
                    check_collapse<Real>(state, threads, {qubit, outcome, 1.25, is_reset});
    }
}

}  // namespace

TEST(a_measured_qubit_keeps_what_its_outcome_says) {
    Random random(1);
    for (int num_qubits : {1, 2, 5, 9, 18}) {
        check_all<float>(random, num_qubits);
        check_all<double>(random, num_qubits);
    }
}

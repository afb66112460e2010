// Circuits of gates end to end, and states that are evolved in place.
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>

#include "check.hpp"
#include "packed.hpp"
#include "reference.hpp"
#include "simulate.hpp"

namespace {

#ifdef __SANITIZE_THREAD__
constexpr int most_qubits = 15;
#else
constexpr int most_qubits = 17;
#endif

// A circuit as gates, and what they mean.
struct Pair {
    Packed gates;
    Circuit meaning;

    explicit Pair(int num_qubits) : gates(num_qubits), meaning{num_qubits, {}} {}

    void add(std::string_view gate, const Step& step, const std::vector<double>& params = {}) {
        gates.add(gate, step.targets, step.controls, params);
        meaning.steps.push_back(step);
    }

    // exp(-i angle P), P of the same letter on all targets.
    void add_word(std::string_view gate, Step step, double angle, Mask letter) {
        step.entries = {std::polar(1.0, angle)};
        step.x = letter & 1 ? mask_of(step.targets) : 0;
        step.z = letter & 2 ? mask_of(step.targets) : 0;
        add(gate, step, {2 * angle});
    }

    // A term of Paulis, each 0 I, 1 X, 2 Y, 3 Z.
    void add_pauliexp(Step step, const std::vector<std::uint8_t>& paulis, double angle) {
        gates.add("qis.pauliexp", step.targets, step.controls, {angle / 2, 2}, paulis);
        step.entries = {std::polar(1.0, angle)};
        for (std::size_t k = 0; k < paulis.size(); ++k) {
            Mask qubit = ionbox::bit(step.targets[k]);
            if (paulis[k] == 1 || paulis[k] == 2) step.x |= qubit;
            if (paulis[k] >= 2) step.z |= qubit;
        }
        meaning.steps.push_back(step);
    }
};

const std::vector<Complex> h = {M_SQRT1_2, M_SQRT1_2, M_SQRT1_2, -M_SQRT1_2}, x = {0, 1, 1, 0};

void add_random_gate(Random& random, Pair& pair, const std::vector<int>& qubits) {
    int num_qubits = static_cast<int>(qubits.size()), kind = random.below(num_qubits < 3 ? 2 : 8);
    std::vector<int> chosen = random.qubits(num_qubits, num_qubits < 3 ? 1 : 3);
    for (int& qubit : chosen) qubit = qubits[static_cast<std::size_t>(qubit)];
    double angle = std::arg(random.phase());
    if (kind == 0) return pair.add("qis.h", {{chosen[0]}, {}, h});
    if (kind == 1) {
        double c = std::cos(angle), s = std::sin(angle);
        return pair.add("qis.ry", {{chosen[0]}, {}, {c, -s, s, c}}, {2 * angle});
    }
    if (kind == 2) return pair.add("qis.cnot", {{chosen[0]}, {chosen[1]}, x});
    if (kind == 3) return pair.add("qis.swap", {{chosen[0], chosen[1]}, {}, swap_entries});
    if (kind == 4) return pair.add("qis.swap", {{chosen[0], chosen[1]}, {chosen[2]}, swap_entries});
    if (kind == 5) return pair.add_word("qis.yy", {{chosen[0], chosen[1]}, {}, {}}, angle, 3);
    if (kind == 6) return pair.add_word("qis.zz", {{chosen[0], chosen[1]}, {}, {}}, angle, 2);
    std::vector<std::uint8_t> paulis;
    for (int k = 0; k < 3; ++k) paulis.push_back(static_cast<std::uint8_t>(random.below(4)));
    pair.add_pauliexp({chosen, {}, {}}, paulis, angle);
}

// Gates within sets of qubits that share none; the swaps at the end mingle them.
Pair random_pair(Random& random, int num_qubits, int num_sets) {
    Pair pair(num_qubits);
    std::vector<int> all = random.qubits(num_qubits, num_qubits);
    std::vector<std::vector<int>> sets(static_cast<std::size_t>(num_sets));
    for (std::size_t k = 0; k < all.size(); ++k) sets[k % sets.size()].push_back(all[k]);
    for (const std::vector<int>& set : sets)
        for (int k = 0; k < 25 && !set.empty(); ++k) add_random_gate(random, pair, set);
    for (int k = 0; k < num_qubits / 2; ++k) {
        std::vector<int> two = random.qubits(num_qubits, 2);
        pair.add("qis.swap", {two, {}, swap_entries});
    }
    return pair;
}

template <class Real>
void check_simulate(const Pair& pair, const std::vector<Complex>& expected, int threads) {
    for (const ionbox::Variant* variant : ionbox::variants()) {
        ionbox::Progress progress;
        auto found = ionbox::simulate<Real>(pair.gates.circuit(), {*variant, threads, progress});
        CHECK(progress.done == progress.total);
        for (std::size_t k = 0; k < expected.size(); ++k)
            CHECK(std::abs(static_cast<double>(found[k]) - std::norm(expected[k])) <
                  (sizeof(Real) == 4 ? 2e-6 : 1e-13));
    }
}

void check_pair(const Pair& pair) {
    std::vector<Complex> expected = reference(pair.meaning);
    check_simulate<float>(pair, expected, 1);
    check_simulate<float>(pair, expected, 3);
    check_simulate<double>(pair, expected, 2);
}

// Apply a circuit to what is 0 where a qubit that is not live is 1, and is no number in memory.
template <class Real>
void check_evolve(const Pair& pair, const std::vector<Complex>& before, Mask live,
                  const ionbox::Variant& variant) {
    std::vector<Complex> expected = before;
    for (const Step& step : pair.meaning.steps) apply(step, expected);
    std::vector<std::complex<Real>> state(before.begin(), before.end());
    for (std::size_t k = 0; k < state.size(); ++k)
        if (k & ~live) state[k] = std::numeric_limits<Real>::quiet_NaN();
    ionbox::Progress progress;
    ionbox::evolve<Real>(pair.gates.circuit(), reinterpret_cast<Real*>(state.data()), live,
                         {variant, 2, progress});
    for (const Step& step : pair.meaning.steps)
        live |= mask_of(step.targets) | mask_of(step.controls);
    for (std::size_t k = 0; k < state.size(); ++k)
        CHECK(k & ~live ||
              std::abs(Complex(state[k]) - expected[k]) < (sizeof(Real) == 4 ? 1e-5 : 1e-13));
}

std::vector<Complex> random_state(Random& random, int num_qubits, Mask live) {
    std::vector<Complex> state(std::size_t{1} << num_qubits);
    double scale = std::pow(0.5, 0.5 * std::popcount(live));
    for (std::size_t k = 0; k < state.size(); ++k)
        if (!(k & ~live)) state[k] = scale * random.phase();
    return state;
}

}  // namespace

TEST(gates_make_the_weights_that_they_mean) {
    Random random(1);
    for (int num_qubits = 1; num_qubits <= 9; ++num_qubits)
        for (int num_sets = 1; num_sets <= 3; ++num_sets)
            check_pair(random_pair(random, num_qubits, num_sets));
}

TEST(swaps_over_many_tiles_make_the_weights_that_they_mean) {
    Random random(2);
    for (int num_qubits = 14; num_qubits <= most_qubits; ++num_qubits)
        check_pair(random_pair(random, num_qubits, 1 + num_qubits % 2));
}

TEST(no_gates_leave_the_ground_state) {
    for (int num_qubits : {1, 4, 15}) check_pair(Pair(num_qubits));
    check_simulate<double>(Pair(0), {1}, 1);
}

TEST(a_word_of_i_is_a_global_phase) {
    Pair pair(2);
    pair.add_pauliexp({{0, 1}, {}, {}}, {0, 0}, 0.4);
    check_pair(pair);
    for (const ionbox::Variant* variant : ionbox::variants())
        check_evolve<double>(pair, {1, 0, 0, 0}, 0, *variant);
}

TEST(qubits_that_are_not_live_are_not_read) {
    Random random(3);
    for (int num_qubits : {1, 2, 3, 6, 10, most_qubits})
        for (int num_live : {0, num_qubits / 2, num_qubits}) {
            Pair pair = random_pair(random, num_qubits, 2);
            Mask live = mask_of(random.qubits(num_qubits, num_live));
            auto before = random_state(random, num_qubits, live);
            for (const ionbox::Variant* variant : ionbox::variants()) {
                check_evolve<float>(pair, before, live, *variant);
                check_evolve<double>(pair, before, live, *variant);
            }
        }
}

TEST(effort_adds_the_components_as_shares_of_the_state) {
    Packed circuit(17);
    const ionbox::Variant& variant = *ionbox::variants()[0];
    CHECK(ionbox::effort<float>(circuit.circuit(), variant).stages == 0);
    circuit.add("qis.h", {0}).add("qis.h", {16});
    ionbox::Effort two = ionbox::effort<float>(circuit.circuit(), variant);
    CHECK(two.stages == 1);
    CHECK(two.passes == 2 * std::ldexp(1.0, 1 - 17));
}

#include <algorithm>

#include "check.hpp"
#include "packed.hpp"
#include "reference.hpp"
#include "sum_tree.hpp"
#include "trajectories.hpp"

namespace {

using ionbox::all_bits;

constexpr double quarter = std::numbers::pi / 2;
constexpr std::string_view paulis[] = {"", "qis.x", "qis.y", "qis.z"};

// Channels, one after each operation, on its first one or two qubits, and errors of them.
struct Errors {
    std::vector<std::int32_t> after, qubits, qubit_starts{0};
    std::vector<std::int64_t> shots, channels;
    std::vector<std::uint64_t> paulis;

    Errors(const Packed& packed, std::size_t num_shots, int one_in, Random& random) {
        for (std::size_t k = 0; k < packed.gates.size(); ++k) {
            std::int32_t first = packed.qubit_starts[k];
            std::int32_t width = std::min(packed.qubit_starts[k + 1] - first, 2);
            after.push_back(static_cast<std::int32_t>(k) + 1);
            for (std::int32_t j = 0; j < width; ++j)
                qubits.push_back(packed.qubits[static_cast<std::size_t>(first + j)]);
            qubit_starts.push_back(static_cast<std::int32_t>(qubits.size()));
        }
        for (std::size_t shot = 0; shot < num_shots; ++shot)
            for (std::size_t channel = 0; channel < after.size(); ++channel) {
                if (random.below(one_in)) continue;
                int width = qubit_starts[channel + 1] - qubit_starts[channel];
                shots.push_back(static_cast<std::int64_t>(shot));
                channels.push_back(static_cast<std::int64_t>(channel));
                int kinds = (1 << 2 * width) - 1;
                paulis.push_back(static_cast<std::uint64_t>(1 + random.below(kinds)));
            }
    }

    ionbox::Errors view() const {
        return {after.data(), qubits.data(),   qubit_starts.data(), shots.size(),
                shots.data(), channels.data(), paulis.data()};
    }
};

// Add a random gate; of a Clifford circuit, one of those.
void add_gate(Packed& packed, Random& random, bool is_clifford) {
    int n = packed.num_qubits, width = std::min(n, 3);
    std::vector<int> q = random.qubits(n, width);
    double angle = is_clifford ? quarter * random.below(4) : random.below(1000) * 0.01;
    switch (random.below(n == 1 ? 5 : n == 2 ? 9 : is_clifford ? 9 : 12)) {
        case 0: packed.add("qis.h", {q[0]}); return;
        case 1: packed.add("qis.s", {q[0]}); return;
        case 2: packed.add("qis.rx", {q[0]}, {}, {angle}); return;
        case 3: packed.add("qis.ry", {q[0]}, {}, {angle}); return;
        case 4: packed.add("qis.rz", {q[0]}, {}, {angle}); return;
        case 5: packed.add("qis.x", {q[0]}, {q[1]}); return;
        case 6: packed.add("qis.z", {q[0]}, {q[1]}, {2 * quarter}); return;
        case 7: packed.add("qis.swap", {q[0], q[1]}); return;
        case 8: packed.add("qis.xx", {q[0], q[1]}, {}, {angle}); return;
        case 9: packed.add("qis.x", {q[0]}, {q[1], q[2]}); return;
        case 10: packed.add("qis.ry", {q[0]}, {q[2]}, {angle}); return;
        case 11:  // words that do not commute: XZ and YI
            packed.add("qis.pauliexp", {q[0], q[1]}, {}, {0.3, 0.9, 1.1}, {3, 1, 0, 2});
    }
}

Packed circuit(int num_qubits, int num_gates, Random& random, bool is_clifford = false) {
    Packed packed(num_qubits);
    for (int k = 0; k < num_gates; ++k) add_gate(packed, random, is_clifford);
    return packed;
}

// A gate of another circuit, as it is there.
void add_copy(Packed& packed, const Packed& from, std::size_t k) {
    auto slice = [k](const auto& values, const std::vector<std::int32_t>& starts) {
        return std::vector(values.begin() + starts[k], values.begin() + starts[k + 1]);
    };
    std::vector<int> qubits = slice(from.qubits, from.qubit_starts);
    auto middle = qubits.begin() + from.num_targets[k];
    packed.add(ionbox::gate_rows()[static_cast<std::size_t>(from.gates[k])],
               {qubits.begin(), middle}, {middle, qubits.end()},
               slice(from.params, from.param_starts), slice(from.paulis, from.pauli_starts));
}

// The circuit of one shot: its errors are gates.
Packed with_errors(const Packed& packed, const Errors& errors, std::size_t shot) {
    Packed found(packed.num_qubits);
    for (std::size_t k = 0; k < packed.gates.size(); ++k) {
        add_copy(found, packed, k);
        for (std::size_t error = 0; error < errors.shots.size(); ++error) {
            if (errors.shots[error] != static_cast<std::int64_t>(shot)) continue;
            if (errors.channels[error] != static_cast<std::int64_t>(k)) continue;
            std::uint64_t letters = errors.paulis[error];
            for (std::int32_t j = errors.qubit_starts[k]; j < errors.qubit_starts[k + 1];
                 ++j, letters >>= 2) {
                std::string_view pauli = paulis[letters & 3];
                std::vector<double> params(pauli == "qis.z" ? 1 : 0, 2 * quarter);
                if (letters & 3)
                    found.add(pauli, {errors.qubits[static_cast<std::size_t>(j)]}, {}, params);
            }
        }
    }
    return found;
}

std::uint64_t found_at(double uniform, const Packed& packed) {
    ionbox::Progress progress;
    auto weights =
        ionbox::simulate<double>(packed.circuit(), {*ionbox::variants()[0], 1, progress});
    std::size_t size = std::size_t{1} << packed.num_qubits;
    double sum = 0;
    for (std::size_t k = 0; k < size; ++k)
        if ((sum += weights[k]) > uniform) return k;
    return size - 1;
}

std::vector<double> some_uniforms(std::size_t count, Random& random) {
    std::vector<double> uniforms;
    for (std::size_t k = 0; k < count; ++k)
        uniforms.push_back((random.below(1 << 20) + 0.5) / (1 << 20));
    return uniforms;
}

template <class Real>
std::vector<std::uint64_t> followed(
    const Packed& packed, const Errors& errors, const std::vector<double>& uniforms,
    const ionbox::Variant& variant, int threads) {
    std::vector<std::uint64_t> drawn(uniforms.size());
    ionbox::Progress progress;
    ionbox::follow<Real>(packed.circuit(), errors.view(), uniforms.data(), uniforms.size(),
                         drawn.data(), {variant, threads, progress});
    CHECK(progress.done == uniforms.size() && progress.total == uniforms.size());
    return drawn;
}

// Compare with the circuits of all shots, one by one.
void check_shots(const Packed& packed, std::size_t num_shots, Random& random) {
    Errors errors(packed, num_shots, 6, random);
    std::vector<double> uniforms = some_uniforms(num_shots, random);
    std::vector<std::uint64_t> expected;
    for (std::size_t shot = 0; shot < num_shots; ++shot)
        expected.push_back(found_at(uniforms[shot], with_errors(packed, errors, shot)));
    for (const ionbox::Variant* variant : ionbox::variants()) {
        CHECK(followed<double>(packed, errors, uniforms, *variant, 1) == expected);
        CHECK(followed<float>(packed, errors, uniforms, *variant, 2) == expected);
    }
}

}  // namespace

TEST(shots_are_those_of_circuits_with_the_errors_as_gates) {
    Random random(1);
    for (int round = 0; round < 40; ++round)
        check_shots(circuit(1 + round % 6, 15, random), 20, random);
}

TEST(shots_of_a_large_state_are_those_of_circuits_with_the_errors_as_gates) {
    Random random(2);
    check_shots(circuit(15, 40, random), 12, random);
}

TEST(any_number_of_threads_follows_the_same_shots) {
    Random random(3);
    Packed packed = circuit(5, 40, random);
    Errors errors(packed, 500, 20, random);
    std::vector<double> uniforms = some_uniforms(500, random);
    const ionbox::Variant& variant = *ionbox::variants()[0];

    std::vector<std::uint64_t> alone = followed<double>(packed, errors, uniforms, variant, 1);

    for (int threads : {2, 3, 8})
        CHECK(followed<double>(packed, errors, uniforms, variant, threads) == alone);
}

TEST(all_shots_of_a_clifford_circuit_have_one_state) {
    Random random(4);
    Packed packed = circuit(5, 60, random, true);
    Errors errors(packed, 100, 10, random);

    ionbox::Passage passage = ionbox::passage_of(packed.circuit());
    ionbox::Patterns patterns = ionbox::patterns_of(passage, errors.view(), 100);

    CHECK(passage.act_of_bit.empty() && patterns.size() == 1);
    CHECK(std::any_of(patterns.flips.begin(), patterns.flips.end(), [](Mask x) { return x != 0; }));
    check_shots(packed, 20, random);
}

TEST(every_shot_has_one_pattern_and_patterns_ascend) {
    Random random(5);
    Packed packed = circuit(6, 150, random);  // more bits than a word has
    Errors errors(packed, 300, 50, random);

    ionbox::Passage passage = ionbox::passage_of(packed.circuit());
    ionbox::Patterns patterns = ionbox::patterns_of(passage, errors.view(), 300);

    CHECK(patterns.num_words > 1);
    std::vector<std::size_t> shots = patterns.shots;
    std::sort(shots.begin(), shots.end());
    for (std::size_t k = 0; k < 300; ++k) CHECK(shots[k] == k);
    for (std::size_t k = 0; k + 1 < patterns.size(); ++k)
        CHECK(std::lexicographical_compare(patterns.pattern(k), patterns.pattern(k + 1),
                                           patterns.pattern(k + 1),
                                           patterns.pattern(k + 1) + patterns.num_words));
}

TEST(phases_at_the_end_are_left_out) {
    Packed packed(3);
    packed.add("qis.ry", {0}, {}, {0.3}).add("qis.rz", {0}, {}, {0.7}).add("qis.x", {1}, {0});
    packed.add("qis.rz", {1}, {}, {0.7}).add("qis.rx", {2}, {}, {0.4});

    ionbox::Passage passage = ionbox::passage_of(packed.circuit());

    CHECK(passage.acts.size() == 3);
    CHECK((passage.first_act == std::vector<std::uint32_t>{0, 1, 1, 2, 2, 3}));
}

TEST(a_point_is_found_among_weights_in_the_order_of_flipped_bits) {
    Random random(6);
    for (int num_bits : {0, 1, 3, 6}) {
        ionbox::SumTree tree(num_bits);
        for (std::size_t k = 0; k < tree.size(); ++k) tree.weights()[k] = random.below(3);
        tree.weights()[tree.size() / 2] = 1;
        tree.add_up();
        for (Mask flips = 0; flips <= all_bits(num_bits); ++flips) {
            double below = 0;
            for (std::size_t k = 0; k < tree.size(); ++k) {
                double weight = tree.weights()[k ^ flips], point = below + weight / 2;
                if (weight > 0) CHECK(tree.find(point, flips) == (k ^ flips));
                below += weight;
            }
            double end = tree.total();  // as rounding may have it
            CHECK(tree.weights()[tree.find(end, flips)] > 0);
        }
    }
}

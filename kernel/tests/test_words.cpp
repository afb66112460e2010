// Noisy circuits against ideal ones: a channel is the sum of what its Pauli errors do.
#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <stdexcept>

#include "check.hpp"
#include "packed.hpp"
#include "reference.hpp"
#include "simulate.hpp"
#include "words.hpp"

namespace {

constexpr double exact = 1e-12;

struct PackedChannels {
    std::vector<std::int32_t> after, qubits, starts{0};
    std::vector<double> factors;

    PackedChannels& add(int place, const std::vector<int>& own, const std::vector<double>& left) {
        after.push_back(place);
        qubits.insert(qubits.end(), own.begin(), own.end());
        starts.push_back(static_cast<std::int32_t>(qubits.size()));
        for (std::size_t k = 0; k < 3; ++k) factors.push_back(left[left.size() == 3 ? k : 0]);
        return *this;
    }

    ionbox::Channels channels() const {
        return {after.size(), after.data(), qubits.data(), starts.data(), factors.data()};
    }
};

std::vector<double> ideal(const Packed& packed) {
    ionbox::Progress progress;
    auto weights = ionbox::simulate<double>(packed.circuit(),
                                            {*ionbox::variants().front(), 1, progress});
    return {weights.get(), weights.get() + (std::size_t{1} << packed.num_qubits)};
}

std::vector<double> noisy(const Packed& packed, const PackedChannels& channels,
                          const ionbox::Variant& variant, int threads = 1) {
    return ionbox::mix(packed.circuit(), channels.channels(), variant, threads);
}

void check_equal(const std::vector<double>& found, const std::vector<double>& expected) {
    CHECK(found.size() == expected.size());
    for (std::size_t k = 0; k < found.size(); ++k) CHECK(std::abs(found[k] - expected[k]) < exact);
}

void add_random(Packed& packed, Random& random) {
    int n = packed.num_qubits;
    auto angle = [&] { return std::arg(random.phase()); };
    auto some = [&](int count) { return random.qubits(n, std::min(count, n)); };
    int kind = random.below(n < 2 ? 3 : 9);
    std::vector<int> qubits = some(1 + random.below(n));
    std::vector<int> controls(qubits.begin() + 1, qubits.end());
    switch (kind) {
        case 0: packed.add("qis.ry", {qubits[0]}, {}, {angle()}); break;
        case 1: packed.add("qis.rz", {qubits[0]}, {}, {angle()}); break;
        case 2: packed.add("qis.rx", {qubits[0]}, controls, {angle()}); break;
        case 3: packed.add("qis.x", {qubits[0]}, controls); break;
        case 4: packed.add("qis.z", {qubits[0]}, controls, {angle()}); break;
        case 5: packed.add("qis.yy", some(2), {}, {angle()}); break;
        case 6: packed.add("qis.swap", some(2)); break;
        case 7: {  // words that do not commute, on two targets
            qubits = some(2 + random.below(n - 1));
            controls.assign(qubits.begin() + 2, qubits.end());
            packed.add("qis.pauliexp", {qubits[0], qubits[1]}, controls, {0.4, 0.7, 1.1},
                       {1, 3, 2, 0});
            break;
        }
        default: {
            std::vector<std::uint8_t> letters;
            for (std::size_t k = 0; k < qubits.size(); ++k)
                letters.push_back(static_cast<std::uint8_t>(random.below(4)));
            packed.add("qis.pauliexp", qubits, {}, {0.6, angle()}, letters);
        }
    }
}

Packed random_circuit(Random& random, int num_qubits, int num_operations) {
    Packed packed(num_qubits);
    for (int qubit = 0; qubit < num_qubits; ++qubit)
        packed.add("qis.ry", {qubit}, {}, {0.4 + 0.3 * qubit});
    for (int k = 0; k < num_operations; ++k) add_random(packed, random);
    return packed;
}

// Operations of one circuit, a Pauli word on some qubits, and those of another.
Packed joined(const Packed& before, const std::vector<int>& qubits, std::size_t word,
              const Packed& after) {
    Packed whole = before;
    for (std::size_t k = 0; k < qubits.size(); ++k)
        switch (word >> 2 * k & 3) {
            case 1: whole.add("qis.x", {qubits[k]}); break;
            case 2: whole.add("qis.y", {qubits[k]}); break;
            case 3: whole.add("qis.z", {qubits[k]}, {}, {std::numbers::pi}); break;
        }
    auto append = [](auto& to, const auto& more, auto& starts, const auto& more_starts) {
        for (std::size_t k = 1; k < more_starts.size(); ++k)
            starts.push_back(static_cast<std::int32_t>(to.size()) + more_starts[k]);
        to.insert(to.end(), more.begin(), more.end());
    };
    append(whole.qubits, after.qubits, whole.qubit_starts, after.qubit_starts);
    append(whole.params, after.params, whole.param_starts, after.param_starts);
    append(whole.paulis, after.paulis, whole.pauli_starts, after.pauli_starts);
    whole.gates.insert(whole.gates.end(), after.gates.begin(), after.gates.end());
    whole.num_targets.insert(whole.num_targets.end(), after.num_targets.begin(),
                             after.num_targets.end());
    return whole;
}

// What is left of each word after a channel that makes each word an error with these weights.
std::vector<double> left_of(const std::vector<double>& weights) {
    if (weights.size() > 4) return {1 - weights[1] * static_cast<double>(weights.size())};
    return {1 - 2 * (weights[2] + weights[3]), 1 - 2 * (weights[1] + weights[3]),
            1 - 2 * (weights[1] + weights[2])};
}

void check_channel(Random& random, int num_qubits, const std::vector<double>& weights) {
    Packed before = random_circuit(random, num_qubits, 8);
    Packed after = random_circuit(random, num_qubits, 8);
    int width = std::countr_zero(weights.size()) / 2;
    std::vector<int> qubits = random.qubits(num_qubits, width);
    std::vector<double> expected(std::size_t{1} << num_qubits);
    for (std::size_t word = 0; word < weights.size(); ++word) {
        std::vector<double> one = ideal(joined(before, qubits, word, after));
        for (std::size_t k = 0; k < one.size(); ++k) expected[k] += weights[word] * one[k];
    }
    PackedChannels channels;
    channels.add(static_cast<int>(before.gates.size()), qubits, left_of(weights));
    Packed whole = joined(before, qubits, 0, after);
    for (const ionbox::Variant* variant : ionbox::variants())
        check_equal(noisy(whole, channels, *variant), expected);
}

std::vector<double> alike(int width, double probability) {
    std::size_t count = std::size_t{1} << 2 * width;
    std::vector<double> weights(count, probability / static_cast<double>(count - 1));
    weights[0] = 1 - probability;
    return weights;
}

template <class Act>
bool is_refused(Act act) {
    try {
        act();
    } catch (const std::invalid_argument&) {
        return true;
    }
    return false;
}

Mask mask_of_step(const ionbox::WordStep& step) { return mask_of(step.qubits); }

}  // namespace

TEST(without_channels_words_give_what_amplitudes_give) {
    Random random(1);
    for (int num_qubits : {1, 2, 3, 4, 5, 6, 7, 8, 9})
        for (int round = 0; round < (num_qubits < 7 ? 8 : 2); ++round) {
            Packed packed = random_circuit(random, num_qubits, 25);
            for (const ionbox::Variant* variant : ionbox::variants())
                check_equal(noisy(packed, {}, *variant), ideal(packed));
        }
}

TEST(a_channel_is_the_sum_of_its_errors) {
    Random random(2);
    for (int num_qubits : {1, 2, 4, 5, 6}) {
        check_channel(random, num_qubits, {0.7, 0.05, 0.1, 0.15});
        for (int width = 1; width <= std::min(num_qubits, 4); ++width)
            check_channel(random, num_qubits, alike(width, 0.3));
    }
}

TEST(any_number_of_threads_gives_the_same_words) {
    Random random(3);
    Packed packed = random_circuit(random, 9, 40);
    PackedChannels channels;
    for (int place = 0; place < 49; ++place)
        channels.add(place, random.qubits(9, 1 + random.below(5)), {0.99});
    for (const ionbox::Variant* variant : ionbox::variants()) {
        std::vector<double> alone = noisy(packed, channels, *variant);
        CHECK(noisy(packed, channels, *variant, 3) == alone);
    }
}

TEST(what_acts_on_one_qubit_joins_what_comes_before_it) {
    Packed packed(2);
    packed.add("qis.h", {0}).add("qis.cnot", {1}, {0}).add("qis.rx", {1}, {}, {0.3});
    PackedChannels channels;
    channels.add(1, {0}, {0.9, 0.9, 0.8}).add(2, {0, 1}, {0.9}).add(2, {0}, {0.7, 0.8, 0.9});
    channels.add(3, {1}, {0.95, 0.95, 0.95});

    ionbox::Mixing mixing = ionbox::mixing_of(packed.circuit(), channels.channels());

    CHECK(mixing.steps.size() == 2);  // the cnot, and the rx
    CHECK(mixing.steps[0].qubits.size() == 2 && mixing.steps[1].qubits.size() == 1);
    CHECK(std::abs(mixing.letters[0][1] - 0.9) < exact);  // |+>, and its channel
    CHECK(std::abs(mixing.letters[0][3]) < exact);
}

TEST(stages_take_every_step_once_and_leave_each_qubit_its_order) {
    Random random(4);
    for (int num_qubits : {3, 5, 6, 7, 10}) {
        Packed packed = random_circuit(random, num_qubits, 60);
        ionbox::Mixing mixing = ionbox::mixing_of(packed.circuit(), {});
        ionbox::WordPlan plan = ionbox::plan_words(mixing.steps, num_qubits);
        std::vector<const ionbox::WordStep*> last(static_cast<std::size_t>(num_qubits), nullptr);
        std::size_t count = 0;
        std::size_t lanes = static_cast<std::size_t>(ionbox::lane_digits(num_qubits));
        for (const ionbox::WordStage& stage : plan.stages) {
            bool is_tiled = stage.steps.front()->kind == ionbox::WordKind::matrix;
            CHECK(is_tiled || stage.steps.size() == 1);
            Mask first_digits = 0;
            for (std::size_t lane = 0; lane < lanes; ++lane)
                first_digits |= ionbox::bit(stage.qubits[lane]);
            CHECK(mask_of(stage.qubits) == mask_of(stage.after));
            for (const ionbox::WordStep* step : stage.steps) {
                ++count;
                if (is_tiled) {
                    CHECK(!(mask_of_step(*step) & first_digits));
                    CHECK((mask_of_step(*step) & ~mask_of(stage.qubits)) == 0);
                }
                for (int qubit : step->qubits) {
                    const ionbox::WordStep*& before = last[static_cast<std::size_t>(qubit)];
                    CHECK(before == nullptr || before < step);  // as they lie in one array
                    before = step;
                }
            }
        }
        CHECK(count == mixing.steps.size());
    }
}

TEST(channels_on_qubits_that_are_not_there_are_refused) {
    Packed packed(2);
    packed.add("qis.h", {0});
    const ionbox::Variant& variant = *ionbox::variants().front();
    for (const std::vector<int>& qubits : {std::vector<int>{2}, {-1}, {1, 1}, {}}) {
        PackedChannels channels;
        channels.add(1, qubits, {0.9});
        CHECK(is_refused([&] { noisy(packed, channels, variant); }));
    }
}

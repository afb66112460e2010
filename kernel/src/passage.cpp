#include "passage.hpp"

#include <bit>
#include <cmath>
#include <utility>

#include "lowering.hpp"

namespace ionbox {
namespace {

constexpr double rounding = 1e-12;  // of an angle that is meant to be a quarter turn

bool is_near(Complex value, Complex other) { return std::abs(value - other) <= rounding; }

template <class Visit>
void for_each_bit(Mask mask, Visit visit) {
    for (; mask != 0; mask &= mask - 1) visit(std::countr_zero(mask));
}

// The word about which a phase turns; 0 if it is none.
Mask word_of_phase(const Operation& phase) {
    if (phase.controls == 0) return phase.parity;
    return phase.parity == 0 && std::has_single_bit(phase.controls) ? phase.controls : 0;
}

Act act_of_phase(Operation phase) {
    Mask word = word_of_phase(phase), qubits = phase.diagonal();
    if (word != 0) {
        Complex ratio = phase.controls != 0 ? phase.even : phase.odd / phase.even;
        if (is_near(ratio, -1)) return {std::move(phase), Passing::as_it_is, 0, word, 0, 0};
        bool is_quarter = is_near(ratio * ratio, -1);
        Passing passing = is_quarter ? Passing::by_word : Passing::by_turning;
        return {std::move(phase), passing, 0, word, 0, 0};
    }
    bool is_sign =
        phase.parity == 0 && std::popcount(phase.controls) == 2 && is_near(phase.even, -1);
    if (is_sign) return {std::move(phase), Passing::by_sign, 0, qubits, 0, 0};
    return {std::move(phase), Passing::not_at_all, qubits, 0, 0, 0};
}

Act act_of_flip(Operation flip) {
    Mask target = flip.mixed(), controls = flip.controls;
    if (controls == 0) return {std::move(flip), Passing::as_it_is, target, 0, 0, 0};
    if (std::has_single_bit(controls))
        return {std::move(flip), Passing::by_flip, target, controls, 0, 0};
    return {std::move(flip), Passing::not_at_all, controls, target, 0, 0};
}

Act act_of_rotation(Operation rotation) {
    Mask target = rotation.mixed(), qubits = target | rotation.diagonal();
    if (rotation.controls != 0)
        return {std::move(rotation), Passing::not_at_all, qubits, target, 0, 0};
    Mask z = rotation.parity | (rotation.kind == Kind::rotation_y ? target : 0);
    Passing passing = Passing::by_turning;
    if (std::abs(rotation.cosine) <= rounding) passing = Passing::as_it_is;
    if (std::abs(std::abs(rotation.cosine) - std::abs(rotation.sine)) <= rounding)
        passing = Passing::by_word;
    return {std::move(rotation), passing, target, z, 0, 0};
}

Act act_of(Operation operation) {
    switch (operation.kind) {
        case Kind::phase: return act_of_phase(std::move(operation));
        case Kind::flip: return act_of_flip(std::move(operation));
        case Kind::matrix: {
            Mask targets = operation.mixed(), qubits = targets | operation.controls;
            return {std::move(operation), Passing::not_at_all, qubits, targets, 0, 0};
        }
        default: return act_of_rotation(std::move(operation));
    }
}

bool is_nothing(const Operation& operation) {
    if (operation.kind == Kind::phase)
        return operation.diagonal() == 0 ||
               (is_near(operation.even, 1) && (operation.parity == 0 || is_near(operation.odd, 1)));
    bool is_rotation = operation.kind == Kind::rotation_x || operation.kind == Kind::rotation_y;
    return is_rotation && operation.controls == 0 && std::abs(operation.sine) <= rounding;
}

// Which acts change what is measured. Behind the last act that mixes a qubit, its phases do not,
// nor do those of a qubit that is flipped by one of which no phase does.
std::vector<bool> which_matter(const std::vector<Operation>& operations) {
    std::vector<bool> matters(operations.size(), true);
    Mask mixed_later = 0;
    for (std::size_t k = operations.size(); k-- > 0;) {
        const Operation& operation = operations[k];
        if (operation.kind == Kind::phase)
            matters[k] = (operation.diagonal() & mixed_later) != 0;
        else if (operation.kind != Kind::flip || (operation.controls & mixed_later) != 0)
            mixed_later |= operation.mixed();
    }
    return matters;
}

// Lower each operation by itself: errors may come between any two. Write where each one starts.
std::vector<Operation> lowered_one_by_one(
    const Circuit& circuit, std::vector<std::size_t>& starts) {
    std::vector<Operation> all;
    for (std::size_t k = 0; k < circuit.num_operations; ++k) {
        starts.push_back(all.size());
        Lowering lowering(circuit.num_qubits, false);
        add_gate(lowering, circuit, k);
        for (Operation& operation : lowering.finish().operations)
            if (!is_nothing(operation)) all.push_back(std::move(operation));
    }
    starts.push_back(all.size());
    return all;
}

}  // namespace

Passage passage_of(const Circuit& circuit) {
    std::vector<std::size_t> starts;
    std::vector<Operation> operations = lowered_one_by_one(circuit, starts);
    std::vector<bool> matters = which_matter(operations);
    Passage passage{circuit.num_qubits, {}, {}, {}};
    for (std::size_t k = 0, operation = 0; operation < starts.size(); ++k) {
        for (; operation < starts.size() && starts[operation] == k; ++operation)
            passage.first_act.push_back(static_cast<std::uint32_t>(passage.acts.size()));
        if (k == operations.size() || !matters[k]) continue;
        Act act = act_of(std::move(operations[k]));
        act.first_bit = static_cast<std::uint32_t>(passage.act_of_bit.size());
        if (act.passing == Passing::by_turning) act.num_bits = 1;
        if (act.passing == Passing::not_at_all)
            act.num_bits = static_cast<std::uint32_t>(std::popcount(act.x) + std::popcount(act.z));
        passage.act_of_bit.insert(passage.act_of_bit.end(), act.num_bits,
                                  static_cast<std::uint32_t>(passage.acts.size()));
        passage.acts.push_back(std::move(act));
    }
    return passage;
}

Operation turned_round(Operation rotation) {
    rotation.sine = -rotation.sine;
    if (rotation.controls != 0)
        rotation.even = std::conj(rotation.even);  // but for a factor of all amplitudes
    else
        std::swap(rotation.even, rotation.odd);
    return rotation;
}

Operation flip_of(int qubit) {
    Operation flip{.kind = Kind::flip};
    flip.targets[0] = qubit;
    return flip;
}

Operation sign_of(int qubit) {
    return {.kind = Kind::phase, .controls = bit(qubit), .even = -1};
}

void pass(const Act& act, std::uint64_t* x, std::uint64_t* z, std::uint64_t* bits) {
    auto differing = [&] {
        std::uint64_t odd = 0;
        for_each_bit(act.x, [&](int qubit) { odd ^= z[qubit]; });
        for_each_bit(act.z, [&](int qubit) { odd ^= x[qubit]; });
        return odd;
    };
    switch (act.passing) {
        case Passing::as_it_is: return;
        case Passing::by_flip: {
            int target = std::countr_zero(act.x), control = std::countr_zero(act.z);
            x[target] ^= x[control];
            z[control] ^= z[target];
            return;
        }
        case Passing::by_sign: {
            int low = std::countr_zero(act.z), high = std::countr_zero(act.z & (act.z - 1));
            z[low] ^= x[high];
            z[high] ^= x[low];
            return;
        }
        case Passing::by_word: {
            std::uint64_t odd = differing();
            for_each_bit(act.x, [&](int qubit) { x[qubit] ^= odd; });
            for_each_bit(act.z, [&](int qubit) { z[qubit] ^= odd; });
            return;
        }
        case Passing::by_turning: *bits = differing(); return;
        case Passing::not_at_all:
            for_each_bit(act.x, [&](int qubit) { *bits++ = std::exchange(x[qubit], 0); });
            for_each_bit(act.z, [&](int qubit) { *bits++ = std::exchange(z[qubit], 0); });
    }
}

}  // namespace ionbox

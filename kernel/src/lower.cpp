#include <bit>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "fusion.hpp"
#include "lowering.hpp"

namespace ionbox {
namespace {

constexpr Complex i{0, 1};
constexpr double rounding = 1e-15;  // of a product of a few matrices
constexpr int least_fused = 12;     // qubits: a matrix takes longer to make than small states gain

bool is_one(Complex value) {
    return std::abs(value.real() - 1) <= rounding && std::abs(value.imag()) <= rounding;
}

Matrix1 product(const Matrix1& left, const Matrix1& right) {
    return {left[0] * right[0] + left[1] * right[2], left[0] * right[1] + left[1] * right[3],
            left[2] * right[0] + left[3] * right[2], left[2] * right[1] + left[3] * right[3]};
}

}  // namespace

Lowering::Lowering(int num_qubits, bool may_rename)
    : may_rename_(may_rename), waiting_(static_cast<std::size_t>(num_qubits)) {
    for (int qubit = 0; qubit < num_qubits; ++qubit) place_of_.push_back(qubit);
}

void Lowering::add_phase(Mask controls, Mask parity, Complex even, Complex odd) {
    phase(places(controls), places(parity), even, odd);
}

void Lowering::add_matrix_1(Mask controls, int target, const Matrix1& matrix) {
    if (controls == 0) return join(place(target), matrix);
    turn(places(controls), place(target), matrix);
}

void Lowering::add_matrix_2(Mask controls, int low, int high, const Matrix& matrix) {
    Operation operation{.kind = Kind::matrix, .controls = places(controls)};
    operation.targets[0] = place(low);
    operation.targets[1] = place(high);
    operation.matrix = std::make_shared<const Matrix>(matrix);
    add(std::move(operation));
}

void Lowering::add_swap(Mask controls, int low, int high) {
    if (controls == 0 && may_rename_)
        return std::swap(place_of_[static_cast<std::size_t>(low)],
                         place_of_[static_cast<std::size_t>(high)]);
    flip(bit(place(low)), place(high));
    flip(bit(place(high)) | places(controls), place(low));
    flip(bit(place(low)), place(high));
}

// Flips turn the word into X or Y on one qubit, and Z on others, whose parity says which way to
// turn. A flip of t controlled by c turns X on c into X on both, and Z on t into Z on both; in
// i**|x & z| X**x Z**z that may leave a sign.
void Lowering::add_word(Mask controls, Mask x, Mask z, Complex turn) {
    controls = places(controls);
    x = places(x);
    z = places(z);
    if (x == 0) return phase(controls, z, std::conj(turn), turn);
    int pivot = std::countr_zero(x), quarter_turns = std::popcount(x & z);
    Mask others = x & ~bit(pivot);
    if (is_odd(z & others)) z ^= bit(pivot);
    bool is_y = z >> pivot & 1;
    if ((quarter_turns - is_y) & 2) turn = std::conj(turn);
    for (Mask rest = others; rest != 0; rest &= rest - 1) flip(bit(pivot), std::countr_zero(rest));
    rotate(is_y ? Kind::rotation_y : Kind::rotation_x, controls, pivot, turn, z & ~bit(pivot));
    for (Mask rest = others; rest != 0; rest = rest & ~std::bit_floor(rest))
        flip(bit(pivot), std::bit_width(rest) - 1);
}

Lowered Lowering::finish() {
    for (int target = 0; target < static_cast<int>(waiting_.size()); ++target) release(target);
    if (!may_rename_) phase(0, 0, global_, 1);
    int num_qubits = static_cast<int>(place_of_.size());
    if (num_qubits >= least_fused) operations_ = fuse_pairs(std::move(operations_), num_qubits);
    return {std::move(operations_), std::move(place_of_)};
}

Mask Lowering::places(Mask qubits) const {
    Mask mask = 0;
    for (; qubits != 0; qubits &= qubits - 1) mask |= bit(place(std::countr_zero(qubits)));
    return mask;
}

void Lowering::phase(Mask controls, Mask parity, Complex even, Complex odd) {
    if (is_one(even) && is_one(odd)) return;
    if (controls == 0 && parity == 0 && may_rename_) return;  // of all amplitudes
    Operation operation{.kind = Kind::phase, .controls = controls, .parity = parity};
    // diag(1, e) is the factor e where the qubit is 1: half of the amplitudes are left alone.
    if (is_one(even) && std::has_single_bit(parity)) {
        operation.controls |= parity;
        operation.parity = 0;
        even = odd;
    }
    operation.even = even;
    operation.odd = odd;
    add(std::move(operation));
}

void Lowering::flip(Mask controls, int target) {
    Operation operation{.kind = Kind::flip, .controls = controls};
    operation.targets[0] = target;
    add(std::move(operation));
    cancel_flips();
}

// Two equal flips with nothing between them on their qubits are nothing.
void Lowering::cancel_flips() {
    const Operation& last = operations_.back();
    Mask qubits = last.mixed() | last.controls;
    std::size_t count = operations_.size(), far = count > 8 ? count - 8 : 0;
    for (std::size_t k = count - 1; k-- > far;) {
        const Operation& other = operations_[k];
        if (!(qubits & (other.mixed() | other.diagonal()))) continue;
        bool is_same = other.kind == Kind::flip && other.controls == last.controls &&
                       other.targets[0] == last.targets[0];
        if (!is_same) return;
        operations_.pop_back();
        operations_.erase(operations_.begin() + static_cast<std::ptrdiff_t>(k));
        return;
    }
}

void Lowering::rotate(Kind kind, Mask controls, int target, Complex turn, Mask parity) {
    Operation operation{.kind = kind, .controls = controls, .parity = parity};
    operation.cosine = turn.real();
    operation.sine = turn.imag();
    operation.targets[0] = target;
    add(std::move(operation));
}

// Cut a unitary into g diag(1, a) R diag(1, b), R a rotation about Y or X. Of the four ways to do
// so, the first with two trivial phases is taken, or else with one.
void Lowering::turn(Mask controls, int target, const Matrix1& u) {
    double cosine = std::abs(u[0]), sine = std::abs(u[2]);
    if (sine <= rounding) return phase(controls, bit(target), u[0], u[3]);
    if (cosine <= rounding) {
        flip(controls, target);
        return phase(controls, bit(target), u[1], u[2]);
    }
    Complex g = u[0] / cosine, a = u[2] / (g * sine);
    // From the larger of the two entries that tell it: a small one knows its phase badly.
    Complex b = sine < cosine ? u[3] / (g * a * cosine) : -u[1] / (g * sine);
    struct Way {
        Kind kind;
        double sign;
        Complex a, b;
        int num_trivial() const { return is_one(a) + is_one(b); }
    };
    const Way ways[] = {{Kind::rotation_y, 1, a, b},
                        {Kind::rotation_x, 1, i * a, -i * b},
                        {Kind::rotation_y, -1, -a, -b},
                        {Kind::rotation_x, -1, -i * a, i * b}};
    const Way* best = &ways[0];
    for (const Way& way : ways)
        if (way.num_trivial() > best->num_trivial()) best = &way;
    phase(controls, bit(target), 1, best->b);
    rotate(best->kind, controls, target, {cosine, best->sign * sine});
    phase(controls, bit(target), 1, best->a);
    controls == 0 ? void(global_ *= g) : phase(controls, 0, g, 1);
}

void Lowering::join(int target, const Matrix1& matrix) {
    Waiting& before = waiting_[static_cast<std::size_t>(target)];
    before.matrix = before.is_set ? product(matrix, before.matrix) : matrix;
    before.is_set = true;
}

void Lowering::release(int target) {
    Waiting& waiting = waiting_[static_cast<std::size_t>(target)];
    if (!waiting.is_set) return;
    waiting.is_set = false;
    turn(0, target, waiting.matrix);
}

void Lowering::add(Operation operation) {
    for (Mask qubits = operation.mixed() | operation.diagonal(); qubits != 0; qubits &= qubits - 1)
        release(std::countr_zero(qubits));
    operations_.push_back(std::move(operation));
}

Lowered lower(const Circuit& circuit, bool may_rename) {
    Lowering lowering(circuit.num_qubits, may_rename);
    for (std::size_t k = 0; k < circuit.num_operations; ++k) add_gate(lowering, circuit, k);
    return lowering.finish();
}

}  // namespace ionbox

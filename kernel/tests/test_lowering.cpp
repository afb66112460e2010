// What operations become.
#include <algorithm>
#include <bit>
#include <cmath>
#include <stdexcept>

#include "check.hpp"
#include "packed.hpp"
#include "run.hpp"

using ionbox::bit;
using ionbox::Kind;
using ionbox::Operation;

namespace {

std::vector<Operation> operations_of(int num_qubits, std::vector<Step> steps) {
    return lowered({num_qubits, std::move(steps)}, true).operations;
}

long count_of(Kind kind, const std::vector<Operation>& operations) {
    return std::count_if(operations.begin(), operations.end(),
                         [=](const Operation& operation) { return operation.kind == kind; });
}

// The only operation, if it is of that kind.
Operation only(Kind kind, const std::vector<Operation>& operations) {
    CHECK(operations.size() == 1);
    CHECK(operations[0].kind == kind);
    return operations[0];
}

bool is_flip(const Operation& operation, Mask controls, int target) {
    return operation.kind == Kind::flip && operation.controls == controls &&
           operation.mixed() == bit(target);
}

const Complex i{0, 1};
const std::vector<Complex> x = {0, 1, 1, 0}, z = {1, 0, 0, -1};
const std::vector<Complex> h = {M_SQRT1_2, M_SQRT1_2, M_SQRT1_2, -M_SQRT1_2};
const std::vector<Complex> rx = {0.8, -0.6 * i, -0.6 * i, 0.8}, ry = {0.8, -0.6, 0.6, 0.8};

}  // namespace

TEST(an_x_and_a_cnot_are_flips) {
    CHECK(is_flip(only(Kind::flip, operations_of(3, {{{1}, {}, x}})), 0, 1));
    CHECK(is_flip(only(Kind::flip, operations_of(3, {{{1}, {2}, x}})), bit(2), 1));
}

TEST(a_diagonal_matrix_is_a_phase_where_its_qubit_is_1) {
    Operation phase = only(Kind::phase, operations_of(1, {{{0}, {}, z}}));
    CHECK(phase.mixed() == 0);
    CHECK(phase.controls == bit(0) && phase.parity == 0);
    CHECK(phase.even == -1.0);
}

TEST(a_controlled_diagonal_matrix_is_a_phase) {
    Operation phase = only(Kind::phase, operations_of(3, {{{0}, {2}, z}}));
    CHECK(phase.controls == (bit(0) | bit(2)));
    phase = only(Kind::phase, operations_of(3, {{{0}, {2}, {-i, 0, 0, i}}}));
    CHECK(phase.controls == bit(2) && phase.parity == bit(0));
    CHECK(phase.even == -i && phase.odd == i);
}

TEST(a_rotation_about_x_or_y_is_itself) {
    Operation rotation = only(Kind::rotation_x, operations_of(1, {{{0}, {}, rx}}));
    CHECK(std::abs(rotation.cosine - 0.8) < 1e-15 && std::abs(rotation.sine - 0.6) < 1e-15);
    rotation = only(Kind::rotation_y, operations_of(1, {{{0}, {}, ry}}));
    CHECK(std::abs(rotation.cosine - 0.8) < 1e-15 && std::abs(rotation.sine - 0.6) < 1e-15);
}

TEST(a_controlled_rotation_is_controlled) {
    Operation rotation = only(Kind::rotation_y, operations_of(2, {{{0}, {1}, ry}}));
    CHECK(rotation.controls == bit(1) && rotation.mixed() == bit(0));
}

TEST(an_h_is_a_phase_and_a_rotation_about_y) {
    auto operations = operations_of(1, {{{0}, {}, h}});
    CHECK(operations.size() == 2);
    CHECK(operations[0].kind == Kind::phase);
    CHECK(operations[1].kind == Kind::rotation_y);
}

TEST(a_unitary_is_a_rotation_between_two_phases) {
    Random random(1);
    for (int round = 0; round < 100; ++round) {
        auto operations = operations_of(2, {{{0}, {}, random.unitary_1()}});
        CHECK(operations.size() <= 3);
        CHECK(count_of(Kind::phase, operations) + 1 == std::ssize(operations));
        operations = operations_of(2, {{{0}, {1}, random.unitary_1()}});
        CHECK(operations.size() <= 4);  // what is global without the control is not with it
        CHECK(count_of(Kind::phase, operations) + 1 == std::ssize(operations));
    }
}

TEST(neighbours_on_one_qubit_are_multiplied) {
    auto operations = operations_of(2, {{{1}, {}, h}, {{0}, {}, ry}, {{1}, {}, z}, {{1}, {}, h}});
    CHECK(operations.size() == 2);
    CHECK(count_of(Kind::flip, operations) == 1);  // h z h is an x
    CHECK(count_of(Kind::rotation_y, operations) == 1);
    CHECK(operations_of(1, {{{0}, {}, h}, {{0}, {}, h}}).empty());
}

TEST(a_matrix_waits_for_its_qubit_only) {
    auto operations = operations_of(3, {{{0}, {}, ry}, {{2}, {1}, x}, {{0}, {}, ry}});
    CHECK(count_of(Kind::rotation_y, operations) == 1);
    operations = operations_of(3, {{{0}, {}, ry}, {{2}, {0}, x}, {{0}, {}, ry}});
    CHECK(count_of(Kind::rotation_y, operations) == 2);
    CHECK(is_flip(operations[1], bit(0), 2));
}

TEST(a_matrix_on_two_qubits_stays) {
    Random random(2);
    auto entries = random.unitary_2();
    Operation operation = only(Kind::matrix, operations_of(4, {{{3, 1}, {0}, entries}}));
    CHECK(operation.targets[0] == 3 && operation.targets[1] == 1);
    CHECK(operation.controls == bit(0));
    CHECK(std::equal(entries.begin(), entries.end(), operation.matrix->begin()));
}

TEST(a_swap_may_only_rename) {
    ionbox::Lowered renamed = lowered({3, {{{0, 2}, {}, swap_entries}, {{0}, {}, x}}}, true);
    CHECK((renamed.place_of == std::vector<int>{2, 1, 0}));
    CHECK(is_flip(only(Kind::flip, renamed.operations), 0, 2));
}

TEST(a_swap_that_may_not_rename_is_three_flips) {
    ionbox::Lowered moved = lowered({3, {{{0, 2}, {}, swap_entries}}}, false);
    CHECK((moved.place_of == std::vector<int>{0, 1, 2}));
    CHECK(moved.operations.size() == 3);
    CHECK(is_flip(moved.operations[0], bit(0), 2));
    CHECK(is_flip(moved.operations[1], bit(2), 0));
    CHECK(is_flip(moved.operations[2], bit(0), 2));
}

TEST(a_controlled_swap_is_three_flips_of_which_one_is_controlled) {
    ionbox::Lowered moved = lowered({3, {{{0, 2}, {1}, swap_entries}}}, true);
    CHECK((moved.place_of == std::vector<int>{0, 1, 2}));
    CHECK(moved.operations.size() == 3);
    CHECK(is_flip(moved.operations[0], bit(0), 2));
    CHECK(is_flip(moved.operations[1], bit(1) | bit(2), 0));
    CHECK(is_flip(moved.operations[2], bit(0), 2));
}

TEST(a_word_of_z_is_a_phase_by_parity) {
    Step word{{}, {3}, {{0.8, 0.6}}, 0, 0b101};
    Operation phase = only(Kind::phase, operations_of(4, {word}));
    CHECK(phase.controls == bit(3) && phase.parity == 0b101);
    CHECK(phase.even == Complex(0.8, -0.6) && phase.odd == Complex(0.8, 0.6));
}

// What stands around the rotation undoes itself, so that only the rotation is controlled.
TEST(a_word_is_one_rotation_between_flips) {
    for (Mask x_mask = 1; x_mask < 16; ++x_mask)
        for (Mask z_mask = 0; z_mask < 16; ++z_mask) {
            auto found = operations_of(5, {{{}, {4}, {{0.8, 0.6}}, x_mask, z_mask}});
            std::size_t middle = found.size() / 2;
            CHECK(found.size() % 2 == 1);
            CHECK(found[middle].kind == Kind::rotation_x || found[middle].kind == Kind::rotation_y);
            CHECK(found[middle].controls == bit(4));
            CHECK(count_of(Kind::phase, found) == 0);
            for (std::size_t k = 0; k < middle; ++k) {
                const Operation &left = found[k], &right = found[found.size() - 1 - k];
                CHECK(left.kind == Kind::flip && left.mixed() == right.mixed());
                CHECK(left.kind == right.kind);
                CHECK(left.diagonal() == right.diagonal() && !(left.diagonal() & bit(4)));
            }
        }
}

TEST(a_phase_of_one_is_nothing) {
    CHECK(operations_of(2, {{{0, 1}, {}, {1, 1}}}).empty());
}

TEST(a_global_phase_stays_where_amplitudes_are_wanted) {
    Circuit circuit{1, {{{0}, {}, {i * 0.8, -i * 0.6, i * 0.6, i * 0.8}}}};
    CHECK(lowered(circuit, true).operations.size() == 1);
    auto operations = lowered(circuit, false).operations;
    CHECK(operations.size() == 2);
    CHECK(operations[1].kind == Kind::phase && operations[1].diagonal() == 0);
    CHECK(std::abs(operations[1].even - i) < 1e-15);
}

TEST(what_does_not_fit_the_gate_table_is_refused) {
    auto is_refused = [](const Packed& packed) {
        try {
            ionbox::lower(packed.circuit(), true);
        } catch (const std::invalid_argument&) {
            return true;
        }
        return false;
    };
    CHECK(!is_refused(Packed(2).add("qis.cnot", {0}, {1})));
    CHECK(is_refused(Packed(2).add("qis.cnot", {0}, {0})));
    CHECK(is_refused(Packed(2).add("qis.h", {2})));
    CHECK(is_refused(Packed(2).add("qis.h", {-1})));
    CHECK(is_refused(Packed(2).add("qis.h", {0, 1})));
    CHECK(is_refused(Packed(2).add("qis.rx", {0})));
    CHECK(is_refused(Packed(2).add("qis.pauliexp", {0}, {}, {1.0})));
    Packed unknown = Packed(2).add("qis.h", {0});
    unknown.gates[0] = static_cast<std::int16_t>(ionbox::gate_rows().size());
    CHECK(is_refused(unknown));
}

// What operations become.
#include "check.hpp"
#include "reference.hpp"

using ionbox::bit;
using ionbox::Kind;
using ionbox::Operation;

namespace {

std::vector<Operation> lowered(int num_qubits, std::vector<Step> steps) {
    Arrays arrays(Circuit{num_qubits, std::move(steps)});
    return ionbox::lower(arrays.packed(), num_qubits);
}

const std::vector<Complex> x = {0, 1, 1, 0}, z = {1, 0, 0, -1};
const std::vector<Complex> h = {M_SQRT1_2, M_SQRT1_2, M_SQRT1_2, -M_SQRT1_2};

}  // namespace

TEST(a_cnot_is_a_flip) {
    auto operations = lowered(3, {{{1}, {2}, x}});
    CHECK(operations.size() == 1);
    CHECK(operations[0].kind == Kind::flip);
    CHECK(operations[0].targets[0] == 1);
    CHECK(operations[0].controls == bit(2));
}

TEST(a_diagonal_matrix_is_a_phase) {
    auto operations = lowered(3, {{{0}, {}, z}});
    CHECK(operations.size() == 1);
    CHECK(operations[0].kind == Kind::phase);
    CHECK(operations[0].targets_mask() == 0);
    CHECK(operations[0].diagonal() == bit(0));
}

TEST(a_controlled_diagonal_matrix_is_a_phase) {
    auto operations = lowered(3, {{{0}, {2}, z}});
    CHECK(operations.size() == 1);
    CHECK(operations[0].kind == Kind::phase);
    CHECK(operations[0].diagonal() == (bit(0) | bit(2)));
}

TEST(a_diagonal_matrix_by_parity_is_a_phase) {
    auto operations = lowered(
        2, {{{0, 1}, {}, {1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1}}});
    CHECK(operations.size() == 1);
    CHECK(operations[0].kind == Kind::phase);
    CHECK(operations[0].diagonal() == (bit(0) | bit(1)));
}

TEST(neighbours_on_one_qubit_are_multiplied) {
    auto operations = lowered(2, {{{1}, {}, h}, {{0}, {}, h}, {{1}, {}, z}, {{1}, {}, h}});
    CHECK(operations.size() == 2);  // h z h is an x, but for rounding
    CHECK((operations[0].targets_mask() | operations[1].targets_mask()) == (bit(0) | bit(1)));
}

TEST(a_phase_of_one_is_nothing) {
    CHECK(lowered(2, {{{0, 1}, {}, {1, 1}}}).empty());
}

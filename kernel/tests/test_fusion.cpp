// Long runs on the same two qubits become one matrix; what they do stays.
#include "check.hpp"
#include "fusion.hpp"
#include "run.hpp"

using ionbox::Kind;
using ionbox::Operation;

namespace {

Operation rotation(Kind kind, int target) {
    Operation operation{.kind = kind, .cosine = 0.8, .sine = 0.6};
    operation.targets[0] = target;
    return operation;
}

Operation flip(int control, int target) {
    Operation operation{.kind = Kind::flip, .controls = ionbox::bit(control)};
    operation.targets[0] = target;
    return operation;
}

std::vector<Operation> run_on(int low, int high, int num_rounds) {
    std::vector<Operation> operations;
    for (int round = 0; round < num_rounds; ++round) {
        operations.push_back(rotation(Kind::rotation_x, low));
        operations.push_back(rotation(Kind::rotation_y, high));
        operations.push_back(flip(low, high));
    }
    return operations;
}

}  // namespace

TEST(a_short_run_stays_as_it_is) {
    auto fused = ionbox::fuse_pairs(run_on(1, 3, 2), 4);
    CHECK(fused.size() == 6);
    for (const Operation& operation : fused) CHECK(operation.kind != Kind::matrix);
}

TEST(a_long_run_is_one_matrix) {
    auto fused = ionbox::fuse_pairs(run_on(1, 3, 4), 4);
    CHECK(fused.size() == 1);
    CHECK(fused[0].kind == Kind::matrix);
    CHECK(fused[0].mixed() == (ionbox::bit(1) | ionbox::bit(3)));
}

TEST(what_touches_a_third_qubit_ends_a_run) {
    auto operations = run_on(0, 1, 4);
    operations.push_back(flip(1, 2));
    for (const Operation& operation : run_on(0, 1, 4)) operations.push_back(operation);
    auto fused = ionbox::fuse_pairs(operations, 3);
    CHECK(fused.front().kind == Kind::matrix && fused.front().mixed() == 0b011);
    CHECK(fused[1].kind == Kind::flip && fused[1].targets[0] == 2);
    CHECK(fused.back().kind == Kind::matrix && fused.back().mixed() == 0b011);
}

// Which operations share a pass: each once, in an order that means the same, in tiles that fit.
#include <algorithm>
#include <bit>

#include "check.hpp"
#include "commuting.hpp"
#include "run.hpp"

using ionbox::Cut;
using ionbox::Operation;
using ionbox::Stage;

namespace {

// Number the operations by what nobody reads before they are run.
std::vector<Operation> numbered(std::vector<Operation> operations) {
    for (std::size_t k = 0; k < operations.size(); ++k)
        operations[k].cosine = static_cast<double>(k);
    return operations;
}

std::vector<std::size_t> order_of(const std::vector<Stage>& stages) {
    std::vector<std::size_t> order;
    for (const Stage& stage : stages)
        for (const Operation& operation : stage.operations)
            order.push_back(static_cast<std::size_t>(operation.cosine));
    return order;
}

// What is in no stage is a phase, and whatever follows it may as well precede it.
void check_left_out(const std::vector<Operation>& given, const std::vector<std::size_t>& order) {
    for (std::size_t k = 0; k < given.size(); ++k) {
        if (std::ranges::count(order, k)) continue;
        CHECK(given[k].mixed() == 0);
        for (std::size_t number : order) CHECK(number < k || may_swap(given[k], given[number]));
    }
}

void check_tiles(const std::vector<Stage>& stages, const Cut& cut) {
    for (const Stage& stage : stages) {
        Mask inside = mask_of(stage.qubits), mixed = 0;
        CHECK(std::ssize(stage.qubits) == std::min(cut.num_qubits, cut.tile_qubits));
        CHECK(std::is_sorted(stage.qubits.begin(), stage.qubits.end()));
        for (const Operation& operation : stage.operations) mixed |= operation.mixed();
        CHECK(!(mixed & ~inside));
        CHECK(stage.mixed == mixed);
    }
    CHECK(!(cut.last_qubits & ~mask_of(stages.back().qubits)));
}

void check_stages(const std::vector<Operation>& operations, const Cut& cut) {
    auto stages = ionbox::cut_into_stages(operations, cut);
    auto order = order_of(stages);
    check_order(operations, order);
    check_tiles(stages, cut);
    if (cut.drops_phases)
        check_left_out(operations, order);
    else
        CHECK(order.size() == operations.size());
}

Operation flip(int target) {
    Operation operation{.kind = ionbox::Kind::flip};
    operation.targets[0] = target;
    return operation;
}

const Operation phase{.kind = ionbox::Kind::phase, .parity = 3, .even = 1, .odd = -1};

}  // namespace

TEST(stages_keep_operations_order_and_tiles) {
    Random random(5);
    for (int num_qubits : {1, 2, 7, 12, 20, 30})
        for (int tile_qubits : {10, 13, 14})
            for (bool drops_phases : {false, true}) {
                auto operations =
                    numbered(lowered(random.circuit(num_qubits, 200), drops_phases).operations);
                Mask last = mask_of(random.qubits(num_qubits, std::min(num_qubits, 5)));
                check_stages(operations, {num_qubits, tile_qubits, last, drops_phases});
            }
}

TEST(there_is_a_stage_without_operations) {
    CHECK(ionbox::cut_into_stages({}, {20, 14, 0, true}).size() == 1);
    CHECK(ionbox::cut_into_stages({}, {0, 14, 0, true}).size() == 1);
}

TEST(phases_at_the_end_are_left_out_where_weights_are_wanted) {
    CHECK(ionbox::cut_into_stages({flip(0), phase}, {20, 14, 0, true})[0].operations.size() == 1);
    CHECK(ionbox::cut_into_stages({flip(0), phase}, {20, 14, 0, false})[0].operations.size() == 2);
    CHECK(ionbox::cut_into_stages({phase, flip(0)}, {20, 14, 0, true})[0].operations.size() == 2);
}

TEST(a_stage_is_added_where_the_last_has_no_room_for_its_qubits) {
    std::vector<Operation> operations;
    for (int target = 0; target < 10; ++target) operations.push_back(flip(target));
    Cut cut{20, 10, mask_of({15, 16, 17, 18, 19}), true};
    CHECK(ionbox::cut_into_stages(operations, cut).size() == 2);
    check_stages(numbered(operations), cut);
}

TEST(what_is_mixed_gets_a_stage_after_any_number_of_phases) {
    std::vector<Operation> operations(5000, phase);
    operations.push_back(flip(2));
    auto stages = ionbox::cut_into_stages(operations, {20, 14, 0, true});
    CHECK(stages.size() == 1);
    CHECK(stages[0].mixed == 0b100);
}

// Which operations share a pass: each once, in an order that means the same, in tiles that fit.
#include <algorithm>
#include <bit>

#include "check.hpp"
#include "reference.hpp"

using ionbox::Operation;
using ionbox::Stage;

namespace {

// Whether two operations mean the same in any order, as far as their qubits tell.
bool may_swap(const Operation& left, const Operation& right) {
    Mask mixed = left.targets_mask() | right.targets_mask();
    Mask shared = (left.targets_mask() | left.diagonal()) &
                  (right.targets_mask() | right.diagonal());
    return !(mixed & shared);
}

// Number the operations by an entry that none of their kinds reads.
std::vector<Operation> numbered(std::vector<Operation> operations) {
    for (std::size_t k = 0; k < operations.size(); ++k)
        operations[k].entries[15] = static_cast<double>(k);
    return operations;
}

std::size_t number_of(const Operation& operation) {
    return static_cast<std::size_t>(operation.entries[15].real());
}

void check_order(const std::vector<Operation>& given, const std::vector<Stage>& stages) {
    std::vector<std::size_t> order;
    for (const Stage& stage : stages)
        for (const Operation& operation : stage.operations) order.push_back(number_of(operation));
    CHECK(order.size() == given.size());
    for (std::size_t later = 0; later < order.size(); ++later)
        for (std::size_t sooner = 0; sooner < later; ++sooner) {
            CHECK(order[sooner] != order[later]);
            CHECK(order[sooner] < order[later] || may_swap(given[order[sooner]], given[order[later]]));
        }
}

void check_tiles(const std::vector<Stage>& stages, int num_qubits, int tile_qubits) {
    for (const Stage& stage : stages) {
        Mask inside = mask_of(stage.qubits), mixed = 0;
        CHECK(std::ssize(stage.qubits) == std::min(num_qubits, tile_qubits));
        CHECK(std::is_sorted(stage.qubits.begin(), stage.qubits.end()));
        for (const Operation& operation : stage.operations) mixed |= operation.targets_mask();
        CHECK(!(mixed & ~inside));
        CHECK(stage.mixed == mixed);
    }
}

}  // namespace

TEST(stages_keep_operations_order_and_tiles) {
    Random random(5);
    for (int num_qubits : {1, 2, 7, 12, 20, 30})
        for (int tile_qubits : {8, 13, 14}) {
            Arrays arrays(random.circuit(num_qubits, 200));
            auto operations = numbered(ionbox::lower(arrays.packed(), num_qubits));
            auto stages = ionbox::cut_into_stages(operations, num_qubits, tile_qubits);
            check_order(operations, stages);
            check_tiles(stages, num_qubits, tile_qubits);
        }
}

TEST(there_is_a_stage_without_operations) {
    CHECK(ionbox::cut_into_stages({}, 20, 14).size() == 1);
}

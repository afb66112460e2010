// Which operations may be taken together, and before which others.
#include <algorithm>
#include <bit>

#include "check.hpp"
#include "commuting.hpp"
#include "run.hpp"
#include "schedule.hpp"

using ionbox::all_bits;
using ionbox::bit;
using ionbox::Draft;
using ionbox::Kind;
using ionbox::Operation;
using ionbox::Room;
using ionbox::Schedule;

namespace {

Operation flip(int target, Mask controls = 0) {
    Operation operation{.kind = Kind::flip, .controls = controls};
    operation.targets[0] = target;
    return operation;
}

Operation phase(Mask qubits) {
    return {.kind = Kind::phase, .parity = qubits, .even = 1, .odd = -1};
}

// Room for all that is within some qubits.
Room within(Mask qubits) { return {qubits, qubits, 0, 64}; }

using Numbers = std::vector<std::size_t>;

Numbers chosen(std::vector<Operation> operations, const Room& room) {
    return Schedule(std::move(operations)).draft(room).chosen;
}

// What has no room is among the drafted ones nowhere; what it leaves out does not have to precede.
void check_draft(const Schedule& schedule, const Draft& draft, const Room& room) {
    Mask mixed = 0;
    long num_mixing = 0;
    for (std::size_t number : draft.chosen) {
        mixed |= schedule.operation(number).mixed();
        num_mixing += schedule.operation(number).mixed() != 0;
        for (std::size_t sooner : schedule.waiting())
            CHECK(sooner >= number || std::ranges::count(draft.chosen, sooner) ||
                  may_swap(schedule.operation(sooner), schedule.operation(number)));
    }
    CHECK(draft.num_mixing == num_mixing);
    CHECK(draft.qubits == (mixed | room.occupied));
    CHECK(!(mixed & ~room.allowed));
    CHECK(std::popcount(draft.qubits) <= room.num_qubits);
}

}  // namespace

TEST(a_draft_takes_nothing_before_what_it_may_not_swap_with) {
    Random random(1);
    for (int round = 0; round < 60; ++round) {
        int num_qubits = 3 + random.below(20);
        Mask all = all_bits(num_qubits);
        auto operations = lowered(random.circuit(num_qubits, 80), round % 2).operations;
        Schedule schedule(operations);
        Numbers order;
        while (schedule.has_mixing()) {
            Mask allowed = random.below(2) ? all : mask_of(random.qubits(num_qubits, 2));
            Mask local = random.below(2) ? allowed : mask_of(random.qubits(num_qubits, 2));
            Room room{allowed, local, bit(random.below(num_qubits)), 3 + random.below(4)};
            Draft draft = schedule.draft(room);
            check_draft(schedule, draft, room);
            order.insert(order.end(), draft.chosen.begin(), draft.chosen.end());
            schedule.take(draft);
        }
        for (std::size_t number : schedule.waiting()) {
            CHECK(operations[number].mixed() == 0);
            order.push_back(number);
        }
        CHECK(order.size() == operations.size());
        check_order(operations, order);
    }
}

TEST(the_first_mixing_operation_is_taken_where_it_is_allowed) {
    CHECK((chosen({flip(3), flip(4)}, {bit(3) | bit(4), 0, 0, 1}) == Numbers{0}));
    CHECK((chosen({flip(3), flip(4)}, within(bit(4))) == Numbers{1}));
    CHECK((chosen({flip(3, bit(4)), flip(4)}, within(bit(4))) == Numbers{}));
}

TEST(a_phase_is_held_until_a_qubit_of_it_is_mixed) {
    CHECK((chosen({phase(0b11), flip(2), flip(1), flip(0)}, within(0b111)) == Numbers{1, 0, 2, 3}));
    CHECK((chosen({phase(0b11), flip(2)}, within(0b111)) == Numbers{1}));
}

TEST(a_phase_on_what_a_left_out_operation_mixes_stays) {
    CHECK((chosen({flip(2), phase(0b101), flip(0)}, within(0b011)) == Numbers{}));
}

TEST(phases_that_are_not_local_are_taken_all_together) {
    std::vector<Operation> operations{phase(0b1001), phase(0b0110), flip(0)};
    CHECK((chosen(operations, within(0b0111)) == Numbers{0, 1, 2}));
}

TEST(phases_that_are_not_local_wait_where_local_ones_are_needed) {
    std::vector<Operation> operations{phase(0b1010), phase(0b0101), phase(0b0110), flip(0)};
    CHECK((chosen(operations, within(0b0111)) == Numbers{1, 2, 3}));
}

TEST(what_is_mixed_follows_any_number_of_phases) {
    std::vector<Operation> operations(5000, phase(0b110));
    operations.push_back(flip(0));
    CHECK((chosen(operations, within(0b111)) == Numbers{5000}));
}

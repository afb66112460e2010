// The order in which operations may be taken: those that share no qubit, and those that are
// diagonal in all qubits that they share, may change places.
#pragma once

#include <algorithm>
#include <bit>
#include <utility>
#include <vector>

#include "circuit.hpp"

namespace ionbox {

// Operations that can be taken together, by their numbers, in order.
struct Draft {
    std::vector<std::size_t> chosen;
    Mask qubits = 0;      // that are mixed
    int num_mixing = 0;
};

struct Room {
    Mask allowed;     // qubits that may be mixed
    Mask local;       // phases on these alone are cheap: others are taken all together
    Mask occupied;    // qubits that count, whether they are mixed or not
    int num_qubits;   // at most so many, with the occupied ones
};

class Schedule {
public:
    explicit Schedule(std::vector<Operation> operations)
        : operations_(std::move(operations)), is_chosen_(operations_.size()) {
        for (std::size_t k = 0; k < operations_.size(); ++k) {
            waiting_.push_back(k);
            num_mixing_ += operations_[k].mixed() != 0;
        }
    }

    const Operation& operation(std::size_t number) const { return operations_[number]; }
    std::vector<std::size_t> waiting() const {
        return {waiting_.begin() + first_, waiting_.end()};
    }
    bool has_mixing() const { return num_mixing_ > 0; }

    // Take what has room and what no left-out operation must precede. A phase is taken only
    // before an operation that mixes one of its qubits: later it may meet others of its kind.
    Draft draft(const Room& room) const {
        Draft draft;
        draft.qubits = room.occupied;
        Mask left_mixed = 0, left_diagonal = 0, held_qubits = 0;
        held_.clear();
        std::size_t num_seen = 0;
        for (auto place = waiting_.begin() + first_; place != waiting_.end(); ++place) {
            std::size_t number = *place;
            const Operation& operation = operations_[number];
            Mask mixed = operation.mixed(), diagonal = operation.diagonal();
            if (mixed == 0 && !(diagonal & left_mixed)) {
                held_.push_back(number);
                held_qubits |= diagonal;
                continue;
            }
            if (++num_seen > horizon) break;
            bool is_free = !(mixed & (left_mixed | left_diagonal)) && !(diagonal & left_mixed);
            bool has_room = !(mixed & ~room.allowed) &&
                            std::popcount(draft.qubits | mixed) <= room.num_qubits;
            if (mixed != 0 && is_free && has_room) {
                if (mixed & held_qubits) held_qubits = release(mixed, room.local, draft.chosen);
                draft.chosen.push_back(number);
                draft.qubits |= mixed;
                ++draft.num_mixing;
                continue;
            }
            left_mixed |= mixed;
            left_diagonal |= diagonal;
            if ((room.allowed & ~left_mixed) == 0) break;
        }
        return draft;
    }

    void take(const Draft& draft) {
        num_mixing_ -= draft.num_mixing;
        if (draft.chosen.empty()) return;
        std::size_t last = *std::max_element(draft.chosen.begin(), draft.chosen.end());
        for (std::size_t number : draft.chosen) is_chosen_[number] = true;
        auto end = std::upper_bound(waiting_.begin() + first_, waiting_.end(), last);
        // What stays moves up to those that nobody looked at: they may be many.
        auto to = end;
        for (auto from = end; from != waiting_.begin() + first_;)
            if (!is_chosen_[*--from]) *--to = *from;
        first_ = to - waiting_.begin();
        for (std::size_t number : draft.chosen) is_chosen_[number] = false;
    }

private:
    static constexpr std::size_t horizon = 4000;  // looked at for a draft, but for those held

    // Take the phases on qubits that are to be mixed, and with them the others: those that are as
    // cheap, or all. Return the qubits of those still held.
    Mask release(Mask mixed, Mask local, std::vector<std::size_t>& chosen) const {
        bool are_local = true;
        for (std::size_t number : held_) {
            Mask qubits = operations_[number].diagonal();
            are_local &= !(qubits & mixed) || !(qubits & ~local);
        }
        Mask still_held = 0;
        std::size_t kept = 0;
        for (std::size_t number : held_) {
            Mask qubits = operations_[number].diagonal();
            if (are_local && (qubits & ~local)) {
                held_[kept++] = number;
                still_held |= qubits;
            } else {
                chosen.push_back(number);
            }
        }
        held_.resize(kept);
        return still_held;
    }

    std::vector<Operation> operations_;
    std::vector<std::size_t> waiting_;  // ascending, from `first_` on
    std::ptrdiff_t first_ = 0;
    int num_mixing_ = 0;
    mutable std::vector<std::size_t> held_;
    std::vector<bool> is_chosen_;
};

}  // namespace ionbox

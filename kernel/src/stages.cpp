// Which operations share a pass over memory.
//
// A tile holds all amplitudes that differ in its own qubits only. An operation fits a tile if it
// mixes nothing but the tile's qubits; what it is diagonal in may lie outside, where it is
// constant.
#include <algorithm>
#include <bit>

#include "circuit.hpp"
#include "schedule.hpp"

namespace ionbox {
namespace {

constexpr int low_qubits = 5;  // in every tile, so that memory is read in runs
constexpr int most_windows = 12;

class Cutter {
public:
    Cutter(std::vector<Operation> operations, const Cut& cut)
        : schedule_(std::move(operations)), cut_(cut) {
        cut_.tile_qubits = std::min(cut_.num_qubits, cut_.tile_qubits);
    }

    std::vector<Stage> run() {
        std::vector<Stage> stages;
        while (schedule_.has_mixing()) stages.push_back(make_stage(best()));
        if (stages.empty() || !can_be_last(stages.back())) stages.push_back(make_stage(Draft{}));
        Stage& last = stages.back();
        if (!cut_.drops_phases)
            for (std::size_t number : schedule_.waiting())
                last.operations.push_back(schedule_.operation(number));
        last.qubits = filled(last_mixed_ | cut_.last_qubits);
        return stages;
    }

private:
    Draft best() const {
        Mask all = all_bits(cut_.num_qubits);
        Mask low = all_bits(std::min(low_qubits, cut_.tile_qubits));
        if (cut_.num_qubits <= cut_.tile_qubits)
            return schedule_.draft({all, all, 0, cut_.num_qubits});
        Draft best = schedule_.draft({all, all, low, cut_.tile_qubits});
        int width = cut_.tile_qubits - low_qubits, room = cut_.num_qubits - low_qubits;
        int windows = std::min(room, most_windows);
        for (int window = 0; window < windows; ++window) {
            Mask allowed = low;
            int start = room * window / windows;
            for (int k = 0; k < width; ++k) allowed |= bit(low_qubits + (start + k) % room);
            Draft other = schedule_.draft({allowed, allowed, low, cut_.tile_qubits});
            if (other.num_mixing > best.num_mixing) best = std::move(other);
        }
        return best;
    }

    Stage make_stage(const Draft& draft) {
        Stage stage;
        for (std::size_t number : draft.chosen) {
            stage.operations.push_back(schedule_.operation(number));
            stage.mixed |= schedule_.operation(number).mixed();
        }
        schedule_.take(draft);
        last_mixed_ = stage.mixed | all_bits(std::min(low_qubits, cut_.tile_qubits));
        stage.qubits = filled(last_mixed_);
        return stage;
    }

    // Whether the last stage's tile has room for the qubits that it must have.
    bool can_be_last(const Stage& stage) const {
        Mask low = all_bits(std::min(low_qubits, cut_.tile_qubits));
        return std::popcount(stage.mixed | low | cut_.last_qubits) <= cut_.tile_qubits;
    }

    // Return the qubits of a mask and, as long as a tile has room, the lowest others.
    std::vector<int> filled(Mask mask) const {
        for (int q = 0; q < cut_.num_qubits && std::popcount(mask) < cut_.tile_qubits; ++q)
            mask |= bit(q);
        std::vector<int> qubits;
        for (int q = 0; q < cut_.num_qubits; ++q)
            if (mask >> q & 1) qubits.push_back(q);
        return qubits;
    }

    Schedule schedule_;
    Cut cut_;
    Mask last_mixed_ = 0;
};

}  // namespace

std::vector<Stage> cut_into_stages(std::vector<Operation> operations, const Cut& cut) {
    return Cutter(std::move(operations), cut).run();
}

}  // namespace ionbox

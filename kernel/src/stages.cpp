// Which operations share a pass over memory.
//
// A tile holds all amplitudes that differ in its own qubits only. An operation fits a tile if it
// mixes nothing but the tile's qubits; what it is diagonal in may lie outside, where it is constant.
#include <algorithm>
#include <bit>

#include "circuit.hpp"

namespace ionbox {
namespace {

constexpr int low_qubits = 5;        // in every tile, so that memory is read in runs
constexpr std::size_t horizon = 4000;  // operations looked at for one stage
constexpr int most_windows = 12;

struct Draft {
    Mask qubits = 0;
    std::vector<std::size_t> chosen;
    double score = -1;
};

class Cutter {
public:
    Cutter(const std::vector<Operation>& operations, int num_qubits, int tile_qubits)
        : operations_(operations),
          num_qubits_(num_qubits),
          tile_qubits_(std::min(num_qubits, tile_qubits)),
          is_done_(operations.size()) {}

    std::vector<Stage> run() {
        std::vector<Stage> stages;
        while (first_ < operations_.size()) {
            stages.push_back(make_stage(best()));
            while (first_ < operations_.size() && is_done_[first_]) ++first_;
        }
        if (stages.empty()) stages.push_back(make_stage(Draft{}));
        return stages;
    }

private:
    Mask all() const { return bit(num_qubits_) - 1; }

    Draft best() const {
        Draft best = draft(all());
        int width = tile_qubits_ - low_qubits, room = num_qubits_ - low_qubits;
        if (num_qubits_ <= tile_qubits_) return best;
        int windows = std::min(room, most_windows);
        for (int window = 0; window < windows; ++window) {
            Mask preferred = bit(low_qubits) - 1;
            int start = room * window / windows;
            for (int k = 0; k < width; ++k) preferred |= bit(low_qubits + (start + k) % room);
            Draft other = draft(preferred);
            if (other.score > best.score) best = std::move(other);
        }
        return best;
    }

    // Take every operation that fits and that no left-out one must precede.
    Draft draft(Mask allowed) const {
        Draft draft;
        draft.qubits = num_qubits_ > tile_qubits_ ? bit(low_qubits) - 1 : all();
        draft.score = 0;
        Mask left_mixed = 0, left_diagonal = 0;
        std::size_t end = std::min(operations_.size(), first_ + horizon);
        for (std::size_t k = first_; k < end && left_mixed != all(); ++k) {
            if (is_done_[k]) continue;
            const Operation& operation = operations_[k];
            Mask mixed = operation.targets_mask(), diagonal = operation.diagonal();
            bool is_free = !(mixed & (left_mixed | left_diagonal)) && !(diagonal & left_mixed);
            Mask qubits = draft.qubits | mixed;
            if (is_free && !(mixed & ~allowed) && std::popcount(qubits) <= tile_qubits_) {
                draft.qubits = qubits;
                draft.chosen.push_back(k);
                draft.score += mixed ? 1 : 0.3;
            } else {
                left_mixed |= mixed;
                left_diagonal |= diagonal;
            }
        }
        return draft;
    }

    Stage make_stage(const Draft& draft) {
        Stage stage;
        for (std::size_t k : draft.chosen) {
            is_done_[k] = true;
            stage.mixed |= operations_[k].targets_mask();
        }
        stage.operations = with_late_phases(draft.chosen);
        Mask qubits = draft.qubits;
        for (int q = 0; q < num_qubits_ && std::popcount(qubits) < tile_qubits_; ++q)
            qubits |= bit(q);
        for (int q = 0; q < num_qubits_; ++q)
            if (qubits >> q & 1) stage.qubits.push_back(q);
        return stage;
    }

    // Move phases behind what they commute with, so that they form runs: those cost less.
    std::vector<Operation> with_late_phases(const std::vector<std::size_t>& chosen) const {
        std::vector<Operation> ordered, phases;
        Mask read_by_phases = 0;
        auto release = [&] {
            ordered.insert(ordered.end(), phases.begin(), phases.end());
            phases.clear();
            read_by_phases = 0;
        };
        for (std::size_t k : chosen) {
            const Operation& operation = operations_[k];
            if (operation.kind == Kind::phase) {
                phases.push_back(operation);
                read_by_phases |= operation.diagonal();
                continue;
            }
            if (operation.targets_mask() & read_by_phases) release();
            ordered.push_back(operation);
        }
        release();
        return ordered;
    }

    const std::vector<Operation>& operations_;
    int num_qubits_, tile_qubits_;
    std::vector<bool> is_done_;
    std::size_t first_ = 0;
};

}  // namespace

std::vector<Stage> cut_into_stages(
    const std::vector<Operation>& operations, int num_qubits, int tile_qubits) {
    return Cutter(operations, num_qubits, tile_qubits).run();
}

}  // namespace ionbox

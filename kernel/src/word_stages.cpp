#include <algorithm>
#include <bit>

#include "words.hpp"

namespace ionbox {
namespace {

Mask mask_of(const std::vector<int>& qubits) {
    Mask mask = 0;
    for (int qubit : qubits) mask |= bit(qubit);
    return mask;
}

struct Taken {
    Mask qubits = 0;
    std::vector<std::size_t> places;  // in the list of steps that are left
};

// Take what comes first and fits into so many qubits, in any order that leaves each qubit its own.
Taken take(const std::vector<const WordStep*>& left, int most_qubits, Mask all) {
    Taken taken;
    Mask blocked = 0;
    for (std::size_t k = 0; k < left.size() && blocked != all; ++k) {
        Mask qubits = mask_of(left[k]->qubits);
        bool fits = left[k]->kind == WordKind::matrix && !(qubits & blocked) &&
                    std::popcount(taken.qubits | qubits) <= most_qubits;
        if (!fits) {
            blocked |= qubits;
            continue;
        }
        taken.qubits |= qubits;
        taken.places.push_back(k);
    }
    return taken;
}

void remove(std::vector<const WordStep*>& left, const std::vector<std::size_t>& places) {
    for (std::size_t place : places) left[place] = nullptr;
    std::erase(left, nullptr);
}

// Where the qubits are in memory, from stage to stage.
class Arrangement {
public:
    Arrangement(int num_qubits, Mask mixed_first)
        : tile_digits_(static_cast<std::size_t>(word_tile_digits(num_qubits))),
          lanes_(static_cast<std::size_t>(lane_digits(num_qubits))) {
        for (int qubit = 0; qubit < num_qubits; ++qubit) at_.push_back(qubit);
        put_lanes_first(at_, mixed_first);
    }

    const std::vector<int>& qubits() const { return at_; }

    // The qubits of a tile that steps on these need, filled up with the lowest others.
    std::vector<int> tile(Mask mixed) const {
        Mask chosen = mixed;
        for (std::size_t digit = 0; digit < lanes_; ++digit) chosen |= bit(at_[digit]);
        for (int qubit : at_)
            if (std::popcount(chosen) < static_cast<int>(tile_digits_)) chosen |= bit(qubit);
        std::vector<int> found;
        for (int qubit : at_)
            if (chosen >> qubit & 1) found.push_back(qubit);
        return found;
    }

    // Exchange qubits of a tile, so that none of the lowest digits is mixed next; return the tile.
    std::vector<int> rearrange(std::vector<int> tile, Mask mixed_next) {
        std::vector<std::size_t> digits;
        for (int qubit : tile)
            digits.push_back(static_cast<std::size_t>(
                std::find(at_.begin(), at_.end(), qubit) - at_.begin()));
        put_lanes_first(tile, mixed_next);
        for (std::size_t k = 0; k < tile.size(); ++k) at_[digits[k]] = tile[k];
        return tile;
    }

private:
    // Each lane that will be mixed changes places with the lowest qubit that will not be.
    void put_lanes_first(std::vector<int>& qubits, Mask mixed) const {
        for (std::size_t lane = 0; lane < lanes_; ++lane) {
            if (!(mixed >> qubits[lane] & 1)) continue;
            for (std::size_t other = lanes_; other < qubits.size(); ++other)
                if (!(mixed >> qubits[other] & 1)) {
                    std::swap(qubits[lane], qubits[other]);
                    break;
                }
        }
    }

    std::size_t tile_digits_, lanes_;
    std::vector<int> at_;
};

// Tell each stage where the qubits are, before and after it.
void arrange(WordPlan& plan, const std::vector<Mask>& mixed, int num_qubits) {
    auto next_mixed = [&](std::size_t k) {
        while (k < mixed.size() && mixed[k] == 0) ++k;
        return k < mixed.size() ? mixed[k] : 0;
    };
    Arrangement arrangement(num_qubits, next_mixed(0));
    plan.start = arrangement.qubits();
    for (std::size_t k = 0; k < plan.stages.size(); ++k) {
        WordStage& stage = plan.stages[k];
        stage.qubits = stage.after = mixed[k] ? arrangement.tile(mixed[k]) : arrangement.qubits();
        if (mixed[k]) stage.after = arrangement.rearrange(stage.qubits, next_mixed(k + 1));
    }
}

}  // namespace

int lane_digits(int num_qubits) { return num_qubits < 5 ? 0 : num_qubits < 6 ? 1 : 2; }

int word_tile_digits(int num_qubits) { return std::min(num_qubits, 7); }  // 128 KiB

WordPlan plan_words(const std::vector<WordStep>& steps, int num_qubits) {
    std::vector<const WordStep*> left;
    for (const WordStep& step : steps) left.push_back(&step);
    int most_mixed = word_tile_digits(num_qubits) - lane_digits(num_qubits);
    Mask all = all_bits(num_qubits);
    WordPlan plan;
    std::vector<Mask> mixed;
    while (!left.empty()) {
        Taken taken = take(left, most_mixed, all);
        if (taken.places.empty()) taken.places.push_back(0);  // of another kind
        WordStage stage;
        for (std::size_t place : taken.places) stage.steps.push_back(left[place]);
        plan.stages.push_back(std::move(stage));
        mixed.push_back(taken.qubits);
        remove(left, taken.places);
    }
    arrange(plan, mixed, num_qubits);
    return plan;
}

}  // namespace ionbox

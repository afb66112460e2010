// A run with channels, from gates to probabilities, on the expectation values of all Pauli words.
#pragma once

#include "transfer.hpp"
#include "variant.hpp"

namespace ionbox {

// Steps that are applied to one tile after the other, in one pass over memory.
struct WordStage {
    std::vector<const WordStep*> steps;  // matrices, or a single one of another kind
    std::vector<int> qubits;  // of a tile, as its digits come in memory; none of the lowest
                              // `lane_digits` is one that steps act on
    std::vector<int> after;   // the same qubits as they come when the tile is written
};

struct WordPlan {
    std::vector<int> start;  // the qubit at each digit of memory, before all stages
    std::vector<WordStage> stages;
};

// Digits of a tile, and how many of them only tell neighbours apart.
int word_tile_digits(int num_qubits);
int lane_digits(int num_qubits);

WordPlan plan_words(const std::vector<WordStep>& steps, int num_qubits);

// The probabilities of all 2**n basis states after a noisy circuit; where they are 0 rounding may
// leave a trace, of either sign. Throws std::invalid_argument, std::bad_alloc.
std::vector<double> mix(const Circuit& circuit, const Channels& channels, const Variant& variant,
                        int threads);

}  // namespace ionbox

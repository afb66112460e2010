// What operations and channels do to a mixed state.
//
// The state is the vector of the expectation values of all 4**n Pauli words: it is real, and a
// channel of Pauli errors only multiplies each by a factor. The two bits of a word's number from
// 2 q on are its letter on qubit q: 0 I, 1 X, 2 Y, 3 Z.
#pragma once

#include <array>
#include <vector>

#include "circuit.hpp"

namespace ionbox {

constexpr int most_matrix_qubits = 3;

// Channels between the operations of a circuit, as Python packs them. The qubits of channel c go
// from its starts[c] to its starts[c + 1].
struct Channels {
    std::size_t count;
    const std::int32_t* after;  // how many operations come before, ascending
    const std::int32_t* qubits;
    const std::int32_t* starts;
    const double* factors;  // three each: of X, Y and Z on one qubit; on more the first, of all but I
};

enum class WordKind {
    matrix,   // on the words of a few qubits
    unitary,  // of one or two targets, where all of many controls are 1
    fade,     // a factor for all words but those that are I on many qubits
};

struct WordStep {
    WordKind kind;
    std::vector<int> qubits;           // all of them; of a unitary the targets come first
    std::vector<double> entries = {};  // of a matrix, row after row: digit k of a number, in base 4,
                                       // is the letter on qubits[k]
    std::vector<Complex> unitary = {};  // row after row
    double factor = 1;                  // of a fade
};

// A noisy circuit as steps.
struct Mixing {
    std::vector<std::array<double, 4>> letters;  // the state before them, a product: of each qubit
    std::vector<WordStep> steps;
};

// Throws std::invalid_argument where a circuit or channels do not fit.
Mixing mixing_of(const Circuit& circuit, const Channels& channels);

// A Pauli word is i**num_y X**x Z**z.
struct Word {
    Mask x = 0, z = 0;
    int num_y = 0;
};
Word word_of(std::size_t number, int num_qubits);

}  // namespace ionbox

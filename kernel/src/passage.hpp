// How Pauli errors pass through a circuit.
//
// An error that comes before an operation is carried behind it, so that at the end it only flips
// what is measured. Through a Clifford operation it goes as another error. Of a rotation about a
// word that it does not commute with, it turns the way round: a state with an error differs from
// one without by which rotations went the other way. What it cannot pass, it is applied before.
//
// Source: Gottesman, arXiv:quant-ph/9807006, for Clifford operations.
#pragma once

#include <cstdint>
#include <vector>

#include "circuit.hpp"

namespace ionbox {

enum class Passing {
    as_it_is,   // the operation is a Pauli word
    by_flip,    // the operation is a flip with one control
    by_sign,    // a sign where two qubits are 1
    by_word,    // a quarter turn about a word: an error that does not commute gets the word, too
    by_turning, // any other rotation about a word: one that does not commute turns it round
    not_at_all, // the parts that do not commute are applied to the state first
};

// An operation, and what errors do there. The numbers of its bits in a pattern follow each other:
// one tells whether the rotation is turned round; or there is one for each X and then for each Z
// that is applied first.
struct Act {
    Operation operation;
    Passing passing;
    Mask x, z;  // of the word; or of the parts that cannot pass
    std::uint32_t first_bit, num_bits;
};

struct Passage {
    int num_qubits;
    std::vector<Act> acts;
    std::vector<std::uint32_t> first_act;   // of each operation of the circuit, and of the end
    std::vector<std::uint32_t> act_of_bit;  // of a pattern
};

// Phases that change no squared magnitude at the end are left out.
Passage passage_of(const Circuit& circuit);

// A rotation that goes the other way.
Operation turned_round(Operation rotation);

// What is applied before an act because of its bits: flips and signs, a qubit each.
Operation flip_of(int qubit);
Operation sign_of(int qubit);

// Carry errors, in up to 64 shots at once, behind an act; x[q] and z[q] are their parts on qubit q,
// a bit for each shot. Write the act's bits of each shot.
void pass(const Act& act, std::uint64_t* x, std::uint64_t* z, std::uint64_t* bits);

}  // namespace ionbox

// Where the qubits of a stage are in its tiles.
#pragma once

#include <bit>
#include <vector>

#include "circuit.hpp"

namespace ionbox {

// Qubits as places in a tile, or, where they lie outside, as they are.
struct Placing {
    std::vector<int> qubits;
    Mask inside = 0;

    explicit Placing(const std::vector<int>& tile_qubits) : qubits(tile_qubits) {
        for (int qubit : qubits) inside |= bit(qubit);
    }

    Mask near(Mask mask) const {
        Mask places = 0;
        for (std::size_t place = 0; place < qubits.size(); ++place)
            if (mask >> qubits[place] & 1) places |= bit(static_cast<int>(place));
        return places;
    }
    Mask far(Mask mask) const { return mask & ~inside; }
    int place(int qubit) const { return qubit < 0 ? -1 : std::countr_zero(near(bit(qubit))); }
};

// The operations of a stage, on places of its tiles; what lies outside is left out.
inline std::vector<Operation> placed(const Stage& stage, const Placing& placing) {
    std::vector<Operation> operations = stage.operations;
    for (Operation& operation : operations) {
        operation.controls = placing.near(operation.controls);
        operation.parity = placing.near(operation.parity);
        for (int& target : operation.targets) target = placing.place(target);
    }
    return operations;
}

}  // namespace ionbox

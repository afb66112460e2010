// Long runs of operations on the same two qubits, as one matrix.
#pragma once

#include <vector>

#include "circuit.hpp"

namespace ionbox {

std::vector<Operation> fuse_pairs(std::vector<Operation> operations, int num_qubits);

}  // namespace ionbox

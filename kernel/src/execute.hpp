// Stages on a state vector, on several threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <vector>

#include "circuit.hpp"
#include "variant.hpp"

namespace ionbox {

// The instruction sets that this processor has, the best one first.
std::vector<const Variant*> variants();

template <class Real>
struct State {
    int num_qubits;
    Real* amplitudes;  // real and imaginary part in turn
    Real* weights;     // squared magnitudes in place of the final amplitudes, or null
    Mask live;         // qubits that may be 1; amplitudes where another one is 1 are never read
    std::vector<int> place_of;  // in the weights, the place of qubit q becomes bit q
};

// Amplitudes of a tile, as a power of two: 512 KiB, within the second-level cache, but at least
// eight tiles, or 128 KiB each, so that threads share the work.
template <class Real>
constexpr int tile_qubits(int num_qubits) {
    return std::clamp(num_qubits - 3, 14, 16) - (sizeof(Real) == 4 ? 0 : 1);
}

// The places whose qubits are the lowest in the weights, where qubits were renamed: with them in
// the tiles of the last stage, weights are written in runs.
template <class Real>
Mask last_qubits(const std::vector<int>& place_of);

// How far a run is: tiles done, of how many.
struct Progress {
    std::atomic<std::size_t> done{0}, total{0};
};

// Throws std::bad_alloc before anything is changed.
template <class Real>
void execute(const std::vector<Stage>& stages, State<Real> state, const Variant& variant,
             int threads, Progress& progress);

// What stages take: passes over the state and steps on it, each as a share of all of it, and
// floating-point operations for each amplitude of it.
struct Work {
    double passes = 0, steps = 0, flops = 0;
};
template <class Real>
Work work_of(const std::vector<Stage>& stages, int num_qubits, const Variant& variant);

}  // namespace ionbox

// States that are worth a plan: acts between two partings of ways are cut into stages.
#pragma once

#include <algorithm>

#include "execute.hpp"
#include "passage.hpp"

namespace ionbox {

template <class Real>
class LargeStates {
public:
    // threads: on one state.
    LargeStates(const Passage& passage, const Variant& variant, int threads)
        : passage_(passage), variant_(variant), threads_(threads) {
        for (int qubit = 0; qubit < passage.num_qubits; ++qubit) places_.push_back(qubit);
    }

    std::size_t size() const { return std::size_t{2} << passage_.num_qubits; }
    void set_ground(Real* state) const {
        std::fill_n(state, size(), Real{0});
        state[0] = 1;
    }

    // Apply the acts from `first` to before `end`, as a pattern says.
    void advance(Real* state, std::uint32_t first, std::uint32_t end,
                 const std::uint64_t* pattern) const;

    static constexpr int block_bits = 10;  // states are larger
    // Write the squared magnitudes of a block of the state; return their sum.
    double weigh(const Real* state, std::size_t block, double* weights) const;

private:
    const Passage& passage_;
    const Variant& variant_;
    int threads_;
    std::vector<int> places_;
};

}  // namespace ionbox

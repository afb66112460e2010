// Noisy shots of a circuit: each different pattern of errors is simulated once, and patterns that
// begin alike share the state up to where they part.
#pragma once

#include "patterns.hpp"
#include "simulate.hpp"

namespace ionbox {

// Write the basis state that is found in each shot: that of its own uniform in [0, 1) in the
// cumulated probabilities of its own final state. Progress counts shots.
//
// At most 1 + log2(patterns) states are alive for each thread, and one more. What is written is the
// same for any number of threads.
template <class Real>
void follow(const Circuit& circuit, const Errors& errors, const double* uniforms,
            std::size_t num_shots, std::uint64_t* drawn, const Settings& settings);

}  // namespace ionbox

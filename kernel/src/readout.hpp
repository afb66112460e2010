// From weights to probabilities: what is rounding noise is dropped, the rest scaled to sum 1.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ionbox {

// What the read-out keeps: weights that are at least `least`.
struct Survey {
    double largest;  // of all weights; not a number where one of them is not
    double least;
    std::size_t count;
    double sum;
};

// share: of the largest weight, below which a weight is rounding noise.
template <class Real>
Survey survey(const Real* weights, std::size_t size, double share, int threads);

// Divide by `sum` what is at least `least`, in place; the rest becomes 0.
template <class Real>
void rescale(Real* weights, std::size_t size, double least, double sum, int threads);

// As `rescale`, but list the basis states and probabilities of what is kept.
//
// Returns false, and writes nothing, if that is not `count` of them.
template <class Real>
bool gather(
    const Real* weights, std::size_t size, double least, double sum, std::uint64_t* basis_states,
    Real* values, std::size_t count, int threads);

}  // namespace ionbox

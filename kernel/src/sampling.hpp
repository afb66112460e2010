// Sampling by inverse CDF in float64: which basis states ascending uniforms stand for.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ionbox {

// Write the basis state of each of `count` ascending uniforms in [0, 1).
//
// weights: at least one, not negative; they need not sum to 1.
template <class Real>
void locate(
    const Real* weights, std::size_t size, const double* uniforms, std::size_t count,
    std::uint64_t* drawn, int threads);

}  // namespace ionbox

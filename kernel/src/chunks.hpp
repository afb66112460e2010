// Weights in chunks: what of a sum belongs to which chunk, and in which order, is fixed, so that
// any number of threads, and NumPy, give the same bits.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>

#include "crew.hpp"

namespace ionbox {

constexpr std::size_t chunk_size = std::size_t{1} << 16;
constexpr std::size_t num_lanes = 256;  // sums that run beside each other

inline std::size_t num_chunks(std::size_t size) { return (size + chunk_size - 1) / chunk_size; }

// Add what `kept` makes of weights to lanes, of which there is one for every `num_lanes`-th weight:
// rows in pairs, their sums in pairs and so on.
template <class Real, class Kept>
void add_rows(const Real* weights, std::size_t size, Kept kept, double* lanes) {
    auto at = [=](std::size_t row, std::size_t lane) {
        return static_cast<double>(kept(weights[row * num_lanes + lane]));
    };
    if (size <= num_lanes) {
        for (std::size_t lane = 0; lane < num_lanes; ++lane)
            lanes[lane] = lane < size ? at(0, lane) : 0;
        return;
    }
    if (size == 8 * num_lanes) {  // as below, but in registers
        for (std::size_t lane = 0; lane < num_lanes; ++lane)
            lanes[lane] = ((at(0, lane) + at(1, lane)) + (at(2, lane) + at(3, lane))) +
                          ((at(4, lane) + at(5, lane)) + (at(6, lane) + at(7, lane)));
        return;
    }
    std::size_t half = std::bit_ceil(size) / 2;
    double others[num_lanes];
    add_rows(weights, half, kept, lanes);
    add_rows(weights + half, size - half, kept, others);
    for (std::size_t lane = 0; lane < num_lanes; ++lane) lanes[lane] += others[lane];
}

// Add what `kept` makes of weights: as rows of lanes, then the halves of the lanes. A tree of sums
// adds 2**k equal weights without rounding.
template <class Real, class Kept>
double add_up(const Real* weights, std::size_t size, Kept kept) {
    double lanes[num_lanes];
    add_rows(weights, size, kept, lanes);
    for (std::size_t half = num_lanes / 2; half; half /= 2)
        for (std::size_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
    return lanes[0];
}

// Call `visit(thread, chunk, start, size)` for each chunk, on up to `threads` threads.
template <class Visit>
void visit_chunks(std::size_t size, int threads, Visit visit) {
    std::atomic<std::size_t> next_chunk{0};
    auto work = [&](int thread, Barrier&) {
        for (std::size_t chunk; (chunk = next_chunk.fetch_add(1)) < num_chunks(size);) {
            std::size_t start = chunk * chunk_size;
            visit(thread, chunk, start, std::min(chunk_size, size - start));
        }
    };
    std::size_t most = std::max<std::size_t>(num_chunks(size), 1);
    run_crew(static_cast<int>(std::min(most, static_cast<std::size_t>(threads))), work);
}

}  // namespace ionbox

#include "readout.hpp"

#include <limits>
#include <vector>

#include "chunks.hpp"

namespace ionbox {

namespace {

struct Chunk {
    double sum;
    double largest, smallest;
    std::size_t count;
};

template <class Real>
Chunk survey_chunk(const Real* weights, std::size_t size) {
    Real largest[num_lanes], smallest[num_lanes];
    std::fill_n(largest, num_lanes, -std::numeric_limits<Real>::infinity());
    std::fill_n(smallest, num_lanes, std::numeric_limits<Real>::infinity());
    for (std::size_t start = 0; start < size; start += num_lanes)
        for (std::size_t lane = 0; lane < std::min(num_lanes, size - start); ++lane) {
            Real weight = weights[start + lane];
            largest[lane] = weight > largest[lane] ? weight : largest[lane];
            smallest[lane] = weight < smallest[lane] ? weight : smallest[lane];
        }
    double sum = add_up(weights, size, [](Real weight) { return weight; });
    return {sum, *std::max_element(largest, largest + num_lanes),
            *std::min_element(smallest, smallest + num_lanes), size};
}

template <class Real>
std::size_t count_kept(const Real* weights, std::size_t size, Real least) {
    std::size_t count = 0;
    for (std::size_t k = 0; k < size; ++k) count += weights[k] >= least;
    return count;
}

// Divide by a sum. In float64 a product with its inverse, several times faster, is the same once it
// is rounded to float32, but for the rare case next to the middle between two of them.
template <class Real>
struct Scale {
    double sum, inverse = 1 / sum;

    Real operator()(Real weight) const {
        if constexpr (sizeof(Real) == 4)
            return static_cast<Real>(static_cast<double>(weight) * inverse);
        else
            return weight / sum;
    }
};

}  // namespace

template <class Real>
Survey survey(const Real* weights, std::size_t size, double share, int threads) {
    std::vector<Chunk> chunks(num_chunks(size));
    visit_chunks(size, threads, [&](int, std::size_t chunk, std::size_t start, std::size_t length) {
        chunks[chunk] = survey_chunk(weights + start, length);
    });
    double largest = chunks[0].largest;
    for (const Chunk& chunk : chunks) {
        largest = std::max(largest, chunk.largest);
        if (chunk.sum != chunk.sum) return {chunk.sum, chunk.sum, 0, chunk.sum};
    }
    auto least = static_cast<Real>(largest * share);
    auto kept = [=](Real weight) { return weight >= least ? weight : 0; };
    // Where all or nothing of a chunk is kept, one pass was enough.
    visit_chunks(size, threads, [&](int, std::size_t chunk, std::size_t start, std::size_t length) {
        Chunk& found = chunks[chunk];
        if (found.smallest >= static_cast<double>(least)) return;
        bool is_any = found.largest >= static_cast<double>(least);
        found.count = is_any ? count_kept(weights + start, length, least) : 0;
        found.sum = is_any ? add_up(weights + start, length, kept) : 0;
    });
    std::size_t count = 0;
    for (const Chunk& chunk : chunks) count += chunk.count;
    double sum = add_up(chunks.data(), chunks.size(), [](const Chunk& chunk) { return chunk.sum; });
    return {largest, static_cast<double>(least), count, sum};
}

template <class Real>
void rescale(Real* weights, std::size_t size, double least, double sum, int threads) {
    auto bound = static_cast<Real>(least);
    Scale<Real> scaled{sum};
    visit_chunks(size, threads, [&](int, std::size_t, std::size_t start, std::size_t length) {
        for (std::size_t k = start; k < start + length; ++k)
            weights[k] = scaled(weights[k] >= bound ? weights[k] : 0);
    });
}

template <class Real>
bool gather(
    const Real* weights, std::size_t size, double least, double sum, std::uint64_t* basis_states,
    Real* values, std::size_t count, int threads) {
    auto bound = static_cast<Real>(least);
    std::vector<std::size_t> places(num_chunks(size) + 1, 0);
    visit_chunks(size, threads, [&](int, std::size_t chunk, std::size_t start, std::size_t length) {
        places[chunk + 1] = count_kept(weights + start, length, bound);
    });
    for (std::size_t chunk = 1; chunk < places.size(); ++chunk) places[chunk] += places[chunk - 1];
    if (places.back() != count) return false;
    Scale<Real> scaled{sum};
    visit_chunks(size, threads, [&](int, std::size_t chunk, std::size_t start, std::size_t length) {
        std::size_t place = places[chunk];
        if (place == places[chunk + 1]) return;
        for (std::size_t k = start; k < start + length; ++k) {
            if (!(weights[k] >= bound)) continue;
            basis_states[place] = k;
            values[place++] = scaled(weights[k]);
        }
    });
    return true;
}

template Survey survey<float>(const float*, std::size_t, double, int);
template Survey survey<double>(const double*, std::size_t, double, int);
template void rescale<float>(float*, std::size_t, double, double, int);
template void rescale<double>(double*, std::size_t, double, double, int);
template bool gather<float>(
    const float*, std::size_t, double, double, std::uint64_t*, float*, std::size_t, int);
template bool gather<double>(
    const double*, std::size_t, double, double, std::uint64_t*, double*, std::size_t, int);

}  // namespace ionbox

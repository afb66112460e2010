#include "sampling.hpp"

#include <numeric>
#include <vector>

#include "chunks.hpp"

namespace ionbox {

namespace {

constexpr std::size_t num_blocks = 4, block_size = chunk_size / num_blocks;

// Return the place of a point in a CDF from `from` on, never one with weight zero: rounding may put
// a point at or past the end, and then it belongs to the last place with weight.
const double* invert(const double* from, const double* end, double point) {
    const double* place = std::upper_bound(from, end, point);
    return place < end ? place : std::lower_bound(from, end, end[-1]);
}

// Write the sums of the weights up to each place: of each block by itself, then raised by the sum
// of those before it. The blocks are added beside each other, since an addition has to wait for the
// one before it.
template <class Real>
void write_cdf(const Real* weights, std::size_t size, double* cdf) {
    double sums[num_blocks] = {};
    if (size == chunk_size)
        for (std::size_t k = 0; k < block_size; ++k)
            for (std::size_t block = 0; block < num_blocks; ++block) {
                std::size_t place = block * block_size + k;
                cdf[place] = sums[block] += static_cast<double>(weights[place]);
            }
    else
        for (std::size_t k = 0; k < size; ++k)
            cdf[k] = sums[k / block_size] += static_cast<double>(weights[k]);
    for (std::size_t start = block_size; start < size; start += block_size) {
        double below = cdf[start - 1];
        for (std::size_t k = start; k < std::min(start + block_size, size); ++k) cdf[k] += below;
    }
}

}  // namespace

template <class Real>
void locate(
    const Real* weights, std::size_t size, const double* uniforms, std::size_t count,
    std::uint64_t* drawn, int threads) {
    std::vector<double> ends(num_chunks(size));
    visit_chunks(size, threads, [&](int, std::size_t chunk, std::size_t start, std::size_t length) {
        ends[chunk] = add_up(weights + start, length, [](Real weight) { return weight; });
    });
    std::partial_sum(ends.begin(), ends.end(), ends.begin());

    double total = ends.back();
    auto last_chunk = static_cast<std::size_t>(
        std::lower_bound(ends.begin(), ends.end(), total) - ends.begin());
    auto first_point_past = [&](std::size_t chunk) {  // the uniforms ascend, so the points do
        if (chunk >= last_chunk) return uniforms + count;
        return std::partition_point(uniforms, uniforms + count, [&](double uniform) {
            return uniform * total < ends[chunk];
        });
    };
    std::size_t room = std::min(size, chunk_size);
    std::vector<double> cdfs(room * std::min(ends.size(), static_cast<std::size_t>(threads)));
    auto draw = [&](int thread, std::size_t chunk, std::size_t start, std::size_t length) {
        const double* uniform = chunk ? first_point_past(chunk - 1) : uniforms;
        const double* last = first_point_past(chunk);
        if (uniform == last) return;
        double below = chunk ? ends[chunk - 1] : 0;
        double* cdf = cdfs.data() + room * static_cast<std::size_t>(thread);
        write_cdf(weights + start, length, cdf);
        const double* place = cdf;
        for (; uniform < last; ++uniform) {
            place = invert(place, cdf + length, *uniform * total - below);
            drawn[uniform - uniforms] = start + static_cast<std::size_t>(place - cdf);
        }
    };
    visit_chunks(size, threads, draw);
}

template void locate<float>(
    const float*, std::size_t, const double*, std::size_t, std::uint64_t*, int);
template void locate<double>(
    const double*, std::size_t, const double*, std::size_t, std::uint64_t*, int);

}  // namespace ionbox

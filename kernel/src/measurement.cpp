#include "measurement.hpp"

#include <algorithm>
#include <vector>

#include "chunks.hpp"

namespace ionbox {
namespace {

// Cut the pairs from `start` on, each of an amplitude where the qubit is 0 and one where it is 1,
// into runs of neighbours; call visit(zero, one, length) with the indices of their first ones.
template <class Visit>
void visit_runs(std::size_t start, std::size_t count, int qubit, Visit visit) {
    std::size_t run = std::size_t{1} << qubit, end = start + count;
    for (std::size_t pair = start; pair < end;) {
        std::size_t inside = pair & (run - 1), zero = ((pair - inside) << 1) | inside;
        std::size_t length = std::min(run - inside, end - pair);
        visit(zero, zero | run, length);
        pair += length;
    }
}

template <class Real>
double norm(const Real* amplitudes, std::size_t count) {
    double sum = 0;
    for (std::size_t k = 0; k < 2 * count; ++k) {
        double part = amplitudes[k];
        sum += part * part;
    }
    return sum;
}

}  // namespace

template <class Real>
Norms norms(const Real* amplitudes, std::size_t size, int qubit, int threads) {
    std::vector<Norms> parts(num_chunks(size / 2), Norms{0, 0});
    auto add_up = [&](int, std::size_t chunk, std::size_t start, std::size_t count) {
        visit_runs(start, count, qubit, [&](std::size_t zero, std::size_t one, std::size_t length) {
            parts[chunk].zero += norm(amplitudes + 2 * zero, length);
            parts[chunk].one += norm(amplitudes + 2 * one, length);
        });
    };
    visit_chunks(size / 2, threads, add_up);
    Norms total{0, 0};
    for (const Norms& part : parts) {
        total.zero += part.zero;
        total.one += part.one;
    }
    return total;
}

template <class Real>
void collapse(Real* amplitudes, std::size_t size, const Collapse<Real>& how, int threads) {
    auto visit = [&](std::size_t zero, std::size_t one, std::size_t length) {
        Real* kept = amplitudes + 2 * (how.outcome ? one : zero);
        Real* lost = amplitudes + 2 * (how.outcome ? zero : one);
        Real* to = how.is_reset && how.outcome ? lost : kept;
        Real* cleared = to == kept ? lost : kept;
        for (std::size_t k = 0; k < 2 * length; ++k) to[k] = how.factor * kept[k];
        std::fill_n(cleared, 2 * length, Real{0});
    };
    visit_chunks(size / 2, threads, [&](int, std::size_t, std::size_t start, std::size_t count) {
        visit_runs(start, count, how.qubit, visit);
    });
}

template Norms norms(const float*, std::size_t, int, int);
template Norms norms(const double*, std::size_t, int, int);
template void collapse(float*, std::size_t, const Collapse<float>&, int);
template void collapse(double*, std::size_t, const Collapse<double>&, int);

}  // namespace ionbox

// Factors of many phases at once. A phase on up to two bits of an index is a product over bits and
// pairs of bits; so the factor of an index splits into one for the base, one for the member of the
// group, and one for each bit of the member that depends on the base.
#include <bit>

#include "program.hpp"

namespace ionbox {
namespace {

int lowest(Mask mask) { return std::countr_zero(mask); }

// For each number over some bits: `start` times the factors of its bits that are 1. The table has
// room for them all.
template <class FactorOf>
void fill_products(
    Complex* table, Complex start, const std::vector<int>& places, FactorOf factor_of) {
    table[0] = start;
    std::size_t size = 1;
    for (int place : places) {
        Complex factor = factor_of(place);
        for (std::size_t k = 0; k < size; ++k) table[size + k] = table[k] * factor;
        size *= 2;
    }
}

}  // namespace

bool RowFactors::Phase::is_quadratic() const {
    int num_controls = std::popcount(controls), num_counted = std::popcount(parity);
    int degree = num_controls + num_counted;
    return degree <= 1 || (degree == 2 && !has_far());
}

RowFactors::RowFactors(
    std::vector<Phase> phases, std::vector<int> group_places, std::vector<int> base_places)
    : phases_(std::move(phases)),
      group_places_(std::move(group_places)),
      base_places_(std::move(base_places)),
      pairs_(most_places * most_places, Complex{1}) {
    for (const Phase& phase : phases_) {
        has_far_ |= phase.has_far();
        if (std::popcount(phase.controls) == 2) {
            int a = lowest(phase.controls);
            multiply_pair(a, lowest(phase.controls & ~bit(a)), phase.even);
        } else if (phase.controls != 0 && phase.parity != 0) {
            multiply_pair(lowest(phase.controls), lowest(phase.parity), phase.odd / phase.even);
        } else if (std::popcount(phase.parity) == 2) {
            // a xor b is a + b - 2 a b
            int a = lowest(phase.parity);
            Complex ratio = phase.odd / phase.even;
            multiply_pair(a, lowest(phase.parity & ~bit(a)), 1.0 / (ratio * ratio));
        }
    }
    corner_pairs_ = pair_products(base_places_);
    member_pairs_ = pair_products(group_places_);
    for (std::size_t k = 0; k < group_places_.size(); ++k)
        for (int place : base_places_)
            if (pair(group_places_[k], place) != 1.0) crossing_ |= bit(static_cast<int>(k));
}

void RowFactors::multiply_pair(int a, int b, Complex factor) {
    pair(a, b) *= factor;
    pair(b, a) = pair(a, b);
}

// The product of the pairs among the places whose bits are 1, for every number over them.
std::vector<Complex> RowFactors::pair_products(const std::vector<int>& places) const {
    std::vector<Complex> products(std::size_t{1} << places.size(), 1), with_top(products.size());
    for (std::size_t top = 0; top < places.size(); ++top) {
        std::size_t size = std::size_t{1} << top;
        std::vector<int> below(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(top));
        auto with_one = [&](int place) { return pair(places[top], place); };
        fill_products(with_top.data(), 1, below, with_one);
        for (std::size_t k = 0; k < size; ++k) products[size + k] = products[k] * with_top[k];
    }
    return products;
}

// What a phase contributes to single bits, in the tile whose first amplitude is `first`.
void RowFactors::multiply(
    const Phase& phase, Mask first, Complex& constant, Complex* linear) const {
    if ((first & phase.far_controls) != phase.far_controls) return;
    Complex even = phase.even, odd = phase.odd;
    if (is_odd(first & phase.far_parity)) std::swap(even, odd);
    if (std::popcount(phase.controls) == 2) return;
    Complex& start = phase.controls == 0 ? constant : linear[lowest(phase.controls)];
    start *= even;
    if (phase.controls != 0) return;
    for (Mask rest = phase.parity; rest != 0; rest &= rest - 1) linear[lowest(rest)] *= odd / even;
}

template <class Real>
Rows<Real> RowFactors::fill(Mask first, Real* tables, const Real* edges, Complex* products) const {
    Complex constant = 1, linear[64];
    for (Complex& factor : linear) factor = 1;
    for (const Phase& phase : phases_) multiply(phase, first, constant, linear);
    auto factor_of = [&](int place) { return linear[place]; };
    Real *factors = tables, *corners = tables + 2 * num_members();  // vectors first: aligned
    fill_products(products, constant, base_places_, factor_of);
    for (std::size_t base = 0; base < num_bases(); ++base) {
        Complex corner = products[base] * corner_pairs_[base];
        corners[2 * base] = static_cast<Real>(corner.real());
        corners[2 * base + 1] = static_cast<Real>(corner.imag());
    }
    fill_products(products, 1, group_places_, factor_of);
    for (std::size_t member = 0; member < num_members(); ++member) {
        Complex factor = products[member] * member_pairs_[member];
        factors[member] = static_cast<Real>(factor.real());
        factors[num_members() + member] = static_cast<Real>(factor.imag());
    }
    return {edges, corners, factors, crossing_};
}

template <class Real>
void RowFactors::fill_edges(Real* edges) const {
    std::size_t width = most_group_bits + 1;
    for (std::size_t base = 0; base < num_bases(); ++base)
        for (std::size_t k = 0; k < width; ++k) {
            edges[2 * width * base + k] = 1;
            edges[2 * width * base + width + k] = 0;
        }
    std::vector<Complex> products(num_bases());
    for (std::size_t k = 0; k < group_places_.size(); ++k) {
        fill_products(products.data(), 1, base_places_,
                      [&](int place) { return pair(group_places_[k], place); });
        for (std::size_t base = 0; base < num_bases(); ++base) {
            edges[2 * width * base + k] = static_cast<Real>(products[base].real());
            edges[2 * width * base + width + k] = static_cast<Real>(products[base].imag());
        }
    }
}

template Rows<float> RowFactors::fill(Mask, float*, const float*, Complex*) const;
template Rows<double> RowFactors::fill(Mask, double*, const double*, Complex*) const;
template void RowFactors::fill_edges(float*) const;
template void RowFactors::fill_edges(double*) const;

}  // namespace ionbox

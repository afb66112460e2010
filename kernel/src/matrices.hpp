// Any matrix on places of a group. Part of tile.cpp.
#pragma once

#include "lanes.hpp"

namespace ionbox {
namespace {

template <class Real, int num_places>
struct Matrices {
    using V = InLanes<Real>;
    using Vector = typename V::Vector;
    using LaneMask = typename V::LaneMask;
    static constexpr int lanes = V::lanes, lane_bits = V::lane_bits;
    static constexpr int size = 1 << num_places;
    Vector x[size], y[size];

    __attribute__((noinline)) void apply(const Step<Real>& step, const Vector* factors) {
        step.code == Code::mix ? mix_on(step) : combine_on(step, factors);
    }

    void mix_on(const Step<Real>& step) {
        switch (step.place + step.other_place) {
            case 1: return mix<0, 1>(step.table);
            case 2: return mix<0, 2>(step.table);
            case 3: return mix<1, 2>(step.table);
        }
    }

    // entries: real parts, row after row, then imaginary ones.
    template <int low, int high>
    void mix(const Real* entries) {
        if constexpr (high < num_places) {
            constexpr int others = (size - 1) ^ (1 << low | 1 << high);
            mix_four<0, 1 << low, 1 << high>(entries);
            if constexpr (others != 0)
                mix_four<others, others | 1 << low, others | 1 << high>(entries);
        }
    }

    template <int first, int second, int third>
    void mix_four(const Real* entries) {
        constexpr int registers[4] = {first, second, third, second | third};
        Vector a[4], b[4];
        UNROLL for (int k = 0; k < 4; ++k) a[k] = x[registers[k]], b[k] = y[registers[k]];
        UNROLL for (int row = 0; row < 4; ++row) {
            Vector sum_x = Vector{}, sum_y = Vector{};
            UNROLL for (int k = 0; k < 4; ++k) {
                Vector real = Vector{} + entries[4 * row + k];
                Vector imaginary = Vector{} + entries[16 + 4 * row + k];
                sum_x += real * a[k];
                sum_y += real * b[k];
                sum_x -= imaginary * b[k];
                sum_y += imaginary * a[k];
            }
            x[registers[row]] = sum_x, y[registers[row]] = sum_y;
        }
    }

    void combine_on(const Step<Real>& step, const Vector* factors) {
        switch (step.place) {
            case 0: return combine_with<0>(step.other_place, factors);
            case 1: return combine_with<1>(step.other_place, factors);
            case 2: return combine_with<2>(step.other_place, factors);
            case 3: return combine_with<3>(step.other_place, factors);
            case 4: return combine_with<4>(step.other_place, factors);
            case 5: return combine_with<5>(step.other_place, factors);
            case 6: return combine_with<6>(step.other_place, factors);
        }
    }

    template <int place>
    void combine_with(int other_place, const Vector* factors) {
        switch (other_place) {
            case 1: return combine<place, 1>(factors);
            case 2: return combine<place, 2>(factors);
            case 3: return combine<place, 3>(factors);
            case 4: return combine<place, 4>(factors);
            case 5: return combine<place, 5>(factors);
            case 6: return combine<place, 6>(factors);
            default: return combine<place, -1>(factors);
        }
    }

    static constexpr bool is_there(int place) {
        return place < most_register_places ? place < num_places
                                            : place - most_register_places < lane_bits;
    }

    // The register, and the vector with its lanes exchanged, where a place has its other value.
    template <int place>
    static constexpr int other(int v) {
        return place >= 0 && place < most_register_places ? v ^ 1 << place : v;
    }
    template <int place>
    INLINE Vector exchanged(Vector vector) {
        if constexpr (place >= most_register_places)
            return V::template exchange<1 << (place - most_register_places)>(vector);
        else
            return vector;
    }

    template <int p, int q>
    void combine(const Vector* factors) {
        if constexpr (is_there(p) && (q < 0 || (p < q && is_there(q)))) {
            constexpr int num_terms = q < 0 ? 2 : 4;
            Vector a[size], b[size];
            UNROLL for (int v = 0; v < size; ++v) a[v] = x[v], b[v] = y[v];
            UNROLL for (int v = 0; v < size; ++v) {
                int w = other<p>(v);
                const Vector reals[4] = {a[v], exchanged<p>(a[w]), exchanged<q>(a[other<q>(v)]),
                                         exchanged<q>(exchanged<p>(a[other<q>(w)]))};
                const Vector imaginaries[4] = {b[v], exchanged<p>(b[w]),
                                               exchanged<q>(b[other<q>(v)]),
                                               exchanged<q>(exchanged<p>(b[other<q>(w)]))};
                add_up<num_terms>(v, factors, reals, imaginaries);
            }
        }
    }

    template <int num_terms>
    STEP add_up(int v, const Vector* factors, const Vector* reals, const Vector* imaginaries) {
        Vector sum_x = Vector{}, sum_y = Vector{};
        UNROLL for (int term = 0; term < num_terms; ++term) {
            Vector real = factors[2 * size * term + v];
            Vector imaginary = factors[(2 * term + 1) * size + v];
            sum_x += real * reals[term];
            sum_y += real * imaginaries[term];
            sum_x -= imaginary * imaginaries[term];
            sum_y += imaginary * reals[term];
        }
        x[v] = sum_x, y[v] = sum_y;
    }
};

}  // namespace
}  // namespace ionbox

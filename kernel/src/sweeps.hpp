// Operations on all of a small state, one after the other. Part of tile.cpp.
#pragma once

#include "lanes.hpp"

namespace ionbox {
namespace {

template <class Real>
struct Sweeper {
    using V = InLanes<Real>;
    using Vector = typename V::Vector;
    using LaneMask = typename V::LaneMask;
    static constexpr int lanes = V::lanes, lane_bits = V::lane_bits;

    const Sweep<Real>& sweep;
    size_t num_vectors;
    Vector* re;
    Vector* im;

    Sweeper(const Sweep<Real>& sweep, Real* state, size_t num_vectors)
        : sweep(sweep), num_vectors(num_vectors), re(reinterpret_cast<Vector*>(state)),
          im(reinterpret_cast<Vector*>(state + parts_distance(num_vectors, lanes))) {}

    void apply() {
        switch (sweep.code) {
            case SweepCode::rotate_x: return rotate<true>();
            case SweepCode::rotate_y: return rotate<false>();
            case SweepCode::multiply: return multiply();
            case SweepCode::flip: return flip();
            case SweepCode::mix: return mix();
        }
    }

private:
    Vector table(int row) const { return V::load(sweep.table + row * lanes); }
    bool acts(size_t v) const { return (v & sweep.controls) == sweep.controls; }
    bool is_odd(size_t v) const { return __builtin_parityll(v & sweep.parity); }
    bool is_plain() const { return sweep.controls == 0 && sweep.parity == 0; }

    // Visit the numbers of all vectors in which the target is 0, with that where it is 1.
    template <class Visit>
    STEP for_pairs(Visit visit) {
        size_t distance = size_t{1} << (sweep.place - lane_bits);
        for (size_t block = 0; block < num_vectors; block += 2 * distance)
            for (size_t v = block; v < block + distance; ++v) visit(v, v + distance);
    }

    // ---- rotations ----

    template <bool is_x>
    void rotate() {
        switch (sweep.place) {
            case 0: return rotate_lanes<is_x, 0>();
            case 1: return rotate_lanes<is_x, 1>();
            case 2: return rotate_lanes<is_x, 2>();
            case 3: return rotate_lanes<is_x, 3>();
            default: return rotate_pairs<is_x>();
        }
    }

    template <bool is_x>
    void rotate_pairs() {
        Vector cosine = table(0), sine = table(1);
        if (is_plain())
            return for_pairs([&](size_t v, size_t w) { turn<is_x>(v, w, cosine, sine); });
        for_pairs([&](size_t v, size_t w) {
            if (acts(v)) turn<is_x>(v, w, cosine, is_odd(v) ? -sine : sine);
        });
    }

    template <bool is_x>
    STEP turn(size_t v, size_t w, Vector cosine, Vector sine) {
        Vector a = re[v], b = im[v], c = re[w], d = im[w];
        if constexpr (is_x) {
            re[v] = cosine * a + sine * d, im[v] = cosine * b - sine * c;
            re[w] = cosine * c + sine * b, im[w] = cosine * d - sine * a;
        } else {
            re[v] = cosine * a - sine * c, im[v] = cosine * b - sine * d;
            re[w] = cosine * c + sine * a, im[w] = cosine * d + sine * b;
        }
    }

    template <bool is_x, int lane_bit>
    void rotate_lanes() {
        if constexpr (lane_bit >= lane_bits) {
            rotate_pairs<is_x>();
        } else {
            Vector cosine = table(0), sine = table(1);
            if constexpr (!is_x) sine *= V::template signs<lane_bit>();
            if (is_plain()) {
                for (size_t v = 0; v < num_vectors; ++v)
                    turn_lanes<is_x, lane_bit>(v, cosine, sine);
                return;
            }
            for (size_t v = 0; v < num_vectors; ++v)
                if (acts(v)) turn_lanes<is_x, lane_bit>(v, cosine, is_odd(v) ? -sine : sine);
        }
    }

    template <bool is_x, int lane_bit>
    STEP turn_lanes(size_t v, Vector cosine, Vector sine) {
        Vector other_re = V::template exchange<1 << lane_bit>(re[v]);
        Vector other_im = V::template exchange<1 << lane_bit>(im[v]);
        if constexpr (is_x) {
            re[v] = cosine * re[v] + sine * other_im;
            im[v] = cosine * im[v] - sine * other_re;
        } else {
            re[v] = cosine * re[v] + sine * other_re;
            im[v] = cosine * im[v] + sine * other_im;
        }
    }

    // ---- phases and flips ----

    void multiply() {
        Vector even_re = table(0), even_im = table(1), odd_re = table(2), odd_im = table(3);
        for (size_t v = 0; v < num_vectors; ++v) {
            if (!acts(v)) continue;
            Vector x = is_odd(v) ? odd_re : even_re, y = is_odd(v) ? odd_im : even_im;
            Vector a = re[v], b = im[v];
            re[v] = x * a - y * b;
            im[v] = x * b + y * a;
        }
    }

    void flip() {
        switch (sweep.place) {
            case 0: return flip_lanes<0>();
            case 1: return flip_lanes<1>();
            case 2: return flip_lanes<2>();
            case 3: return flip_lanes<3>();
            default: return flip_pairs();
        }
    }

    void flip_pairs() {
        LaneMask mask = table(0) != Vector{};
        for_pairs([&](size_t v, size_t w) {
            if (!acts(v)) return;
            Vector a = re[v], b = im[v], c = re[w], d = im[w];
            re[v] = mask ? c : a, im[v] = mask ? d : b;
            re[w] = mask ? a : c, im[w] = mask ? b : d;
        });
    }

    template <int lane_bit>
    void flip_lanes() {
        if constexpr (lane_bit >= lane_bits) {
            flip_pairs();
        } else {
            LaneMask mask = table(0) != Vector{};
            for (size_t v = 0; v < num_vectors; ++v) {
                if (!acts(v)) continue;
                re[v] = mask ? V::template exchange<1 << lane_bit>(re[v]) : re[v];
                im[v] = mask ? V::template exchange<1 << lane_bit>(im[v]) : im[v];
            }
        }
    }

    // ---- any matrix: rare, so that it takes its time ----

    void mix() {
        Real *real = reinterpret_cast<Real*>(re), *imaginary = reinterpret_cast<Real*>(im);
        size_t low = size_t{1} << sweep.place, high = size_t{1} << sweep.other_place;
        for (size_t index = 0; index < num_vectors * lanes; ++index) {
            if ((index & (low | high)) || (index & sweep.controls) != sweep.controls) continue;
            const size_t at[4] = {index, index | low, index | high, index | low | high};
            Real x[4] = {}, y[4] = {};
            for (int row = 0; row < 4; ++row)
                for (int k = 0; k < 4; ++k) {
                    Real a = sweep.table[4 * row + k], b = sweep.table[16 + 4 * row + k];
                    x[row] += a * real[at[k]] - b * imaginary[at[k]];
                    y[row] += a * imaginary[at[k]] + b * real[at[k]];
                }
            for (int k = 0; k < 4; ++k) real[at[k]] = x[k], imaginary[at[k]] = y[k];
        }
    }
};

template <class Real>
void apply_sweep(const Sweep<Real>& sweep, Real* state, size_t num_vectors) {
    Sweeper<Real>(sweep, state, num_vectors).apply();
}

template <class Real>
void weigh(const Real* state, size_t num_vectors, double* weights) {
    constexpr int lanes = InLanes<Real>::lanes;
    const Real* imaginary = state + parts_distance(num_vectors, lanes);
    for (size_t k = 0; k < num_vectors * lanes; ++k) {
        double a = state[k], b = imaginary[k];
        weights[k] = a * a + b * b;
    }
}

}  // namespace
}  // namespace ionbox

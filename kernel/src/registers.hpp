// The steps of a group, on amplitudes that stay in registers. Part of tile.cpp.
#pragma once

#include "lanes.hpp"
#include "matrices.hpp"

namespace ionbox {
namespace {

template <class Real, int num_places>
struct Registers {
    using V = InLanes<Real>;
    using Vector = typename V::Vector;
    using LaneMask = typename V::LaneMask;
    static constexpr int lanes = V::lanes, lane_bits = V::lane_bits;
    static constexpr int size = 1 << num_places;
    const TileTask<Real>& task;
    Vector re[size], im[size];

    explicit Registers(const TileTask<Real>& task) : task(task) {}

    // Apply a group to a tile whose parts lie in the buffer, with gaps.
    void apply(const Group<Real>& group, Vector* all_re, Vector* all_im, size_t num_vectors) {
        size_t offsets[size], places[num_places + 1], fixed = group.places, base = 0;
        for (int k = 0; k < num_places; ++k) {
            places[k] = fixed & -fixed;
            fixed &= fixed - 1;
        }
        fixed = group.places;
        for (int v = 0; v < size; ++v) {
            offsets[v] = 0;
            for (int k = 0; k < num_places; ++k)
                if (v >> k & 1) offsets[v] += with_gaps(places[k]);
        }
        for (size_t row = 0; row < num_vectors / size; ++row) {
            size_t first = with_gaps(base);
            UNROLL for (int v = 0; v < size; ++v) {
                re[v] = all_re[first + offsets[v]];
                im[v] = all_im[first + offsets[v]];
            }
            const Step<Real>* end = group.steps + group.num_steps;
            for (const Step<Real>* step = group.steps; step != end; ++step)
                if (acts(*step, base)) take(*step, base, row);
            UNROLL for (int v = 0; v < size; ++v) {
                all_re[first + offsets[v]] = re[v];
                all_im[first + offsets[v]] = im[v];
            }
            base = ((base | fixed) + 1) & ~fixed;
        }
    }

    bool acts(const Step<Real>& step, size_t base) const {
        return (base & step.base_controls) == step.base_controls &&
               (task.first & step.far_controls) == step.far_controls;
    }

    // The table of so many vectors for the base's parity.
    const Vector* table(const Step<Real>& step, size_t base, int num_vectors) const {
        bool is_odd = __builtin_parityll(base & step.base_parity) ^
                      __builtin_parityll(task.first & step.far_parity);
        return reinterpret_cast<const Vector*>(step.table) + (is_odd ? num_vectors : 0);
    }

    STEP take(const Step<Real>& step, size_t base, size_t row) {
        switch (step.code) {
            case Code::rotate_y: return rotate_on<false>(step);
            case Code::rotate_x: return rotate_on<true>(step);
            case Code::flip: return flip_on(step);
            case Code::flip_masked: return flip_masked_on(step);
            case Code::turn_y: return turn_on<false>(step, table(step, base, size));
            case Code::turn_x: return turn_on<true>(step, table(step, base, size));
            case Code::shear: return shear(table(step, base, size));
            case Code::scale: return scale(step.cosine);
            case Code::multiply: return multiply(table(step, base, 2 * size), step.touched);
            case Code::multiply_by_rows:
                return multiply_by_rows(task.rows[step.rows], row);
            case Code::mix: return aside(step, nullptr);
            case Code::combine:
                return aside(step, table(step, base, 2 * size * step.num_terms));
        }
    }

    // ---- rotations ----

    template <bool is_x>
    STEP rotate_on(const Step<Real>& step) {
        switch (step.place) {
            case 0: return rotate<is_x, 0>(step);
            case 1: return rotate<is_x, 1>(step);
            case 2: return rotate<is_x, 2>(step);
            case 3: return rotate_lanes<is_x, 0>(step);
            case 4: return rotate_lanes<is_x, 1>(step);
            case 5: return rotate_lanes<is_x, 2>(step);
            case 6: return rotate_lanes<is_x, 3>(step);
        }
    }

    template <bool is_x, int place>
    STEP rotate(const Step<Real>& step) {
        if constexpr (place < num_places) {
            if (step.cosine == 1)
                rotate_pairs<is_x, place, true>(Vector{} + step.sine);
            else
                rotate_pairs<is_x, place, false>(Vector{} + step.cosine);
        }
    }

    // One of cosine and sine is 1: one product for each number.
    template <bool is_x, int place, bool cosine_is_1>
    STEP rotate_pairs(Vector t) {
        UNROLL for (int v = 0; v < size; ++v) {
            if (v >> place & 1) continue;
            int w = v | 1 << place;
            Vector a = re[v], b = im[v], c = re[w], d = im[w];
            if constexpr (is_x && cosine_is_1) {
                re[v] = a + t * d, im[v] = b - t * c, re[w] = c + t * b, im[w] = d - t * a;
            } else if constexpr (is_x) {
                re[v] = t * a + d, im[v] = t * b - c, re[w] = t * c + b, im[w] = t * d - a;
            } else if constexpr (cosine_is_1) {
                re[v] = a - t * c, im[v] = b - t * d, re[w] = c + t * a, im[w] = d + t * b;
            } else {
                re[v] = t * a - c, im[v] = t * b - d, re[w] = t * c + a, im[w] = t * d + b;
            }
        }
    }

    template <bool is_x, int lane_bit>
    STEP rotate_lanes(const Step<Real>& step) {
        if constexpr (lane_bit < lane_bits) {
            Vector sine = Vector{} + step.sine, cosine = Vector{} + step.cosine;
            if constexpr (!is_x) sine *= V::template signs<lane_bit>();
            bool is_scaled = step.cosine != 1;
            UNROLL for (int v = 0; v < size; ++v) {
                Vector other_re = V::template exchange<1 << lane_bit>(re[v]);
                Vector other_im = V::template exchange<1 << lane_bit>(im[v]);
                if (is_scaled) {
                    re[v] *= cosine;
                    im[v] *= cosine;
                }
                re[v] += sine * (is_x ? other_im : other_re);
                im[v] += sine * (is_x ? -other_re : other_im);
            }
        }
    }

    // ---- rotations whose way differs among lanes and registers ----

    template <bool is_x>
    STEP turn_on(const Step<Real>& step, const Vector* sines) {
        switch (step.place) {
            case 0: return turn<is_x, 0>(step, sines);
            case 1: return turn<is_x, 1>(step, sines);
            case 2: return turn<is_x, 2>(step, sines);
            case 3: return turn_lanes<is_x, 0>(step, sines);
            case 4: return turn_lanes<is_x, 1>(step, sines);
            case 5: return turn_lanes<is_x, 2>(step, sines);
            case 6: return turn_lanes<is_x, 3>(step, sines);
        }
    }

    template <bool is_x, int place>
    STEP turn(const Step<Real>& step, const Vector* sines) {
        if constexpr (place < num_places) {
            Vector cosine = Vector{} + step.cosine;
            UNROLL for (int v = 0; v < size; ++v) {
                if (v >> place & 1) continue;
                int w = v | 1 << place;
                Vector a = re[v], b = im[v], c = re[w], d = im[w];
                turn_one<is_x>(v, cosine, sines[v], c, d);
                turn_one<is_x>(w, cosine, sines[w], a, b);
            }
        }
    }

    template <bool is_x, int lane_bit>
    STEP turn_lanes(const Step<Real>& step, const Vector* sines) {
        if constexpr (lane_bit < lane_bits) {
            Vector cosine = Vector{} + step.cosine;
            UNROLL for (int v = 0; v < size; ++v)
                turn_one<is_x>(v, cosine, sines[v], V::template exchange<1 << lane_bit>(re[v]),
                               V::template exchange<1 << lane_bit>(im[v]));
        }
    }

    template <bool is_x>
    STEP turn_one(int v, Vector cosine, Vector sine, Vector other_re, Vector other_im) {
        re[v] = cosine * re[v] + sine * (is_x ? other_im : other_re);
        im[v] = cosine * im[v] + sine * (is_x ? -other_re : other_im);
    }

    STEP shear(const Vector* tangents) {
        UNROLL for (int v = 0; v < size; ++v) {
            Vector a = re[v], b = im[v], tangent = tangents[v];
            re[v] = a - tangent * b;
            im[v] = b + tangent * a;
        }
    }

    STEP scale(Real factor) {
        UNROLL for (int v = 0; v < size; ++v) {
            re[v] *= factor;
            im[v] *= factor;
        }
    }

    // ---- flips ----

    STEP flip_on(const Step<Real>& step) {
        switch (step.place * 4 + step.control) {
            case -1: return flip<0, -1>();
            case 1: return flip<0, 1>();
            case 2: return flip<0, 2>();
            case 3: return flip<1, -1>();
            case 4: return flip<1, 0>();
            case 6: return flip<1, 2>();
            case 7: return flip<2, -1>();
            case 8: return flip<2, 0>();
            case 9: return flip<2, 1>();
        }
    }

    template <int place, int control>
    STEP flip() {
        if constexpr (place < num_places && control < num_places) {
            constexpr int needed = control < 0 ? 0 : 1 << control;
            UNROLL for (int v = 0; v < size; ++v) {
                if (v >> place & 1 || (v & needed) != needed) continue;
                int w = v | 1 << place;
                Vector a = re[v], b = im[v];
                re[v] = re[w], im[v] = im[w];
                re[w] = a, im[w] = b;
            }
        }
    }

    STEP flip_masked_on(const Step<Real>& step) {
        switch (step.place) {
            case 0: return flip_masked<0>(step);
            case 1: return flip_masked<1>(step);
            case 2: return flip_masked<2>(step);
            case 3: return flip_lanes<0>(step);
            case 4: return flip_lanes<1>(step);
            case 5: return flip_lanes<2>(step);
            case 6: return flip_lanes<3>(step);
        }
    }

    static LaneMask mask_of(const Step<Real>& step) {
        return step.table ? *reinterpret_cast<const LaneMask*>(step.table) : ~LaneMask{};
    }

    template <int place>
    STEP flip_masked(const Step<Real>& step) {
        if constexpr (place < num_places) {
            LaneMask mask = mask_of(step);
            UNROLL for (int v = 0; v < size; ++v) {
                if (v >> place & 1 || !(step.touched >> v & 1)) continue;
                int w = v | 1 << place;
                Vector a = re[v], b = im[v], c = re[w], d = im[w];
                re[v] = mask ? c : a, im[v] = mask ? d : b;
                re[w] = mask ? a : c, im[w] = mask ? b : d;
            }
        }
    }

    template <int lane_bit>
    STEP flip_lanes(const Step<Real>& step) {
        if constexpr (lane_bit < lane_bits) {
            LaneMask mask = mask_of(step);
            if (step.table == nullptr) return flip_whole<lane_bit>(step.touched);
            UNROLL for (int v = 0; v < size; ++v) {
                if (!(step.touched >> v & 1)) continue;
                re[v] = mask ? V::template exchange<1 << lane_bit>(re[v]) : re[v];
                im[v] = mask ? V::template exchange<1 << lane_bit>(im[v]) : im[v];
            }
        }
    }

    template <int lane_bit>
    STEP flip_whole(unsigned touched) {
        UNROLL for (int v = 0; v < size; ++v) {
            if (!(touched >> v & 1)) continue;
            re[v] = V::template exchange<1 << lane_bit>(re[v]);
            im[v] = V::template exchange<1 << lane_bit>(im[v]);
        }
    }

    // ---- products ----

    STEP multiply_one(int v, Vector real, Vector imaginary) {
        Vector a = re[v], b = im[v];
        re[v] = real * a - imaginary * b;
        im[v] = real * b + imaginary * a;
    }

    STEP multiply(const Vector* factors, unsigned touched) {
        UNROLL for (int v = 0; v < size; ++v)
            if (touched >> v & 1) multiply_one(v, factors[v], factors[size + v]);
    }

    STEP multiply_by_rows(const Rows<Real>& rows, size_t row) {
        const Real* edges = rows.edges + row * 2 * (most_group_bits + 1);
        Vector real = Vector{} + rows.corners[2 * row];
        Vector imaginary = Vector{} + rows.corners[2 * row + 1];
        cross_lane<0>(rows, edges, real, imaginary);
        cross_lane<1>(rows, edges, real, imaginary);
        cross_lane<2>(rows, edges, real, imaginary);
        cross_lane<3>(rows, edges, real, imaginary);
        Vector row_re[size], row_im[size];
        row_re[0] = real, row_im[0] = imaginary;
        UNROLL for (int v = 1; v < size; ++v) {
            int top = 31 - __builtin_clz(static_cast<unsigned>(v)), rest = v ^ 1 << top;
            Vector x = Vector{} + edges[lane_bits + top];
            Vector y = Vector{} + edges[most_group_bits + 1 + lane_bits + top];
            row_re[v] = x * row_re[rest] - y * row_im[rest];
            row_im[v] = x * row_im[rest] + y * row_re[rest];
        }
        const Vector* factors = reinterpret_cast<const Vector*>(rows.factors);
        UNROLL for (int v = 0; v < size; ++v) {
            Vector x = factors[v], y = factors[size + v];
            multiply_one(v, x * row_re[v] - y * row_im[v], x * row_im[v] + y * row_re[v]);
        }
    }

    template <int lane_bit>
    STEP cross_lane(
        const Rows<Real>& rows, const Real* edges, Vector& real, Vector& imaginary) {
        if constexpr (lane_bit < lane_bits) {
            if (!(rows.crossing >> lane_bit & 1)) return;
            LaneMask is_one = V::template ones<lane_bit>();
            Vector x = is_one ? Vector{} + edges[lane_bit] : Vector{} + Real{1};
            Vector y = is_one ? Vector{} + edges[most_group_bits + 1 + lane_bit] : Vector{};
            Vector a = real, b = imaginary;
            real = x * a - y * b;
            imaginary = x * b + y * a;
        }
    }

    // ---- any matrix: aside, in memory, so that the steps above have the registers ----

    STEP aside(const Step<Real>& step, const Vector* factors) {
        Matrices<Real, num_places> matrices;
        UNROLL for (int v = 0; v < size; ++v) matrices.x[v] = re[v], matrices.y[v] = im[v];
        matrices.apply(step, factors);
        UNROLL for (int v = 0; v < size; ++v) re[v] = matrices.x[v], im[v] = matrices.y[v];
    }
};

}  // namespace
}  // namespace ionbox

// Steps on one tile: compiled once for each instruction set, with VARIANT as its name and
// VECTOR_BYTES as the width of its registers.
//
// In the buffer the real parts of all amplitudes come first, then the imaginary ones, so that one
// vector holds `lanes` neighbours.
#include <cstddef>
#include <cstdint>

#include "variant.hpp"

namespace ionbox {
namespace {

using std::size_t;
using std::uint64_t;

template <class Real>
struct Vectors;
template <>
struct Vectors<float> {
    typedef float Vector __attribute__((vector_size(VECTOR_BYTES)));
    typedef int Mask __attribute__((vector_size(VECTOR_BYTES)));
};
template <>
struct Vectors<double> {
    typedef double Vector __attribute__((vector_size(VECTOR_BYTES)));
    typedef long long Mask __attribute__((vector_size(VECTOR_BYTES)));
};

template <int... numbers>
struct Numbers {};
template <int count, int... numbers>
struct UpTo : UpTo<count - 1, count - 1, numbers...> {};
template <int... numbers>
struct UpTo<0, numbers...> {
    using Type = Numbers<numbers...>;
};

#define INLINE static inline __attribute__((always_inline))
#define STEP __attribute__((always_inline)) inline void

template <class Real>
struct Tile {
    using Vector = typename Vectors<Real>::Vector;
    using LaneMask = typename Vectors<Real>::Mask;
    static constexpr int lanes = VECTOR_BYTES / sizeof(Real);
    static constexpr int lane_bits = __builtin_ctz(lanes);
    using Lanes = typename UpTo<lanes>::Type;

    const TileStage<Real>& stage;
    const TileTask<Real>& task;
    size_t num_vectors;
    Vector* re;
    Vector* im;

    Tile(const TileStage<Real>& stage, const TileTask<Real>& task) : stage(stage), task(task) {
        num_vectors = (size_t{1} << stage.num_padded) / lanes;
        re = reinterpret_cast<Vector*>(task.buffer);
        im = re + with_gaps(num_vectors) + 8;  // not over the same places of the cache
    }

    // ---- lanes ----

    INLINE Vector load(const Real* from) {
        Vector vector;
        __builtin_memcpy(&vector, from, sizeof vector);
        return vector;
    }
    INLINE void store(Real* to, Vector vector) { __builtin_memcpy(to, &vector, sizeof vector); }

    template <int start, int... k>
    INLINE Vector every_other(Vector low, Vector high, Numbers<k...>) {
        return __builtin_shufflevector(low, high, (2 * k + start)...);
    }
    template <int start, int... k>
    INLINE Vector interleave(Vector re, Vector im, Numbers<k...>) {
        return __builtin_shufflevector(re, im, (start + k / 2 + (k % 2) * lanes)...);
    }
    template <int flips, int... k>
    INLINE Vector exchange(Vector vector, Numbers<k...>) {
        return __builtin_shufflevector(vector, vector, (k ^ flips)...);
    }
    template <int lane_bit, int... k>
    INLINE Vector signs(Numbers<k...>) {  // -1 where the bit is 0
        return Vector{(k >> lane_bit & 1 ? Real{1} : Real{-1})...};
    }
    template <int lane_bit, int... k>
    INLINE LaneMask ones(Numbers<k...>) {  // all bits where the bit is 1
        return LaneMask{(k >> lane_bit & 1 ? -1 : 0)...};
    }
    // ---- memory to buffer, and back ----

    size_t run_length() const { return size_t{1} << stage.run_qubits; }
    size_t num_runs() const { return size_t{1} << (stage.num_qubits - stage.run_qubits); }

    // Where a run of the tile starts in the buffer. A run never crosses a gap halfway: it is
    // shorter than a vector, or cut into vectors by those who walk it.
    Real* at(Vector* part, size_t amplitude) const {
        return reinterpret_cast<Real*>(part + with_gaps(amplitude / lanes)) + amplitude % lanes;
    }

    void read() {
        size_t length = run_length();
        if (stage.num_padded > stage.num_qubits) re[0] = im[0] = Vector{};
        const Real* state = task.state + 2 * task.first;
        for (size_t run = 0; run < num_runs(); ++run)
            read_run(state, stage.run_starts[run], run * length, length);
    }

    void read_run(const Real* state, size_t start, size_t amplitude, size_t length) {
        bool is_dead = (start & stage.dead) != 0;
        if (length < static_cast<size_t>(lanes)) {
            Real *real = at(re, amplitude), *imaginary = at(im, amplitude);
            for (size_t k = 0; k < length; ++k) {
                bool is_zero = is_dead || (k & stage.dead);
                real[k] = is_zero ? 0 : state[2 * (start + k)];
                imaginary[k] = is_zero ? 0 : state[2 * (start + k) + 1];
            }
            return;
        }
        for (size_t k = 0; k < length; k += lanes) {
            size_t vector = with_gaps((amplitude + k) / lanes);
            if (is_dead || (k & stage.dead)) {
                re[vector] = im[vector] = Vector{};
                continue;
            }
            const Real* from = state + 2 * (start + k);
            Vector low = load(from), high = load(from + lanes);
            re[vector] = every_other<0>(low, high, Lanes{});
            im[vector] = every_other<1>(low, high, Lanes{});
            if (stage.dead & (lanes - 1)) clear_dead_lanes(vector);
        }
    }

    void clear_dead_lanes(size_t vector) {
        for (int lane = 0; lane < lanes; ++lane)
            if (lane & stage.dead) re[vector][lane] = im[vector][lane] = 0;
    }

    void write() const {
        size_t length = run_length();
        for (size_t run = 0; run < num_runs(); ++run)
            write_run(run * length, task.state + 2 * (task.first + stage.run_starts[run]), length);
    }

    void write_run(size_t amplitude, Real* to, size_t length) const {
        if (length < static_cast<size_t>(lanes)) {
            const Real *real = at(re, amplitude), *imaginary = at(im, amplitude);
            for (size_t k = 0; k < length; ++k) {
                to[2 * k] = stage.scale[0] * real[k] - stage.scale[1] * imaginary[k];
                to[2 * k + 1] = stage.scale[0] * imaginary[k] + stage.scale[1] * real[k];
            }
            return;
        }
        for (size_t k = 0; k < length; k += lanes) {
            size_t vector = with_gaps((amplitude + k) / lanes);
            Vector real = stage.scale[0] * re[vector] - stage.scale[1] * im[vector];
            Vector imaginary = stage.scale[0] * im[vector] + stage.scale[1] * re[vector];
            store(to + 2 * k, interleave<0>(real, imaginary, Lanes{}));
            store(to + 2 * k + lanes, interleave<lanes / 2>(real, imaginary, Lanes{}));
        }
    }

    INLINE Vector weight(Vector real, Vector imaginary, Real scale) {
        return (real * real + imaginary * imaginary) * scale;
    }

    // The factor of a weight.
    Real weight_scale() const {
        return stage.scale[0] * stage.scale[0] + stage.scale[1] * stage.scale[1];
    }

    void write_weights() {
        Real scale = weight_scale();
        if (stage.out_low_bits >= 0) return write_weights_elsewhere(scale);
        size_t length = run_length();
        for (size_t run = 0; run < num_runs(); ++run) {
            Real* to = task.weights + task.first + stage.run_starts[run];
            size_t amplitude = run * length;
            if (length < static_cast<size_t>(lanes)) {
                const Real *real = at(re, amplitude), *imaginary = at(im, amplitude);
                for (size_t k = 0; k < length; ++k) {
                    to[k] = (real[k] * real[k] + imaginary[k] * imaginary[k]) * scale;
                }
                continue;
            }
            for (size_t k = 0; k < length; k += lanes) {
                size_t vector = with_gaps((amplitude + k) / lanes);
                store(to + k, weight(re[vector], im[vector], scale));
            }
        }
    }

    // Renamed qubits: neighbours among the weights are gathered from all over the tile.
    void write_weights_elsewhere(Real scale) {
        for (size_t v = 0; v < num_vectors; ++v) {
            size_t vector = with_gaps(v);
            re[vector] = weight(re[vector], im[vector], scale);
        }
        const Real* from = reinterpret_cast<const Real*>(re);
        size_t length = size_t{1} << stage.out_low_bits;
        size_t count = size_t{1} << (stage.num_qubits - stage.out_low_bits);
        for (size_t run = 0; run < count; ++run) {
            Real* to = task.weights + task.out_first + stage.out_starts[run];
            const Real* first = from + stage.out_high[run];
            for (size_t k = 0; k < length; ++k) to[k] = first[stage.out_low[k]];
        }
    }

    // ---- matrices on the amplitudes of a group ----

    template <int num_places>
    struct Matrices {
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
#pragma GCC unroll 4
            for (int k = 0; k < 4; ++k) a[k] = x[registers[k]], b[k] = y[registers[k]];
#pragma GCC unroll 4
            for (int row = 0; row < 4; ++row) {
                Vector sum_x = Vector{}, sum_y = Vector{};
#pragma GCC unroll 4
                for (int k = 0; k < 4; ++k) {
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
                return exchange<1 << (place - most_register_places)>(vector, Lanes{});
            else
                return vector;
        }

        template <int p, int q>
        void combine(const Vector* factors) {
            if constexpr (is_there(p) && (q < 0 || (p < q && is_there(q)))) {
                constexpr int num_terms = q < 0 ? 2 : 4;
                Vector a[size], b[size];
#pragma GCC unroll 8
                for (int v = 0; v < size; ++v) a[v] = x[v], b[v] = y[v];
#pragma GCC unroll 8
                for (int v = 0; v < size; ++v) {
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
#pragma GCC unroll 4
            for (int term = 0; term < num_terms; ++term) {
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

    // ---- groups of registers ----

    void apply_all() {
        for (const Group<Real>* group = stage.groups; group != stage.groups + stage.num_groups;
             ++group) {
            switch (__builtin_popcountll(group->places)) {
                case 0: Registers<0>(*this).apply(*group); break;
                case 1: Registers<1>(*this).apply(*group); break;
                case 2: Registers<2>(*this).apply(*group); break;
#if VECTOR_BYTES == 64
                case 3: Registers<3>(*this).apply(*group); break;
#endif
            }
        }
    }

    template <int num_places>
    struct Registers {
        static constexpr int size = 1 << num_places;
        const Tile& tile;
        Vector re[size], im[size];

        explicit Registers(const Tile& tile) : tile(tile) {}

        void apply(const Group<Real>& group) {
            Vector *all_re = tile.re, *all_im = tile.im;
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
            for (size_t row = 0; row < tile.num_vectors / size; ++row) {
                size_t first = with_gaps(base);
#pragma GCC unroll 8
                for (int v = 0; v < size; ++v) {
                    re[v] = all_re[first + offsets[v]];
                    im[v] = all_im[first + offsets[v]];
                }
                const Step<Real>* end = group.steps + group.num_steps;
                for (const Step<Real>* step = group.steps; step != end; ++step)
                    if (acts(*step, base)) take(*step, base, row);
#pragma GCC unroll 8
                for (int v = 0; v < size; ++v) {
                    all_re[first + offsets[v]] = re[v];
                    all_im[first + offsets[v]] = im[v];
                }
                base = ((base | fixed) + 1) & ~fixed;
            }
        }

        bool acts(const Step<Real>& step, size_t base) const {
            return (base & step.base_controls) == step.base_controls &&
                   (tile.task.first & step.far_controls) == step.far_controls;
        }

        // The table of so many vectors for the base's parity.
        const Vector* table(const Step<Real>& step, size_t base, int num_vectors) const {
            bool is_odd = __builtin_parityll(base & step.base_parity) ^
                          __builtin_parityll(tile.task.first & step.far_parity);
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
                    return multiply_by_rows(tile.task.rows[step.rows], row);
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
#pragma GCC unroll 8
            for (int v = 0; v < size; ++v) {
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
                if constexpr (!is_x) sine *= signs<lane_bit>(Lanes{});
                bool is_scaled = step.cosine != 1;
#pragma GCC unroll 8
                for (int v = 0; v < size; ++v) {
                    Vector other_re = exchange<1 << lane_bit>(re[v], Lanes{});
                    Vector other_im = exchange<1 << lane_bit>(im[v], Lanes{});
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
#pragma GCC unroll 8
                for (int v = 0; v < size; ++v) {
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
#pragma GCC unroll 8
                for (int v = 0; v < size; ++v)
                    turn_one<is_x>(v, cosine, sines[v], exchange<1 << lane_bit>(re[v], Lanes{}),
                                   exchange<1 << lane_bit>(im[v], Lanes{}));
            }
        }

        template <bool is_x>
        STEP turn_one(int v, Vector cosine, Vector sine, Vector other_re, Vector other_im) {
            re[v] = cosine * re[v] + sine * (is_x ? other_im : other_re);
            im[v] = cosine * im[v] + sine * (is_x ? -other_re : other_im);
        }

        STEP shear(const Vector* tangents) {
#pragma GCC unroll 8
            for (int v = 0; v < size; ++v) {
                Vector a = re[v], b = im[v], tangent = tangents[v];
                re[v] = a - tangent * b;
                im[v] = b + tangent * a;
            }
        }

        STEP scale(Real factor) {
#pragma GCC unroll 8
            for (int v = 0; v < size; ++v) {
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
#pragma GCC unroll 8
                for (int v = 0; v < size; ++v) {
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
#pragma GCC unroll 8
                for (int v = 0; v < size; ++v) {
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
#pragma GCC unroll 8
                for (int v = 0; v < size; ++v) {
                    if (!(step.touched >> v & 1)) continue;
                    re[v] = mask ? exchange<1 << lane_bit>(re[v], Lanes{}) : re[v];
                    im[v] = mask ? exchange<1 << lane_bit>(im[v], Lanes{}) : im[v];
                }
            }
        }

        template <int lane_bit>
        STEP flip_whole(unsigned touched) {
#pragma GCC unroll 8
            for (int v = 0; v < size; ++v) {
                if (!(touched >> v & 1)) continue;
                re[v] = exchange<1 << lane_bit>(re[v], Lanes{});
                im[v] = exchange<1 << lane_bit>(im[v], Lanes{});
            }
        }

        // ---- products ----

        STEP multiply_one(int v, Vector real, Vector imaginary) {
            Vector a = re[v], b = im[v];
            re[v] = real * a - imaginary * b;
            im[v] = real * b + imaginary * a;
        }

        STEP multiply(const Vector* factors, unsigned touched) {
#pragma GCC unroll 8
            for (int v = 0; v < size; ++v)
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
#pragma GCC unroll 8
            for (int v = 1; v < size; ++v) {
                int top = 31 - __builtin_clz(static_cast<unsigned>(v)), rest = v ^ 1 << top;
                Vector x = Vector{} + edges[lane_bits + top];
                Vector y = Vector{} + edges[most_group_bits + 1 + lane_bits + top];
                row_re[v] = x * row_re[rest] - y * row_im[rest];
                row_im[v] = x * row_im[rest] + y * row_re[rest];
            }
            const Vector* factors = reinterpret_cast<const Vector*>(rows.factors);
#pragma GCC unroll 8
            for (int v = 0; v < size; ++v) {
                Vector x = factors[v], y = factors[size + v];
                multiply_one(v, x * row_re[v] - y * row_im[v], x * row_im[v] + y * row_re[v]);
            }
        }

        template <int lane_bit>
        STEP cross_lane(
            const Rows<Real>& rows, const Real* edges, Vector& real, Vector& imaginary) {
            if constexpr (lane_bit < lane_bits) {
                if (!(rows.crossing >> lane_bit & 1)) return;
                LaneMask is_one = ones<lane_bit>(Lanes{});
                Vector x = is_one ? Vector{} + edges[lane_bit] : Vector{} + Real{1};
                Vector y = is_one ? Vector{} + edges[most_group_bits + 1 + lane_bit] : Vector{};
                Vector a = real, b = imaginary;
                real = x * a - y * b;
                imaginary = x * b + y * a;
            }
        }

        // ---- any matrix: aside, in memory, so that the steps above have the registers ----

        STEP aside(const Step<Real>& step, const Vector* factors) {
            Matrices<num_places> matrices;
#pragma GCC unroll 8
            for (int v = 0; v < size; ++v) matrices.x[v] = re[v], matrices.y[v] = im[v];
            matrices.apply(step, factors);
#pragma GCC unroll 8
            for (int v = 0; v < size; ++v) re[v] = matrices.x[v], im[v] = matrices.y[v];
        }
    };
};

template <class Real>
void apply_to_tile(const TileStage<Real>& stage, const TileTask<Real>& task) {
    Tile<Real> tile(stage, task);
    tile.read();
    tile.apply_all();
    task.weights == nullptr ? tile.write() : tile.write_weights();
}

}  // namespace

#define NAMED_(name) variant_##name
#define NAMED(name) NAMED_(name)
#define TEXT_(name) #name
#define TEXT(name) TEXT_(name)

extern const Variant NAMED(VARIANT);
const Variant NAMED(VARIANT){TEXT(VARIANT), VECTOR_BYTES, VECTOR_BYTES == 64 ? 3 : 2,
                             apply_to_tile<float>, apply_to_tile<double>};

}  // namespace ionbox

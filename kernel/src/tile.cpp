// Operations on one tile: compiled once for each instruction set, with VARIANT as its name and
// VECTOR_BYTES as the width of its registers.
//
// In the buffer the real parts of all amplitudes come first, then the imaginary ones, so that one
// vector holds `lanes` neighbours. Places below log2(lanes) are lanes of one vector: an operation
// on them exchanges lanes; on the others it combines whole vectors.
#include <cstddef>
#include <cstdint>

#include "variant.hpp"

namespace ionbox {
namespace {

using std::size_t;
using std::uint64_t;

enum { phase, flip, matrix_1, matrix_2 };  // as Kind

template <class Real>
struct Vectors;
template <>
struct Vectors<float> {
    typedef float Vector __attribute__((vector_size(VECTOR_BYTES)));
};
template <>
struct Vectors<double> {
    typedef double Vector __attribute__((vector_size(VECTOR_BYTES)));
};

template <int... numbers>
struct Numbers {};
template <int count, int... numbers>
struct UpTo : UpTo<count - 1, count - 1, numbers...> {};
template <int... numbers>
struct UpTo<0, numbers...> {
    using Type = Numbers<numbers...>;
};

template <class Real>
struct Tile {
    using Vector = typename Vectors<Real>::Vector;
    static constexpr int lanes = VECTOR_BYTES / sizeof(Real);
    static constexpr int lane_bits = __builtin_ctz(lanes);
    static constexpr uint64_t lane_mask = lanes - 1;

    struct Pair {
        Vector re, im;
    };

    const TileStage& stage;
    Vector* re;
    Vector* im;
    size_t num_vectors;

    Tile(const TileStage& stage, int num_qubits, Real* buffer) : stage(stage) {
        num_vectors = (size_t{1} << num_qubits) / lanes;
        re = reinterpret_cast<Vector*>(buffer);
        im = re + num_vectors;
    }

    static Vector load(const Real* from) {
        Vector vector;
        __builtin_memcpy(&vector, from, sizeof vector);
        return vector;
    }

    static void store(Real* to, Vector vector) { __builtin_memcpy(to, &vector, sizeof vector); }

    template <int start, int... k>
    static Vector every_other(Vector low, Vector high, Numbers<k...>) {
        return __builtin_shufflevector(low, high, (2 * k + start)...);
    }
    template <int start, int... k>
    static Vector interleave(Vector re, Vector im, Numbers<k...>) {
        return __builtin_shufflevector(re, im, (start + k / 2 + (k % 2) * lanes)...);
    }
    template <int flips, int... k>
    static Vector exchange(Vector vector, Numbers<k...>) {
        return __builtin_shufflevector(vector, vector, (k ^ flips)...);
    }
    using Lanes = typename UpTo<lanes>::Type;

    // ---- memory to buffer, and back ----

    Real* run_in(Vector* part, size_t run) const {
        return reinterpret_cast<Real*>(part) + (run << stage.run_qubits);
    }

    void read(const Real* state) {
        size_t length = size_t{1} << stage.run_qubits;
        size_t num_runs = size_t{1} << (stage.num_qubits - stage.run_qubits);
        if (stage.num_padded > stage.num_qubits) clear();
        for (size_t run = 0; run < num_runs; ++run)
            read_run(state + 2 * stage.run_starts[run], run_in(re, run), run_in(im, run), length);
    }

    void clear() {
        for (size_t v = 0; v < num_vectors; ++v) re[v] = im[v] = Vector{};
    }

    static void read_run(const Real* from, Real* re, Real* im, size_t length) {
        size_t k = 0;
        for (; k + lanes <= length; k += lanes) {
            Vector low = load(from + 2 * k), high = load(from + 2 * k + lanes);
            store(re + k, every_other<0>(low, high, Lanes{}));
            store(im + k, every_other<1>(low, high, Lanes{}));
        }
        for (; k < length; ++k) {
            re[k] = from[2 * k];
            im[k] = from[2 * k + 1];
        }
    }

    void write(Real* state) const {
        size_t length = size_t{1} << stage.run_qubits;
        size_t num_runs = size_t{1} << (stage.num_qubits - stage.run_qubits);
        for (size_t run = 0; run < num_runs; ++run)
            write_run(run_in(re, run), run_in(im, run), state + 2 * stage.run_starts[run], length);
    }

    static void write_run(const Real* re, const Real* im, Real* to, size_t length) {
        size_t k = 0;
        for (; k + lanes <= length; k += lanes) {
            Vector real = load(re + k), imaginary = load(im + k);
            store(to + 2 * k, interleave<0>(real, imaginary, Lanes{}));
            store(to + 2 * k + lanes, interleave<lanes / 2>(real, imaginary, Lanes{}));
        }
        for (; k < length; ++k) {
            to[2 * k] = re[k];
            to[2 * k + 1] = im[k];
        }
    }

    void write_weights(Real* weights) const {
        size_t length = size_t{1} << stage.run_qubits;
        size_t num_runs = size_t{1} << (stage.num_qubits - stage.run_qubits);
        for (size_t run = 0; run < num_runs; ++run) {
            const Real *real = run_in(re, run), *imaginary = run_in(im, run);
            Real* to = weights + stage.run_starts[run];
            for (size_t k = 0; k < length; ++k)
                to[k] = real[k] * real[k] + imaginary[k] * imaginary[k];
        }
    }

    // ---- operations ----

    void apply_all(size_t first) {
        const TileOperation* operation = stage.operations;
        const TileOperation* end = operation + stage.num_operations;
        while (operation != end) {
            const TileOperation* next = operation + 1;
            if (operation->kind == phase && stage.num_padded >= 2 * padded_qubits) {
                while (next != end && next->kind == phase) ++next;
                apply_phases(operation, next, first);
            } else {
                apply(*operation, first);
            }
            operation = next;
        }
    }

    static bool acts(const TileOperation& operation, size_t first) {
        return (first & operation.far_controls) == operation.far_controls;
    }

    // Phases whose places all lie in the lower half of a tile's qubits, or all in the upper half,
    // are gathered in a table for each half; then one sweep multiplies by both.
    void apply_phases(const TileOperation* operation, const TileOperation* end, size_t first) {
        int num_low = stage.num_padded / 2, num_high = stage.num_padded - num_low;
        alignas(64) Real tables[2][2 << (most_tile_qubits / 2)];
        Tile low(stage, num_low, tables[0]), high(stage, num_high, tables[1]);
        low.set_ones();
        high.set_ones();
        int num_gathered = 0;
        for (; operation != end; ++operation) {
            uint64_t places = operation->controls | operation->parity;
            bool is_low = places >> num_low == 0;
            if (!acts(*operation, first)) continue;
            if (!is_low && (places & ((uint64_t{1} << num_low) - 1)) != 0) {
                apply_phase(*operation, first);
                continue;
            }
            ++num_gathered;
            TileOperation moved = *operation;
            if (!is_low) {
                moved.controls >>= num_low;
                moved.parity >>= num_low;
            }
            (is_low ? low : high).apply_phase(moved, first);
        }
        if (num_gathered > 0) multiply(low, high);
    }

    void set_ones() {
        for (size_t v = 0; v < num_vectors; ++v) {
            re[v] = Vector{} + Real{1};
            im[v] = Vector{};
        }
    }

    void multiply(const Tile& low, const Tile& high) {
        const Real* high_re = reinterpret_cast<const Real*>(high.re);
        const Real* high_im = reinterpret_cast<const Real*>(high.im);
        size_t v = 0, num_rows = num_vectors / low.num_vectors;
        for (size_t row = 0; row < num_rows; ++row) {
            Vector row_re = Vector{} + high_re[row], row_im = Vector{} + high_im[row];
            for (size_t k = 0; k < low.num_vectors; ++k, ++v) {
                Vector factor_re = low.re[k] * row_re - low.im[k] * row_im;
                Vector factor_im = low.re[k] * row_im + low.im[k] * row_re;
                Vector real = re[v], imaginary = im[v];
                re[v] = factor_re * real - factor_im * imaginary;
                im[v] = factor_re * imaginary + factor_im * real;
            }
        }
    }

    void apply(const TileOperation& operation, size_t first) {
        if (!acts(operation, first)) return;
        switch (operation.kind) {
            case phase: return apply_phase(operation, first);
            case flip: return apply_flip(operation);
            case matrix_1: return apply_matrix(operation, 1);
            default: return apply_matrix(operation, 2);
        }
    }

    static size_t high(uint64_t places) { return static_cast<size_t>(places >> lane_bits); }

    // The next number in which only the free bits count; `fixed` are the others.
    static size_t next(size_t index, size_t fixed) { return ((index | fixed) + 1) & ~fixed; }

    size_t num_free(size_t fixed) const { return num_vectors >> __builtin_popcountll(fixed); }

    static bool is_on(uint64_t lane, uint64_t controls) {
        uint64_t low = controls & lane_mask;
        return (lane & low) == low;
    }

    // Multiply by one of two factors, chosen by the parity of some bits.
    void apply_phase(const TileOperation& operation, size_t first) {
        bool is_odd = __builtin_parityll(first & operation.far_parity);
        Pair factors[2];
        for (int lane = 0; lane < lanes; ++lane) {
            bool on = is_on(lane, operation.controls);
            bool odd = is_odd ^ __builtin_parityll(lane & operation.parity & lane_mask);
            for (int parity = 0; parity < 2; ++parity) {
                const double* entry = operation.entries + 2 * (odd ^ (parity == 1));
                factors[parity].re[lane] = on ? static_cast<Real>(entry[0]) : Real{1};
                factors[parity].im[lane] = on ? static_cast<Real>(entry[1]) : Real{0};
            }
        }
        size_t ones = high(operation.controls), parity = high(operation.parity), index = 0;
        for (size_t k = num_free(ones); k > 0; --k, index = next(index, ones)) {
            size_t v = index | ones;
            const Pair& factor = factors[__builtin_parityll(v & parity)];
            Vector real = re[v], imaginary = im[v];
            re[v] = factor.re * real - factor.im * imaginary;
            im[v] = factor.re * imaginary + factor.im * real;
        }
    }

    void apply_flip(const TileOperation& operation) {
        if (operation.targets[0] < lane_bits || (operation.controls & lane_mask))
            return apply_matrix(operation, 1);  // lanes are chosen by factors 0 and 1
        size_t ones = high(operation.controls), target = high(uint64_t{1} << operation.targets[0]);
        size_t index = 0, fixed = ones | target;
        for (size_t k = num_free(fixed); k > 0; --k, index = next(index, fixed)) {
            size_t v = index | ones, w = v | target;
            Vector real = re[v], imaginary = im[v];
            re[v] = re[w];
            im[v] = im[w];
            re[w] = real;
            im[w] = imaginary;
        }
    }

    // Cut the targets of a matrix into those that number vectors and those that number lanes.
    void apply_matrix(const TileOperation& operation, int num_targets) {
        size_t far[2] = {0, 0};
        int far_bits[2] = {0, 0}, near_bits[2] = {0, 0}, flips[2] = {0, 0};
        int num_far = 0, num_near = 0;
        for (int k = 0; k < num_targets; ++k) {
            int place = operation.targets[k];
            if (place >= lane_bits) {
                far[num_far] = high(uint64_t{1} << place);
                far_bits[num_far++] = 1 << k;
            } else {
                flips[num_near] = 1 << place;
                near_bits[num_near++] = 1 << k;
            }
        }
        Work work{operation, num_targets, far, far_bits, near_bits};
        dispatch(work, num_far, num_near, flips);
    }

    struct Work {
        const TileOperation& operation;
        int num_targets;
        const size_t* far;     // the bit in a vector's number, for each far target
        const int* far_bits;   // its bit in a row or column of the matrix
        const int* near_bits;  // the same for the near targets
    };

    void dispatch(const Work& work, int num_far, int num_near, const int* flips) {
        if (num_near == 0) return num_far == 1 ? combine<1, 0, 0>(work) : combine<2, 0, 0>(work);
        if (num_near == 1) {
            switch (flips[0]) {
                case 1: return with_near<1>(work, num_far);
                case 2: return with_near<2>(work, num_far);
                case 4: return with_near<4>(work, num_far);
                default: return with_near<8>(work, num_far);
            }
        }
        // Which of the two comes first matters to the matrix alone.
        int near_bits[2] = {work.near_bits[0], work.near_bits[1]};
        if (flips[0] > flips[1]) {
            near_bits[0] = work.near_bits[1];
            near_bits[1] = work.near_bits[0];
        }
        Work sorted{work.operation, work.num_targets, work.far, work.far_bits, near_bits};
        switch (flips[0] | flips[1]) {
            case 3: return combine_near<1, 2>(sorted);
            case 5: return combine_near<1, 4>(sorted);
            case 6: return combine_near<2, 4>(sorted);
            case 9: return combine_near<1, 8>(sorted);
            case 10: return combine_near<2, 8>(sorted);
            default: return combine_near<4, 8>(sorted);
        }
    }

    template <int flip>
    void with_near(const Work& work, int num_far) {
        if constexpr (flip < lanes)
            return num_far == 0 ? combine<0, flip, 0>(work) : combine<1, flip, 0>(work);
    }

    template <int flip, int other>
    void combine_near(const Work& work) {
        if constexpr (flip < lanes && other < lanes) combine<0, flip, other>(work);
    }

    template <int flips>
    static Vector flipped(Vector vector) {
        if constexpr (flips == 0)
            return vector;
        else
            return exchange<flips>(vector, Lanes{});
    }

    // Replace the vectors of a group by their combinations: far targets choose among the vectors,
    // near ones (whose lanes differ in `flip0`, `flip1`) among the exchanges of their lanes.
    template <int num_far, int flip0, int flip1>
    void combine(const Work& work) {
        constexpr int rows = 1 << num_far;
        constexpr int shuffles = (flip0 ? 2 : 1) * (flip1 ? 2 : 1);
        Pair factors[rows][rows][shuffles];
        bool has_imaginary = fill<rows, shuffles, flip0, flip1>(work, &factors[0][0][0]);
        has_imaginary ? sweep<num_far, flip0, flip1, true>(work, &factors[0][0][0])
                      : sweep<num_far, flip0, flip1, false>(work, &factors[0][0][0]);
    }

    template <int rows, int shuffles, int flip0, int flip1>
    static bool fill(const Work& work, Pair* factors) {
        const TileOperation& operation = work.operation;
        bool has_imaginary = false;
        for (int row = 0; row < rows; ++row)
            for (int column = 0; column < rows; ++column)
                for (int shuffle = 0; shuffle < shuffles; ++shuffle) {
                    Pair& pair = factors[(row * rows + column) * shuffles + shuffle];
                    for (int lane = 0; lane < lanes; ++lane) {
                        if (!is_on(lane, operation.controls)) {
                            pair.re[lane] = row == column && shuffle == 0;
                            pair.im[lane] = 0;
                            continue;
                        }
                        int r = far_part(work, row), c = far_part(work, column);
                        if (flip0 && (lane & flip0)) r |= work.near_bits[0];
                        if (flip1 && (lane & flip1)) r |= work.near_bits[1];
                        c |= r & ((flip0 ? work.near_bits[0] : 0) | (flip1 ? work.near_bits[1] : 0));
                        if (shuffle & 1) c ^= work.near_bits[0];
                        if (shuffle & 2) c ^= work.near_bits[1];
                        const double* entry =
                            operation.entries + 2 * ((r << work.num_targets) + c);
                        pair.re[lane] = static_cast<Real>(entry[0]);
                        pair.im[lane] = static_cast<Real>(entry[1]);
                        has_imaginary |= entry[1] != 0;
                    }
                }
        return has_imaginary;
    }

    static int far_part(const Work& work, int number) {
        return (number & 1 ? work.far_bits[0] : 0) | (number & 2 ? work.far_bits[1] : 0);
    }

    template <int num_far, int flip0, int flip1, bool has_imaginary>
    void sweep(const Work& work, const Pair* factors) {
        constexpr int rows = 1 << num_far;
        constexpr int shuffles = (flip0 ? 2 : 1) * (flip1 ? 2 : 1);
        size_t ones = high(work.operation.controls), fixed = ones, index = 0;
        size_t offsets[rows] = {};
        for (int row = 0; row < rows; ++row)
            for (int k = 0; k < num_far; ++k)
                if (row >> k & 1) offsets[row] |= work.far[k];
        fixed |= offsets[rows - 1];
        for (size_t k = num_free(fixed); k > 0; --k, index = next(index, fixed)) {
            Pair sums[rows];
            for (int row = 0; row < rows; ++row) sums[row] = Pair{};
            for (int column = 0; column < rows; ++column) {
                size_t v = index | ones | offsets[column];
                Pair old{re[v], im[v]};
                add<rows, shuffles, has_imaginary>(sums, factors + column * shuffles, old);
                if constexpr (flip0 != 0)
                    add<rows, shuffles, has_imaginary>(
                        sums, factors + column * shuffles + 1, exchanged<flip0>(old));
                if constexpr (flip1 != 0) {
                    add<rows, shuffles, has_imaginary>(
                        sums, factors + column * shuffles + 2, exchanged<flip1>(old));
                    add<rows, shuffles, has_imaginary>(
                        sums, factors + column * shuffles + 3, exchanged<flip0 | flip1>(old));
                }
            }
            for (int row = 0; row < rows; ++row) {
                size_t v = index | ones | offsets[row];
                re[v] = sums[row].re;
                im[v] = sums[row].im;
            }
        }
    }

    template <int flips>
    static Pair exchanged(const Pair& pair) {
        return {flipped<flips>(pair.re), flipped<flips>(pair.im)};
    }

    template <int rows, int shuffles, bool has_imaginary>
    static void add(Pair* sums, const Pair* factors, Pair old) {
        for (int row = 0; row < rows; ++row) {
            const Pair& factor = factors[row * rows * shuffles];
            sums[row].re += factor.re * old.re;
            sums[row].im += factor.re * old.im;
            if constexpr (has_imaginary) {
                sums[row].re -= factor.im * old.im;
                sums[row].im += factor.im * old.re;
            }
        }
    }
};

template <class Real>
void apply_to_tile(
    const TileStage& stage, Real* state, Real* weights, size_t first, Real* buffer) {
    Tile<Real> tile(stage, stage.num_padded, buffer);
    tile.read(state + 2 * first);
    tile.apply_all(first);
    if (weights == nullptr)
        tile.write(state + 2 * first);
    else
        tile.write_weights(weights + first);
}

}  // namespace

#define NAMED_(name) variant_##name
#define NAMED(name) NAMED_(name)
#define TEXT_(name) #name
#define TEXT(name) TEXT_(name)

extern const Variant NAMED(VARIANT);
const Variant NAMED(VARIANT){TEXT(VARIANT), apply_to_tile<float>, apply_to_tile<double>};

}  // namespace ionbox

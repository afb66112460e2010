// Steps on one tile: compiled once for each instruction set, with VARIANT as its name and
// VECTOR_BYTES as the width of its registers.
//
// In the buffer the real parts of all amplitudes come first, then the imaginary ones, so that one
// vector holds `lanes` neighbours.
#include "lanes.hpp"
#include "registers.hpp"
#include "sweeps.hpp"

namespace ionbox {
namespace {

template <class Real>
struct Tile {
    using V = InLanes<Real>;
    using Vector = typename V::Vector;
    using LaneMask = typename V::LaneMask;
    static constexpr int lanes = V::lanes, lane_bits = V::lane_bits;

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

    void apply_all() {
        for (size_t k = 0; k < stage.num_groups; ++k) {
            const Group<Real>& group = stage.groups[k];
            switch (__builtin_popcountll(group.places)) {
                case 0: apply<0>(group); break;
                case 1: apply<1>(group); break;
                case 2: apply<2>(group); break;
#if VECTOR_BYTES == 64
                case 3: apply<3>(group); break;
#endif
            }
        }
    }

    template <int num_places>
    void apply(const Group<Real>& group) {
        Registers<Real, num_places>(task).apply(group, re, im, num_vectors);
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
            Vector low = V::load(from), high = V::load(from + lanes);
            re[vector] = V::template every_other<0>(low, high);
            im[vector] = V::template every_other<1>(low, high);
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
            V::store(to + 2 * k, V::template interleave<0>(real, imaginary));
            V::store(to + 2 * k + lanes, V::template interleave<lanes / 2>(real, imaginary));
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
                V::store(to + k, weight(re[vector], im[vector], scale));
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

#define WORDS_(name) apply_words_##name
#define WORDS(name) WORDS_(name)

void WORDS(VARIANT)(const WordTile& tile);  // of word_tile.cpp

extern const Variant NAMED(VARIANT);
const Variant NAMED(VARIANT){TEXT(VARIANT), VECTOR_BYTES, VECTOR_BYTES == 64 ? 3 : 2,
                             apply_to_tile<float>, apply_to_tile<double>,
                             apply_sweep<float>,   apply_sweep<double>,
                             weigh<float>,         weigh<double>,
                             WORDS(VARIANT)};

}  // namespace ionbox

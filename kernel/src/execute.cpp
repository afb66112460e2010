#include "execute.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <memory>

#include "crew.hpp"
#include "memory.hpp"
#include "program.hpp"

namespace ionbox {

extern const Variant variant_portable;
#ifdef IONBOX_X86
extern const Variant variant_avx2;
extern const Variant variant_avx512;
#endif

std::vector<const Variant*> variants() {
    std::vector<const Variant*> found;
#ifdef IONBOX_X86
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma"))
        found.push_back(&variant_avx512);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        found.push_back(&variant_avx2);
#endif
    found.push_back(&variant_portable);
    return found;
}

namespace {

constexpr int out_run_bits = 5;  // weights of renamed qubits are written in runs of 32

// For each number over some bits: the sum of what its bits stand for.
std::vector<std::size_t> sums_of(const std::vector<std::size_t>& parts) {
    std::vector<std::size_t> sums{0};
    for (std::size_t part : parts) {
        std::size_t size = sums.size();
        for (std::size_t k = 0; k < size; ++k) sums.push_back(sums[k] + part);
    }
    return sums;
}

// A stage with all that its tiles share, and the queue of its tiles.
template <class Real>
struct Pass {
    Program<Real> program;
    TileStage<Real> stage{};
    std::vector<std::size_t> run_starts, out_low, out_high, out_starts;
    std::vector<int> far_qubits;          // those that number the tiles
    std::vector<std::size_t> far_places;  // of each far qubit's place, its part of a weight's index
    std::atomic<std::size_t> next_tile{0};

    Pass(const Stage& from, int num_qubits, Mask live, Registers registers)
        : program(from, std::max(static_cast<int>(from.qubits.size()), registers.lane_bits),
                  registers) {
        Mask inside = 0;
        for (int qubit : from.qubits) inside |= bit(qubit);
        for (int qubit = 0; qubit < num_qubits; ++qubit)
            if (!(inside >> qubit & 1) && (live >> qubit & 1)) far_qubits.push_back(qubit);
        set_runs(from.qubits);
        stage.num_padded = std::max(stage.num_qubits, registers.lane_bits);
        stage.dead = ~live;
        stage.groups = program.groups().data();
        stage.num_groups = program.groups().size();
        stage.scale[0] = static_cast<Real>(program.scale().real());
        stage.scale[1] = static_cast<Real>(program.scale().imag());
        stage.out_low_bits = -1;
    }

    std::size_t num_tiles() const { return std::size_t{1} << far_qubits.size(); }

    std::size_t first_amplitude(std::size_t tile) const {
        std::size_t first = 0;
        for (std::size_t k = 0; k < far_qubits.size(); ++k)
            first |= (tile >> k & 1) << far_qubits[k];
        return first;
    }

    std::size_t first_weight(std::size_t tile) const {
        std::size_t first = 0;
        for (std::size_t k = 0; k < far_places.size(); ++k)
            first |= (tile >> k & 1) * far_places[k];
        return first;
    }

    // Have the weights written to where the qubits of renamed places belong.
    void rename(const std::vector<int>& qubits, const std::vector<int>& place_of,
                Registers registers) {
        std::vector<std::size_t> low, high, starts;
        std::size_t lanes = std::size_t{1} << registers.lane_bits;
        for (std::size_t qubit = 0; qubit < place_of.size(); ++qubit) {
            auto found = std::find(qubits.begin(), qubits.end(), place_of[qubit]);
            if (found == qubits.end()) continue;
            std::size_t index = std::size_t{1} << (found - qubits.begin());
            std::size_t in_buffer = with_gaps(index / lanes) * lanes + index % lanes;
            if (qubit == low.size() && qubit < out_run_bits) {
                low.push_back(in_buffer);
            } else {
                high.push_back(in_buffer);
                starts.push_back(std::size_t{1} << qubit);
            }
        }
        out_low = sums_of(low);
        out_high = sums_of(high);
        out_starts = sums_of(starts);
        stage.out_low = out_low.data();
        stage.out_high = out_high.data();
        stage.out_starts = out_starts.data();
        stage.out_low_bits = static_cast<int>(low.size());
        for (int place : far_qubits) {
            auto found = std::find(place_of.begin(), place_of.end(), place);
            far_places.push_back(std::size_t{1} << (found - place_of.begin()));
        }
    }

private:
    void set_runs(const std::vector<int>& qubits) {
        int count = static_cast<int>(qubits.size()), run = 0;
        while (run < count && qubits[static_cast<std::size_t>(run)] == run) ++run;
        std::vector<std::size_t> parts;
        for (int k = run; k < count; ++k)
            parts.push_back(std::size_t{1} << qubits[static_cast<std::size_t>(k)]);
        run_starts = sums_of(parts);
        stage.num_qubits = count;
        stage.run_qubits = run;
        stage.run_starts = run_starts.data();
    }
};

template <class Real>
ApplyToTile<Real> apply_of(const Variant& variant) {
    if constexpr (sizeof(Real) == 4)
        return variant.apply_float;
    else
        return variant.apply_double;
}

template <class Real>
Registers registers_of(const Variant& variant) {
    std::size_t lanes = static_cast<std::size_t>(variant.vector_bytes) / sizeof(Real);
    return {std::countr_zero(lanes), variant.register_places};
}

bool is_renamed(const std::vector<int>& place_of) {
    for (std::size_t qubit = 0; qubit < place_of.size(); ++qubit)
        if (place_of[qubit] != static_cast<int>(qubit)) return true;
    return false;
}

}  // namespace

template <class Real>
void execute(const std::vector<Stage>& stages, State<Real> state, const Variant& variant,
             int threads, Progress& progress) {
    Registers registers = registers_of<Real>(variant);
    std::size_t lanes = std::size_t{1} << registers.lane_bits;
    std::vector<std::unique_ptr<Pass<Real>>> passes;
    std::size_t most_tiles = 1, buffer = 0, scratch = 0, num_rows = 0, num_products = 0;
    for (const Stage& stage : stages) {
        passes.push_back(
            std::make_unique<Pass<Real>>(stage, state.num_qubits, state.live, registers));
        const Pass<Real>& pass = *passes.back();
        state.live |= stage.mixed;
        most_tiles = std::max(most_tiles, pass.num_tiles());
        buffer = std::max(buffer, buffer_size(pass.stage.num_padded, lanes));
        scratch = std::max(scratch, pass.program.scratch_size());
        num_rows = std::max(num_rows, pass.program.num_rows());
        num_products = std::max(num_products, pass.program.num_products());
        progress.total += pass.num_tiles();
    }
    if (state.weights != nullptr && is_renamed(state.place_of))
        passes.back()->rename(stages.back().qubits, state.place_of, registers);
    if (static_cast<std::size_t>(threads) > most_tiles) threads = static_cast<int>(most_tiles);
    std::size_t share = whole_lines(buffer) + whole_lines(scratch);
    Aligned<Real> buffers = allocate<Real>(share * static_cast<std::size_t>(threads));
    std::vector<Rows<Real>> rows(num_rows * static_cast<std::size_t>(threads));
    std::vector<Complex> products(num_products * static_cast<std::size_t>(threads));

    ApplyToTile<Real> apply = apply_of<Real>(variant);
    auto run_pass = [&](Pass<Real>& pass, int thread) {
        std::size_t number = static_cast<std::size_t>(thread);
        TileTask<Real> task{};
        task.buffer = buffers.get() + share * number;
        task.state = state.amplitudes;
        task.weights = &pass == passes.back().get() ? state.weights : nullptr;
        Rows<Real>* own_rows = rows.data() + num_rows * number;
        task.rows = own_rows;
        std::size_t num_tiles = pass.num_tiles(), tile;
        while ((tile = pass.next_tile.fetch_add(1, std::memory_order_relaxed)) < num_tiles) {
            task.first = pass.first_amplitude(tile);
            task.out_first = pass.first_weight(tile);
            pass.program.prepare(task.first, own_rows, task.buffer + whole_lines(buffer),
                                 products.data() + num_products * number);
            apply(pass.stage, task);
            progress.done.fetch_add(1, std::memory_order_relaxed);
        }
    };
    if (threads == 1) {
        for (auto& pass : passes) run_pass(*pass, 0);
        return;
    }
    run_crew(threads, [&](int thread, Barrier& barrier) {
        for (auto& pass : passes) {
            run_pass(*pass, thread);
            barrier.wait();  // a tile of the next stage reads from many of this one
        }
    });
}

template <class Real>
Mask last_qubits(const std::vector<int>& place_of) {
    int num_qubits = static_cast<int>(place_of.size());
    Mask mask = 0;
    if (num_qubits > tile_qubits<Real>(num_qubits) && is_renamed(place_of))
        for (std::size_t qubit = 0; qubit < out_run_bits; ++qubit) mask |= bit(place_of[qubit]);
    return mask;
}

// Products and sums that a step takes for each amplitude.
template <class Real>
double flops_of(const Step<Real>& step, int num_registers) {
    double share = static_cast<double>(std::popcount(step.touched)) / num_registers;
    switch (step.code) {
        case Code::rotate_y:
        case Code::rotate_x: return 4;
        case Code::turn_y:
        case Code::turn_x: return 6;
        case Code::shear: return 4;
        case Code::scale: return 2;
        case Code::multiply: return 6 * share;
        case Code::multiply_by_rows: return 18;
        case Code::mix: return 32;
        case Code::combine: return 8 * step.num_terms;
        default: return 0;
    }
}

template <class Real>
Work work_of(const std::vector<Stage>& stages, int num_qubits, const Variant& variant) {
    Work work;
    Mask live = 0;
    for (const Stage& stage : stages) {
        Pass<Real> pass(stage, num_qubits, live, registers_of<Real>(variant));
        live |= stage.mixed;
        double share = std::ldexp(static_cast<double>(pass.num_tiles()),
                                  pass.stage.num_qubits - num_qubits);
        work.passes += share;
        for (const Group<Real>& group : pass.program.groups()) {
            int num_registers = 1 << std::popcount(group.places);
            work.steps += share * static_cast<double>(1 + group.num_steps);
            for (std::size_t k = 0; k < group.num_steps; ++k)
                work.flops += share * flops_of(group.steps[k], num_registers);
        }
    }
    return work;
}

template Mask last_qubits<float>(const std::vector<int>&);
template Mask last_qubits<double>(const std::vector<int>&);
template Work work_of<float>(const std::vector<Stage>&, int, const Variant&);
template Work work_of<double>(const std::vector<Stage>&, int, const Variant&);
template void execute<float>(
    const std::vector<Stage>&, State<float>, const Variant&, int, Progress&);
template void execute<double>(
    const std::vector<Stage>&, State<double>, const Variant&, int, Progress&);

}  // namespace ionbox

#include "execute.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <memory>
#include <new>

#include "crew.hpp"

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

// Move the bits of a mask of qubits to their places in a tile.
Mask places_of(Mask mask, const std::vector<int>& qubits) {
    Mask places = 0;
    for (std::size_t place = 0; place < qubits.size(); ++place)
        if (mask >> qubits[place] & 1) places |= bit(static_cast<int>(place));
    return places;
}

TileOperation placed(const Operation& operation, const Stage& stage, Mask inside) {
    TileOperation placed{};
    placed.kind = static_cast<int>(operation.kind);
    for (int k = 0; k < 2; ++k) {
        auto found = std::find(stage.qubits.begin(), stage.qubits.end(), operation.targets[k]);
        placed.targets[k] = static_cast<int>(found - stage.qubits.begin());
    }
    placed.controls = places_of(operation.controls, stage.qubits);
    placed.parity = places_of(operation.parity, stage.qubits);
    placed.far_controls = operation.controls & ~inside;
    placed.far_parity = operation.parity & ~inside;
    for (int k = 0; k < 16; ++k) {
        placed.entries[2 * k] = operation.entries[k].real();
        placed.entries[2 * k + 1] = operation.entries[k].imag();
    }
    return placed;
}

// A stage with all that its tiles share, and the queue of its tiles.
struct Pass {
    TileStage stage;
    std::vector<TileOperation> operations;
    std::vector<std::size_t> run_starts;
    std::vector<int> far_qubits;  // those that number the tiles
    std::atomic<std::size_t> next_tile{0};

    Pass(const Stage& from, Mask live, int num_qubits) {
        Mask inside = 0;
        for (int qubit : from.qubits) inside |= bit(qubit);
        for (int qubit = 0; qubit < num_qubits; ++qubit)
            if (!(inside >> qubit & 1) && (live >> qubit & 1)) far_qubits.push_back(qubit);
        operations.reserve(from.operations.size());
        for (const Operation& operation : from.operations)
            operations.push_back(placed(operation, from, inside));
        set_runs(from.qubits);
        stage.operations = operations.data();
        stage.num_operations = operations.size();
    }

    std::size_t num_tiles() const { return std::size_t{1} << far_qubits.size(); }

    std::size_t first_amplitude(std::size_t tile) const {
        std::size_t first = 0;
        for (std::size_t k = 0; k < far_qubits.size(); ++k)
            first |= (tile >> k & 1) << far_qubits[k];
        return first;
    }

private:
    void set_runs(const std::vector<int>& qubits) {
        int count = static_cast<int>(qubits.size()), run = 0;
        while (run < count && qubits[static_cast<std::size_t>(run)] == run) ++run;
        run_starts.resize(std::size_t{1} << (count - run));
        for (std::size_t number = 0; number < run_starts.size(); ++number)
            for (int k = run; k < count; ++k)
                run_starts[number] |= (number >> (k - run) & 1)
                                      << qubits[static_cast<std::size_t>(k)];
        stage.num_qubits = count;
        stage.num_padded = std::max(count, padded_qubits);
        stage.run_qubits = run;
        stage.run_starts = run_starts.data();
    }
};

struct Free {
    void operator()(void* memory) const { ::operator delete(memory, std::align_val_t{64}); }
};

template <class Real>
ApplyToTile<Real> apply_of(const Variant& variant) {
    if constexpr (sizeof(Real) == 4)
        return variant.apply_float;
    else
        return variant.apply_double;
}

}  // namespace

template <class Real>
void execute(
    const std::vector<Stage>& stages, State<Real> state, const Variant& variant, int threads) {
    std::vector<std::unique_ptr<Pass>> passes;
    std::size_t most_tiles = 1, buffer_size = 0;
    for (const Stage& stage : stages) {
        passes.push_back(std::make_unique<Pass>(stage, state.live, state.num_qubits));
        state.live |= stage.mixed;
        most_tiles = std::max(most_tiles, passes.back()->num_tiles());
        buffer_size = std::max(buffer_size, std::size_t{2} << passes.back()->stage.num_padded);
    }
    threads = static_cast<int>(std::min<std::size_t>(static_cast<std::size_t>(threads), most_tiles));
    std::unique_ptr<void, Free> buffers(::operator new(
        buffer_size * sizeof(Real) * static_cast<std::size_t>(threads), std::align_val_t{64}));

    ApplyToTile<Real> apply = apply_of<Real>(variant);
    auto run_pass = [&](Pass& pass, int thread) {
        Real* buffer =
            static_cast<Real*>(buffers.get()) + buffer_size * static_cast<std::size_t>(thread);
        Real* weights = &pass == passes.back().get() ? state.weights : nullptr;
        std::size_t num_tiles = pass.num_tiles(), tile;
        while ((tile = pass.next_tile.fetch_add(1, std::memory_order_relaxed)) < num_tiles)
            apply(pass.stage, state.amplitudes, weights, pass.first_amplitude(tile), buffer);
    };
    if (threads == 1) {
        for (auto& pass : passes) run_pass(*pass, 0);
        return;
    }
    run_crew(threads, [&](int thread, std::barrier<>& barrier) {
        for (auto& pass : passes) {
            run_pass(*pass, thread);
            barrier.arrive_and_wait();  // a tile of the next stage reads from many of this one
        }
    });
}

template void execute<float>(const std::vector<Stage>&, State<float>, const Variant&, int);
template void execute<double>(const std::vector<Stage>&, State<double>, const Variant&, int);

}  // namespace ionbox

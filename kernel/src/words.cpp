#include "words.hpp"

#include <algorithm>
#include <atomic>
#include <memory>

#include "controlled_words.hpp"
#include "crew.hpp"
#include "digits.hpp"
#include "memory.hpp"

namespace ionbox {
namespace {

constexpr std::size_t least_parallel = std::size_t{1} << 16;  // words

std::size_t place_in(const std::vector<int>& qubits, int qubit) {
    return static_cast<std::size_t>(std::find(qubits.begin(), qubits.end(), qubit) -
                                    qubits.begin());
}

// A matrix as rows, with the memory that a WordMatrix borrows.
class TiledMatrix {
public:
    TiledMatrix(const WordStep& step, const std::vector<int>& tile) {
        std::size_t num_qubits = step.qubits.size(), num_words = words_of(num_qubits);
        std::vector<std::size_t> places;
        for (int qubit : step.qubits) places.push_back(place_in(tile, qubit));
        for (std::size_t word = 0; word < num_words; ++word)
            offsets_.push_back(deposit_digits(word, places));
        if (num_qubits == 1)
            for (std::size_t k : {5, 6, 7, 9, 10, 11, 13, 14, 15}) sums_.push_back(step.entries[k]);
        else
            for (std::size_t row = 0; row < num_words; ++row) add_row(step.entries, row, num_words);
        starts_.push_back(static_cast<std::uint32_t>(columns_.size()));
        std::sort(places.begin(), places.end());
        matrix_.num_qubits = static_cast<int>(num_qubits);
        std::copy(places.begin(), places.end(), matrix_.places);
    }

    WordMatrix matrix() const {
        WordMatrix borrowed = matrix_;
        borrowed.offsets = offsets_.data();
        borrowed.entries = borrowed.coefficients = sums_.data();
        borrowed.num_rows = rows_.size();
        borrowed.rows = rows_.data();
        borrowed.starts = starts_.data();
        borrowed.columns = columns_.data();
        return borrowed;
    }

private:
    void add_row(const std::vector<double>& entries, std::size_t row, std::size_t num_words) {
        const double* first = &entries[row * num_words];
        std::size_t num_terms = num_words - static_cast<std::size_t>(
                                                std::count(first, first + num_words, 0.0));
        if (num_terms == 1 && first[row] == 1) return;  // nothing changes
        rows_.push_back(static_cast<std::uint32_t>(row));
        starts_.push_back(static_cast<std::uint32_t>(columns_.size()));
        for (std::size_t column = 0; column < num_words; ++column) {
            if (first[column] == 0) continue;
            columns_.push_back(static_cast<std::uint32_t>(column));
            sums_.push_back(first[column]);
        }
    }

    WordMatrix matrix_{};
    std::vector<std::size_t> offsets_;
    std::vector<std::uint32_t> rows_, starts_, columns_;
    std::vector<double> sums_;
};

// One pass over the words, in parts that are independent of each other.
class Pass {
public:
    virtual ~Pass() = default;
    virtual std::size_t num_parts() const = 0;
    virtual std::size_t buffer_size() const = 0;
    virtual void run(std::size_t part, double* words, double* buffer) const = 0;
};

// Matrices in tiles. Where a tile is written its qubits may change places.
class TilePass : public Pass {
public:
    // memory: the qubit at each digit of it.
    TilePass(const WordStage& stage, const std::vector<int>& memory, const Variant& variant)
        : variant_(variant), lanes_(lane_digits(static_cast<int>(memory.size()))),
          is_moved_(stage.after != stage.qubits) {
        for (const WordStep* step : stage.steps) matrices_.emplace_back(*step, stage.qubits);
        for (const TiledMatrix& matrix : matrices_) steps_.push_back(matrix.matrix());
        for (std::size_t digit = 0; digit < memory.size(); ++digit) {
            bool is_inside = place_in(stage.qubits, memory[digit]) < stage.qubits.size();
            (is_inside ? inside_ : outside_).push_back(digit);
        }
        while (run_digits_ < inside_.size() && inside_[run_digits_] == run_digits_) ++run_digits_;
        starts_ = offsets(inside_, run_digits_, inside_.size());
        if (!is_moved_) return;
        std::vector<std::size_t> from;
        for (int qubit : stage.after) from.push_back(place_in(stage.qubits, qubit));
        std::size_t low = static_cast<std::size_t>(lanes_);
        low_from_ = offsets(from, 0, low);
        high_from_ = offsets(from, low, from.size());
        high_to_ = offsets(inside_, low, inside_.size());
    }

    std::size_t num_parts() const override { return words_of(outside_.size()); }
    std::size_t buffer_size() const override { return words_of(inside_.size()); }

    void run(std::size_t part, double* words, double* buffer) const override {
        double* first = words + deposit_digits(part, outside_);
        if (outside_.empty() && !is_moved_) return apply(first);
        std::size_t length = words_of(run_digits_);
        for (std::size_t k = 0; k < starts_.size(); ++k)
            std::copy_n(first + starts_[k], length, buffer + k * length);
        apply(buffer);
        if (is_moved_) return write_moved(first, buffer);
        for (std::size_t k = 0; k < starts_.size(); ++k)
            std::copy_n(buffer + k * length, length, first + starts_[k]);
    }

private:
    // What each number adds to an index whose digits from `first` to before `end` go to places.
    static std::vector<std::size_t> offsets(
        const std::vector<std::size_t>& places, std::size_t first, std::size_t end) {
        const std::vector<std::size_t> own(places.begin() + static_cast<std::ptrdiff_t>(first),
                                           places.begin() + static_cast<std::ptrdiff_t>(end));
        std::vector<std::size_t> found(words_of(own.size()));
        for (std::size_t k = 0; k < found.size(); ++k) found[k] = deposit_digits(k, own);
        return found;
    }

    void apply(double* words) const {
        int num_digits = static_cast<int>(inside_.size());
        variant_.apply_words({words, num_digits, lanes_, steps_.data(), steps_.size()});
    }

    void write_moved(double* to, const double* buffer) const {
        for (std::size_t high = 0; high < high_to_.size(); ++high)
            for (std::size_t low = 0; low < low_from_.size(); ++low)
                to[high_to_[high] + low] = buffer[high_from_[high] + low_from_[low]];
    }

    const Variant& variant_;
    int lanes_;
    bool is_moved_;
    std::vector<TiledMatrix> matrices_;
    std::vector<WordMatrix> steps_;
    std::vector<std::size_t> inside_, outside_;  // digits of memory, in a tile and of its number
    std::size_t run_digits_ = 0;
    std::vector<std::size_t> starts_;  // of the runs of neighbours of a tile
    std::vector<std::size_t> low_from_, high_from_, high_to_;  // where what moves comes from
};

// The product of the letters of all qubits; digit k of a word is that of qubits[k].
void fill(double* words, const std::vector<std::array<double, 4>>& letters,
          const std::vector<int>& qubits) {
    std::size_t size = 1;
    words[0] = 1;
    for (int qubit : qubits) {
        const std::array<double, 4>& own = letters[static_cast<std::size_t>(qubit)];
        for (std::size_t letter = 4; letter-- > 0;)
            for (std::size_t k = 0; k < size; ++k) words[letter * size + k] = words[k] * own[letter];
        size *= 4;
    }
}

// All words but those that are I on many qubits, times a factor.
class FadePass : public Pass {
public:
    FadePass(const WordStep& step, const std::vector<int>& memory)
        : num_words_(words_of(memory.size())), factor_(step.factor) {
        for (std::size_t digit = 0; digit < memory.size(); ++digit)
            if (place_in(step.qubits, memory[digit]) < step.qubits.size())
                letters_ |= std::size_t{3} << 2 * digit;
    }

    std::size_t num_parts() const override { return (num_words_ + part_words - 1) / part_words; }
    std::size_t buffer_size() const override { return 0; }

    void run(std::size_t part, double* words, double*) const override {
        std::size_t end = std::min((part + 1) * part_words, num_words_);
        for (std::size_t word = part * part_words; word < end; ++word)
            if (word & letters_) words[word] *= factor_;
    }

private:
    static constexpr std::size_t part_words = std::size_t{1} << 16;

    std::size_t num_words_, letters_ = 0;
    double factor_;
};

class ControlledPass : public Pass {
public:
    ControlledPass(const WordStep& step, const std::vector<int>& memory) : own_(step, memory) {}

    std::size_t num_parts() const override { return own_.num_parts(); }
    std::size_t buffer_size() const override { return own_.buffer_size(); }
    void run(std::size_t part, double* words, double* buffer) const override {
        own_.apply(part, words, buffer);
    }

private:
    ControlledWords own_;
};

using Passes = std::vector<std::unique_ptr<const Pass>>;

// The passes of a plan; `memory`, the qubit at each digit of it, is left as it is at the end.
Passes passes_of(const WordPlan& plan, const Variant& variant, std::vector<int>& memory) {
    Passes passes;
    for (const WordStage& stage : plan.stages) {
        const WordStep& first = *stage.steps.front();
        switch (first.kind) {
            case WordKind::matrix:
                passes.push_back(std::make_unique<TilePass>(stage, memory, variant));
                break;
            case WordKind::unitary:
                passes.push_back(std::make_unique<ControlledPass>(first, memory));
                break;
            case WordKind::fade: passes.push_back(std::make_unique<FadePass>(first, memory));
        }
        for (int& qubit : memory) {
            std::size_t digit = place_in(stage.qubits, qubit);
            if (digit < stage.after.size()) qubit = stage.after[digit];
        }
    }
    return passes;
}

// Threads take the parts of a pass as they come: no part reads what another one writes.
void run_all(const Passes& passes, double* words, int threads) {
    std::size_t buffer_size = 0;
    for (const auto& pass : passes)
        buffer_size = std::max(buffer_size, whole_lines(pass->buffer_size()));
    Aligned<double> buffers = allocate<double>(buffer_size * static_cast<std::size_t>(threads));
    std::vector<std::atomic<std::size_t>> next(passes.size());
    run_crew(threads, [&](int thread, Barrier& barrier) {
        double* buffer = buffers.get() + buffer_size * static_cast<std::size_t>(thread);
        for (std::size_t k = 0; k < passes.size(); ++k) {
            std::size_t count = passes[k]->num_parts();
            for (std::size_t part; (part = next[k].fetch_add(1)) < count;)
                passes[k]->run(part, words, buffer);
            barrier.wait();
        }
    });
}

// The probabilities of all basis states are sums of the words of I and Z.
std::vector<double> probabilities(const double* words, const std::vector<int>& memory) {
    std::size_t num_qubits = memory.size(), size = std::size_t{1} << num_qubits;
    std::vector<double> sums(size);
    for (std::size_t z = 0; z < size; ++z) {
        std::size_t word = 0;
        for (std::size_t digit = 0; digit < num_qubits; ++digit)
            if (z >> memory[digit] & 1) word |= std::size_t{3} << 2 * digit;
        sums[z] = words[word] / static_cast<double>(size);
    }
    for (std::size_t half = 1; half < size; half *= 2)
        for (std::size_t k = 0; k < size; ++k) {
            if (k & half) continue;
            double even = sums[k], odd = sums[k | half];
            sums[k] = even + odd;
            sums[k | half] = even - odd;
        }
    return sums;
}

}  // namespace

std::vector<double> mix(const Circuit& circuit, const Channels& channels, const Variant& variant,
                        int threads) {
    Mixing mixing = mixing_of(circuit, channels);
    WordPlan plan = plan_words(mixing.steps, circuit.num_qubits);
    std::size_t num_words = words_of(plan.start.size());
    Aligned<double> words = allocate<double>(num_words);
    fill(words.get(), mixing.letters, plan.start);
    std::vector<int> memory = plan.start;
    Passes passes = passes_of(plan, variant, memory);
    run_all(passes, words.get(), num_words < least_parallel ? 1 : threads);
    return probabilities(words.get(), memory);
}

}  // namespace ionbox

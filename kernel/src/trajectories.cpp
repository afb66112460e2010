#include "trajectories.hpp"

#include <algorithm>
#include <bit>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <span>

#include "crew.hpp"
#include "large_state.hpp"
#include "memory.hpp"
#include "small_state.hpp"
#include "sum_tree.hpp"

namespace ionbox {
namespace {

constexpr int most_small_qubits = 14;   // with more, a plan pays
constexpr int most_shared_qubits = 20;  // with more, threads work on one state together
constexpr std::size_t least_handed_on = 8;  // patterns that are worth another thread

// What is drawn, given the state of some shots.
struct Drawing {
    const Mask* flips;
    const double* uniforms;
    std::uint64_t* drawn;
};

// Finds what is drawn in shots of one state.
template <class Real>
class SmallReader {
public:
    SmallReader(const SmallStates<Real>& states, int num_qubits)
        : states_(states), tree_(num_qubits), weights_(states.num_weights()) {}

    void read(const Real* state, std::span<const std::size_t> shots, const Drawing& drawing) {
        bool is_padded = tree_.size() < weights_.size();
        states_.weigh(state, is_padded ? weights_.data() : tree_.weights());
        if (is_padded) std::copy_n(weights_.data(), tree_.size(), tree_.weights());
        tree_.add_up();
        for (std::size_t shot : shots) {
            double point = drawing.uniforms[shot] * tree_.total();
            Mask flips = drawing.flips[shot];
            drawing.drawn[shot] = tree_.find(point, flips) ^ flips;
        }
    }

private:
    const SmallStates<Real>& states_;
    SumTree tree_;
    std::vector<double> weights_;
};

// The same in two steps, since most large states have one shot.
template <class Real>
class LargeReader {
public:
    LargeReader(const LargeStates<Real>& states, int num_qubits)
        : states_(states), blocks_(num_qubits - block_bits), block_(block_bits) {}

    void read(const Real* state, std::span<const std::size_t> shots, const Drawing& drawing) {
        for (std::size_t block = 0; block < blocks_.size(); ++block)
            blocks_.weights()[block] = states_.weigh(state, block, block_.weights());
        blocks_.add_up();
        points_.clear();
        for (std::size_t shot : shots) {
            double point = drawing.uniforms[shot] * blocks_.total();
            std::size_t block = blocks_.find(point, drawing.flips[shot] >> block_bits);
            points_.push_back({block, point, shot});
        }
        std::sort(points_.begin(), points_.end(),
                  [](const Point& one, const Point& other) { return one.block < other.block; });
        const Point* before = nullptr;
        for (Point& point : points_) {
            if (before == nullptr || before->block != point.block) {
                states_.weigh(state, point.block, block_.weights());
                block_.add_up();
            }
            before = &point;
            Mask flips = drawing.flips[point.shot];
            std::size_t place = block_.find(point.left, flips);
            drawing.drawn[point.shot] = (point.block << block_bits | place) ^ flips;
        }
    }

private:
    struct Point {
        std::size_t block;
        double left;  // of what its uniform stands for
        std::size_t shot;
    };
    static constexpr int block_bits = LargeStates<Real>::block_bits;

    const LargeStates<Real>& states_;
    SumTree blocks_, block_;
    std::vector<Point> points_;
};

// What threads hand each other: ways to follow, and memory for states.
template <class Real>
class Pool {
public:
    struct Way {
        Aligned<Real> state;
        std::uint32_t act = 0;            // the first one that is not applied
        std::size_t first = 0, last = 0;  // patterns
    };

    explicit Pool(std::size_t state_size) : state_size_(state_size) {}

    Aligned<Real> take_state() {
        {
            std::lock_guard lock(mutex_);
            if (!unused_.empty()) {
                Aligned<Real> state = std::move(unused_.back());
                unused_.pop_back();
                return state;
            }
        }
        return allocate<Real>(state_size_);
    }

    void give_back(Aligned<Real> state) {
        std::lock_guard lock(mutex_);
        unused_.push_back(std::move(state));
    }

    void hand_on(Way way) {
        std::lock_guard lock(mutex_);
        ways_.push_back(std::move(way));
        ++num_open_;
        num_idle_.fetch_sub(1, std::memory_order_relaxed);
        changed_.notify_one();
    }

    // Whether a thread waits for a way.
    bool is_wanted() const { return num_idle_.load(std::memory_order_relaxed) > 0; }

    // Wait for a way; false when all are followed.
    bool take(Way& way) {
        std::unique_lock lock(mutex_);
        num_idle_.fetch_add(1, std::memory_order_relaxed);
        changed_.wait(lock, [&] { return !ways_.empty() || num_open_ == 0; });
        if (ways_.empty()) return false;
        way = std::move(ways_.back());
        ways_.pop_back();
        return true;
    }

    void finish_way() {
        std::lock_guard lock(mutex_);
        if (--num_open_ == 0) changed_.notify_all();
    }

    // Give up: what is not followed yet never will be.
    void fail(std::exception_ptr failure) {
        std::lock_guard lock(mutex_);
        failure_ = std::move(failure);
        num_open_ -= ways_.size();
        ways_.clear();
    }
    void rethrow() const {
        if (failure_) std::rethrow_exception(failure_);
    }

private:
    std::size_t state_size_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Aligned<Real>> unused_;
    std::vector<Way> ways_;
    std::size_t num_open_ = 0;
    std::atomic<int> num_idle_{0};
    std::exception_ptr failure_;
};

template <class Real, class States, class Reader>
class Walk {
public:
    using Way = typename Pool<Real>::Way;

    Walk(const Passage& passage, const Patterns& patterns, const States& states,
         const Drawing& drawing, Progress& progress)
        : passage_(passage), patterns_(patterns), states_(states), drawing_(drawing),
          progress_(progress), pool_(states.size()) {}

    void run(int threads) {
        Way whole{pool_.take_state(), 0, 0, patterns_.size()};
        states_.set_ground(whole.state.get());
        pool_.hand_on(std::move(whole));
        std::vector<Reader> readers(static_cast<std::size_t>(threads),
                                    Reader(states_, passage_.num_qubits));
        run_crew(threads, [&](int thread, Barrier&) {
            for (Way way; pool_.take(way); pool_.finish_way()) try {
                    follow(std::move(way), readers[static_cast<std::size_t>(thread)]);
                } catch (...) {
                    pool_.fail(std::current_exception());
                }
        });
        pool_.rethrow();
    }

private:
    // Follow some patterns, which are the same up to an act, to the end. Of those that part the
    // more keep the state, so that few states are alive at once.
    void follow(Way way, Reader& reader) {
        while (way.last - way.first > 1) {
            std::uint32_t number = first_difference(way.first, way.last - 1);
            std::uint32_t act = passage_.act_of_bit[number];
            advance(way, act);
            std::size_t middle = first_with(number, way.first, way.last);
            bool is_low_smaller = middle - way.first < way.last - middle;
            Way part{copy(way.state.get()), act, is_low_smaller ? way.first : middle,
                     is_low_smaller ? middle : way.last};
            (is_low_smaller ? way.first : way.last) = middle;
            if (part.last - part.first >= least_handed_on && pool_.is_wanted())
                pool_.hand_on(std::move(part));
            else
                follow(std::move(part), reader);
        }
        advance(way, static_cast<std::uint32_t>(passage_.acts.size()));
        read(way, reader);
        pool_.give_back(std::move(way.state));
    }

    void advance(Way& way, std::uint32_t act) const {
        states_.advance(way.state.get(), way.act, act, patterns_.pattern(way.first));
        way.act = act;
    }

    Aligned<Real> copy(const Real* state) {
        Aligned<Real> copied = pool_.take_state();
        std::copy_n(state, states_.size(), copied.get());
        return copied;
    }

    std::uint32_t first_difference(std::size_t one, std::size_t other) const {
        const std::uint64_t *a = patterns_.pattern(one), *b = patterns_.pattern(other);
        std::uint32_t word = 0;
        while (a[word] == b[word]) ++word;
        return 64 * word + static_cast<std::uint32_t>(std::countl_zero(a[word] ^ b[word]));
    }

    // The first of some patterns that has a bit; they are the same before it.
    std::size_t first_with(std::uint32_t number, std::size_t first, std::size_t last) const {
        while (first < last) {
            std::size_t middle = first + (last - first) / 2;
            if (has_bit(patterns_.pattern(middle), number))
                last = middle;
            else
                first = middle + 1;
        }
        return first;
    }

    void read(const Way& way, Reader& reader) {
        std::size_t first = patterns_.starts[way.first], last = patterns_.starts[way.first + 1];
        reader.read(way.state.get(), {patterns_.shots.data() + first, last - first}, drawing_);
        progress_.done.fetch_add(last - first, std::memory_order_relaxed);
    }

    const Passage& passage_;
    const Patterns& patterns_;
    const States& states_;
    const Drawing& drawing_;
    Progress& progress_;
    Pool<Real> pool_;
};

}  // namespace

template <class Real>
void follow(const Circuit& circuit, const Errors& errors, const double* uniforms,
            std::size_t num_shots, std::uint64_t* drawn, const Settings& settings) {
    if (num_shots == 0) return;
    settings.progress.total += num_shots;
    Passage passage = passage_of(circuit);
    Patterns patterns = patterns_of(passage, errors, num_shots);
    Drawing drawing{patterns.flips.data(), uniforms, drawn};
    if (circuit.num_qubits <= most_small_qubits) {
        SmallStates<Real> states(passage, settings.variant);
        Walk<Real, SmallStates<Real>, SmallReader<Real>>(
            passage, patterns, states, drawing, settings.progress).run(settings.threads);
        return;
    }
    bool is_shared = circuit.num_qubits > most_shared_qubits;
    LargeStates<Real> states(passage, settings.variant, is_shared ? settings.threads : 1);
    Walk<Real, LargeStates<Real>, LargeReader<Real>>(
        passage, patterns, states, drawing, settings.progress)
        .run(is_shared ? 1 : settings.threads);
}

template void follow<float>(const Circuit&, const Errors&, const double*, std::size_t,
                            std::uint64_t*, const Settings&);
template void follow<double>(const Circuit&, const Errors&, const double*, std::size_t,
                             std::uint64_t*, const Settings&);

}  // namespace ionbox

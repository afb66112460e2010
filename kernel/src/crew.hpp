// Threads for one call: made for it, gone after it, so that nothing survives into a fork.
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <thread>
#include <vector>

namespace ionbox {

// Where threads wait for each other. They look for a while before they sleep: to be woken up takes
// as long as a pass over a small state.
class Barrier {
public:
    void set_count(int count) { count_ = count; }

    void wait() {
        int round = round_.load(std::memory_order_acquire);
        if (waiting_.fetch_add(1, std::memory_order_acq_rel) + 1 == count_) {
            waiting_.store(0, std::memory_order_relaxed);
            round_.store(round + 1, std::memory_order_release);
            round_.notify_all();
            return;
        }
        for (int look = 0; look < most_looks; ++look) {
            if (round_.load(std::memory_order_acquire) != round) return;
            pause();
        }
        round_.wait(round, std::memory_order_acquire);
    }

private:
    static constexpr int most_looks = 2000;  // about 30 microseconds

    static void pause() {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        asm volatile("yield");
#endif
    }

    std::atomic<int> waiting_{0}, round_{0};
    int count_ = 1;
};

// Run `work(thread, barrier)` on up to `threads` threads, this one among them; wait for all.
//
// Where the system gives fewer threads, fewer run. `work` must not throw.
inline void run_crew(int threads, const std::function<void(int, Barrier&)>& work) {
    Barrier barrier;
    std::atomic<bool> is_complete{false};
    std::vector<std::thread> others;
    others.reserve(static_cast<std::size_t>(threads));
    for (int thread = 1; thread < threads; ++thread) {
        try {
            others.emplace_back([&, number = static_cast<int>(others.size()) + 1] {
                is_complete.wait(false);
                work(number, barrier);
            });
        } catch (const std::exception&) {
            break;
        }
    }
    barrier.set_count(static_cast<int>(others.size()) + 1);
    is_complete = true;
    is_complete.notify_all();
    work(0, barrier);
    for (std::thread& other : others) other.join();
}

}  // namespace ionbox

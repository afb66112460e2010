// Threads for one call: made for it, gone after it, so that nothing survives into a fork.
#pragma once

#include <barrier>
#include <cstddef>
#include <functional>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

namespace ionbox {

// Run `work(thread, barrier)` on up to `threads` threads, this one among them; wait for all.
//
// Where the system gives fewer threads, fewer run. `work` must not throw.
inline void run_crew(
    int threads, const std::function<void(int, std::barrier<>&)>& work) {
    std::optional<std::barrier<>> barrier;
    std::barrier<> start(threads);
    std::vector<std::thread> others;
    others.reserve(static_cast<std::size_t>(threads));
    int missing = 0;
    for (int thread = 1; thread < threads; ++thread) {
        try {
            others.emplace_back([&, thread] {
                start.arrive_and_wait();
                work(thread, *barrier);
            });
        } catch (const std::system_error&) {
            ++missing;
        }
    }
    barrier.emplace(threads - missing);
    for (; missing > 0; --missing) start.arrive_and_drop();
    start.arrive_and_wait();
    work(0, *barrier);
    for (std::thread& other : others) other.join();
}

}  // namespace ionbox

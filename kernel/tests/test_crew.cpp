// Threads of one call.
#include <atomic>

#include "check.hpp"
#include "crew.hpp"

TEST(each_number_runs_once) {
    for (int threads : {1, 2, 3, 8}) {
        std::vector<std::atomic<int>> runs(static_cast<std::size_t>(threads));
        ionbox::run_crew(threads, [&](int thread, ionbox::Barrier&) {
            runs[static_cast<std::size_t>(thread)].fetch_add(1);
        });
        for (const std::atomic<int>& count : runs) CHECK(count == 1);
    }
}

TEST(nobody_passes_a_barrier_before_all_have_come) {
    constexpr int threads = 4, steps = 200;
    std::atomic<int> arrived{0};
    std::atomic<bool> is_good{true};
    ionbox::run_crew(threads, [&](int, ionbox::Barrier& barrier) {
        for (int step = 1; step <= steps; ++step) {
            arrived.fetch_add(1);
            barrier.wait();
            if (arrived.load() < threads * step) is_good = false;
            barrier.wait();
        }
    });
    CHECK(is_good);
    CHECK(arrived == threads * steps);
}

// The limits of this machine, as one line of JSON: what a simulation can be held against.
//
//     limits <threads> [<qubits> ...]
//
// A pass reads and writes a vector of 2^qubits amplitudes of two floats in place; the bytes of both
// ways are counted. A touch is what it costs to get such a vector from the system, filled with
// zeros. Figures are the best of several.
#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>
#include <vector>

#include <sys/mman.h>

namespace {

constexpr int rounds = 5;
constexpr int vector_bytes = 64;  // as two or four registers where they are narrower
constexpr std::size_t lanes = vector_bytes / sizeof(float);
constexpr std::size_t small_pass_bytes = std::size_t{1} << 28;  // so much is moved at least
typedef float Vector __attribute__((vector_size(vector_bytes)));

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

// Run `work(thread)` on all threads at once, several times; return the best time in seconds.
double best_seconds(int threads, const std::function<void(int)>& work) {
    std::barrier<> barrier(threads);
    double best = 1e300;
    auto repeat = [&](int thread) {
        for (int round = 0; round < rounds; ++round) {
            barrier.arrive_and_wait();
            double start = now();
            work(thread);
            barrier.arrive_and_wait();
            if (thread == 0) best = std::min(best, now() - start);
        }
    };
    std::vector<std::thread> others;
    for (int thread = 1; thread < threads; ++thread) others.emplace_back(repeat, thread);
    repeat(0);
    for (std::thread& other : others) other.join();
    return best;
}

float* new_floats(std::size_t bytes) {
    void* memory =
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        std::fprintf(stderr, "no %zu bytes of memory\n", bytes);
        std::exit(1);
    }
#ifdef MADV_HUGEPAGE
    madvise(memory, bytes, MADV_HUGEPAGE);
#endif
    return static_cast<float*>(memory);
}

// Call `work(from, to)` for one thread's part of the vectors.
template <class Work>
void on_part(std::size_t num_vectors, int thread, int threads, const Work& work) {
    auto parts = static_cast<std::size_t>(threads), part = static_cast<std::size_t>(thread);
    work(num_vectors * part / parts, num_vectors * (part + 1) / parts);
}

double pass_bytes_per_second(std::size_t bytes, int threads) {
    float* floats = new_floats(bytes);
    auto* vectors = reinterpret_cast<Vector*>(floats);
    std::size_t num_vectors = bytes / vector_bytes;
    std::size_t repeats = std::max<std::size_t>(1, small_pass_bytes / bytes);
    double seconds = best_seconds(threads, [&](int thread) {
        for (std::size_t repeat = 0; repeat < repeats; ++repeat)
            on_part(num_vectors, thread, threads, [&](std::size_t from, std::size_t to) {
                for (std::size_t k = from; k < to; ++k) vectors[k] = vectors[k] * 0.5f + 1.0f;
            });
    });
    munmap(floats, bytes);
    return 2.0 * static_cast<double>(bytes * repeats) / seconds;
}

double touch_bytes_per_second(std::size_t bytes, int threads) {
    constexpr std::size_t page = 4096;
    double best = 1e300;
    for (int round = 0; round < rounds; ++round) {
        float* floats = new_floats(bytes);
        double start = now();
        std::vector<std::thread> crew;
        for (int thread = 0; thread < threads; ++thread)
            crew.emplace_back([&, thread] {
                on_part(bytes / page, thread, threads, [&](std::size_t from, std::size_t to) {
                    for (std::size_t k = from; k < to; ++k) floats[k * page / sizeof(float)] = 1;
                });
            });
        for (std::thread& each : crew) each.join();
        best = std::min(best, now() - start);
        munmap(floats, bytes);
    }
    return static_cast<double>(bytes) / best;
}

double flops_per_second(int threads) {
    constexpr std::size_t steps = 20'000'000;
    constexpr int chains = 12;  // so many are under way at once that none waits for the one before
    double seconds = best_seconds(threads, [](int) {
        volatile float unknown = 1;  // or the compiler would compute one chain, or none
        Vector sums[chains];
        for (int k = 0; k < chains; ++k) sums[k] = Vector{} + unknown * static_cast<float>(k);
        for (std::size_t step = 0; step < steps; ++step)
#pragma GCC unroll 12
            for (int k = 0; k < chains; ++k) sums[k] = sums[k] * 0.5f + 1.0f;
        for (const Vector& sum : sums) unknown = sum[0];
    });
    return 2.0 * static_cast<double>(lanes * steps) * chains * threads / seconds;
}

void print_limits(int threads, const std::vector<int>& widths) {
    std::printf("{\"flops\": %.4g, \"passes\": {", flops_per_second(threads));
    const char* comma = "";
    for (int width : widths) {
        std::printf("%s\"%d\": %.4g", comma, width,
                    pass_bytes_per_second(std::size_t{8} << width, threads));
        comma = ", ";
    }
    std::printf("}, \"touch\": %.4g}",
                touch_bytes_per_second(std::size_t{8} << widths.back(), threads));
}

}  // namespace

int main(int count, char** arguments) {
    int threads = count > 1 ? std::atoi(arguments[1]) : 1;
    std::vector<int> widths;
    for (int k = 2; k < count; ++k) widths.push_back(std::atoi(arguments[k]));
    if (threads < 1 || widths.empty()) {
        std::fprintf(stderr, "usage: limits <threads> <qubits> ...\n");
        return 1;
    }
    std::printf("{\"1\": ");
    print_limits(1, widths);
    std::printf(", \"%d\": ", threads);
    print_limits(threads, widths);
    std::printf("}\n");
}

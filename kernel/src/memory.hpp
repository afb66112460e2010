// Memory as vectors want it, in huge pages where the system has them.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace ionbox {

struct Free {
    void operator()(void* memory) const { std::free(memory); }
};

template <class Real>
using Aligned = std::unique_ptr<Real[], Free>;

constexpr std::size_t huge_page = std::size_t{1} << 21;

// Uninitialised numbers, aligned to a cache line. Throws std::bad_alloc.
template <class Real>
Aligned<Real> allocate(std::size_t count) {
    std::size_t bytes = count * sizeof(Real), alignment = bytes >= huge_page ? huge_page : 64;
    bytes = (bytes + alignment - 1) / alignment * alignment;
    void* memory = std::aligned_alloc(alignment, bytes > 0 ? bytes : alignment);
    if (memory == nullptr) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
    if (bytes >= huge_page) madvise(memory, bytes, MADV_HUGEPAGE);  // a wish: small pages do too
#endif
    return Aligned<Real>(static_cast<Real*>(memory));
}

// A count of numbers, rounded up to whole cache lines.
constexpr std::size_t whole_lines(std::size_t count) { return (count + 15) / 16 * 16; }

// Memory in small pieces, aligned as from `allocate`, until all of it is given back.
template <class Real>
class Arena {
public:
    Real* take(std::size_t count) {
        constexpr std::size_t line = 64 / sizeof(Real);
        count = (count + line - 1) / line * line;
        if (count > left_) {
            left_ = count > chunk ? count : chunk;
            chunks_.push_back(allocate<Real>(left_));
            next_ = chunks_.back().get();
        }
        Real* taken = next_;
        next_ += count;
        left_ -= count;
        return taken;
    }

private:
    static constexpr std::size_t chunk = std::size_t{1} << 14;

    std::vector<Aligned<Real>> chunks_;
    Real* next_ = nullptr;
    std::size_t left_ = 0;
};

}  // namespace ionbox

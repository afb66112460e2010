// Vectors of an instruction set, and what exchanges their lanes. Part of tile.cpp, which is
// compiled for each set anew: nothing here may be seen by other files.
#pragma once

#include <cstddef>
#include <cstdint>

#include "variant.hpp"

namespace ionbox {
namespace {

using std::size_t;
using std::uint64_t;

template <class Real>
struct Vectors;
template <>
struct Vectors<float> {
    typedef float Vector __attribute__((vector_size(VECTOR_BYTES)));
    typedef int Mask __attribute__((vector_size(VECTOR_BYTES)));
};
template <>
struct Vectors<double> {
    typedef double Vector __attribute__((vector_size(VECTOR_BYTES)));
    typedef long long Mask __attribute__((vector_size(VECTOR_BYTES)));
};

template <int... numbers>
struct Numbers {};
template <int count, int... numbers>
struct UpTo : UpTo<count - 1, count - 1, numbers...> {};
template <int... numbers>
struct UpTo<0, numbers...> {
    using Type = Numbers<numbers...>;
};

// GCC counts, Clang unrolls what has a known end.
#ifdef __clang__
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif
#define INLINE static inline __attribute__((always_inline))
#define STEP __attribute__((always_inline)) inline void

template <class Real>
struct InLanes {
    using Vector = typename Vectors<Real>::Vector;
    using LaneMask = typename Vectors<Real>::Mask;
    static constexpr int lanes = VECTOR_BYTES / sizeof(Real);
    static constexpr int lane_bits = __builtin_ctz(lanes);
    using Lanes = typename UpTo<lanes>::Type;

    INLINE Vector load(const Real* from) {
        Vector vector;
        __builtin_memcpy(&vector, from, sizeof vector);
        return vector;
    }
    INLINE void store(Real* to, Vector vector) { __builtin_memcpy(to, &vector, sizeof vector); }

    // Every other number of two neighbours, from `start` on: real or imaginary parts.
    template <int start>
    INLINE Vector every_other(Vector low, Vector high) {
        return every_other<start>(low, high, Lanes{});
    }
    // The first or second half of both parts, in turn.
    template <int start>
    INLINE Vector interleave(Vector re, Vector im) {
        return interleave<start>(re, im, Lanes{});
    }
    // Lane k is what lane k ^ flips was.
    template <int flips>
    INLINE Vector exchange(Vector vector) {
        return exchange<flips>(vector, Lanes{});
    }
    // -1 in the lanes in whose number a bit is 0, else 1.
    template <int lane_bit>
    INLINE Vector signs() {
        return signs<lane_bit>(Lanes{});
    }
    // All ones in the lanes in whose number a bit is 1.
    template <int lane_bit>
    INLINE LaneMask ones() {
        return ones<lane_bit>(Lanes{});
    }

private:
    template <int start, int... k>
    INLINE Vector every_other(Vector low, Vector high, Numbers<k...>) {
        return __builtin_shufflevector(low, high, (2 * k + start)...);
    }
    template <int start, int... k>
    INLINE Vector interleave(Vector re, Vector im, Numbers<k...>) {
        return __builtin_shufflevector(re, im, (start + k / 2 + (k % 2) * lanes)...);
    }
    template <int flips, int... k>
    INLINE Vector exchange(Vector vector, Numbers<k...>) {
        return __builtin_shufflevector(vector, vector, (k ^ flips)...);
    }
    template <int lane_bit, int... k>
    INLINE Vector signs(Numbers<k...>) {
        return Vector{(k >> lane_bit & 1 ? Real{1} : Real{-1})...};
    }
    template <int lane_bit, int... k>
    INLINE LaneMask ones(Numbers<k...>) {
        return LaneMask{(k >> lane_bit & 1 ? -1 : 0)...};
    }
};

}  // namespace
}  // namespace ionbox

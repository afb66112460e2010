// States that fit into the caches of a core: each act is one sweep over all of the state, ready
// before the first shot, so that nothing is planned on the way.
#pragma once

#include <bit>
#include <vector>

#include "memory.hpp"
#include "passage.hpp"
#include "variant.hpp"

namespace ionbox {

// An operation as a sweep whose table lies in `tables`.
template <class Real>
Sweep<Real> sweep_of(const Operation& operation, int lane_bits, Arena<Real>& tables);

template <class Real>
class SmallStates {
public:
    SmallStates(const Passage& passage, const Variant& variant);

    std::size_t size() const { return 2 * parts_distance(num_vectors_, lanes()); }
    void set_ground(Real* state) const;
    std::size_t num_vectors() const { return num_vectors_; }

    // Apply the acts from `first` to before `end`, as a pattern says.
    void advance(Real* state, std::uint32_t first, std::uint32_t end,
                 const std::uint64_t* pattern) const;

    // Write the squared magnitudes, of at least a vector of lanes.
    void weigh(const Real* state, double* weights) const;
    std::size_t num_weights() const { return num_vectors_ * lanes(); }

private:
    std::size_t lanes() const { return std::size_t{1} << lane_bits_; }
    void apply(const Sweep<Real>& sweep, Real* state) const;

    const Passage& passage_;
    const Variant& variant_;
    int lane_bits_;
    std::size_t num_vectors_;
    Arena<Real> tables_;
    std::vector<Sweep<Real>> sweeps_;         // of each act: as it is, and turned round
    std::vector<Sweep<Real>> flips_, signs_;  // of each qubit
};

}  // namespace ionbox

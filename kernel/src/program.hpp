// A stage made ready for its tiles: groups of steps, with all their tables.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <vector>

#include "circuit.hpp"
#include "memory.hpp"
#include "variant.hpp"

namespace ionbox {

// What registers of a variant and a precision hold.
struct Registers {
    int lane_bits;
    int places;
};

// Phases of one point in a group, as products over pairs of bits at most.
class RowFactors {
public:
    // A phase on places of the tile, which may also depend on qubits outside.
    struct Phase {
        Mask controls, parity, far_controls, far_parity;
        Complex even, odd;

        bool is_quadratic() const;
        bool has_far() const { return far_controls != 0 || far_parity != 0; }
    };

    // group_places and base_places: of the tile, ascending.
    RowFactors(std::vector<Phase> phases, std::vector<int> group_places,
               std::vector<int> base_places);

    bool has_far() const { return has_far_; }

    // Numbers of the tables that depend on the tile.
    std::size_t size() const { return 2 * (num_bases() + num_members()); }

    // Write the tables for a tile. `products` has room for `num_products()`: threads that fill
    // tables take no memory of their own.
    template <class Real>
    Rows<Real> fill(Mask first, Real* tables, const Real* edges, Complex* products) const;
    std::size_t num_products() const { return std::max(num_bases(), num_members()); }

    std::size_t edges_size() const { return num_bases() * 2 * (most_group_bits + 1); }
    template <class Real>
    void fill_edges(Real* edges) const;

private:
    static constexpr int most_places = 16;  // of a tile

    std::size_t num_bases() const { return std::size_t{1} << base_places_.size(); }
    std::size_t num_members() const { return std::size_t{1} << group_places_.size(); }
    Complex& pair(int a, int b) { return pairs_[static_cast<std::size_t>(a * most_places + b)]; }
    Complex pair(int a, int b) const {
        return pairs_[static_cast<std::size_t>(a * most_places + b)];
    }
    void multiply(const Phase& phase, Mask first, Complex& constant, Complex* linear) const;
    void multiply_pair(int a, int b, Complex factor);
    std::vector<Complex> pair_products(const std::vector<int>& places) const;

    std::vector<Phase> phases_;
    std::vector<int> group_places_, base_places_;
    std::vector<Complex> pairs_, corner_pairs_, member_pairs_;
    std::uint64_t crossing_ = 0;
    bool has_far_ = false;
};

template <class Real>
class Program {
public:
    Program(const Stage& stage, int num_padded, Registers registers);

    const std::vector<Group<Real>>& groups() const { return groups_; }
    Complex scale() const { return scale_; }

    // Room that the tables of one tile take, in numbers.
    std::size_t scratch_size() const { return scratch_size_; }
    std::size_t num_rows() const { return row_factors_.size(); }

    std::size_t num_products() const;

    // Make what depends on the tile: `rows` has num_rows() entries, `products` num_products().
    void prepare(Mask first, Rows<Real>* rows, Real* scratch, Complex* products) const;

private:
    class Builder;

    std::vector<Group<Real>> groups_;
    std::deque<std::vector<Step<Real>>> steps_;
    Arena<Real> tables_;
    std::vector<RowFactors> row_factors_;
    std::vector<Rows<Real>> rows_;  // the same for all tiles, or with edges only
    std::size_t scratch_size_ = 0;
    Complex scale_ = 1;  // of all amplitudes: it waits for the end
};

}  // namespace ionbox

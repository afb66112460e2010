// Sums of weights in a tree, which finds what a uniform stands for, however qubits are flipped.
#pragma once

#include <cstddef>
#include <vector>

#include "circuit.hpp"

namespace ionbox {

class SumTree {
public:
    explicit SumTree(int num_bits) : num_bits_(num_bits), nodes_(std::size_t{2} << num_bits) {}

    // Where the 2**num_bits weights are written, before `add_up`.
    double* weights() { return nodes_.data() + size(); }
    std::size_t size() const { return std::size_t{1} << num_bits_; }

    void add_up() {
        for (std::size_t level = size() / 2; level != 0; level /= 2)
            for (std::size_t node = level; node < 2 * level; ++node)
                nodes_[node] = nodes_[2 * node] + nodes_[2 * node + 1];
    }
    double total() const { return nodes_[1]; }

    // Return the place in which a point between 0 and the total lies, if places are ordered by
    // their number with some bits flipped, and what of the point is left there. It is never one
    // with weight zero: rounding may put a point at or past an end.
    std::size_t find(double& point, Mask flips) const {
        std::size_t node = 1;
        for (int place = num_bits_; place-- > 0;) {
            std::size_t first = 2 * node + (flips >> place & 1), last = first ^ 1;
            bool is_first = point < nodes_[first] || nodes_[last] <= 0;
            if (!is_first) point -= nodes_[first];
            node = is_first ? first : last;
        }
        return node - size();
    }

private:
    int num_bits_;
    std::vector<double> nodes_;
};

}  // namespace ionbox

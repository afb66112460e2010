#include "large_state.hpp"

#include "fusion.hpp"
#include "patterns.hpp"

namespace ionbox {
namespace {

constexpr int least_fused = 12;  // qubits, as in `lower`

// The operations of acts as a pattern says.
std::vector<Operation> operations_of(
    const Passage& passage, std::uint32_t first, std::uint32_t end, const std::uint64_t* pattern) {
    std::vector<Operation> operations;
    for (std::uint32_t k = first; k < end; ++k) {
        const Act& act = passage.acts[k];
        visit(
            act, pattern, [&](int qubit) { operations.push_back(flip_of(qubit)); },
            [&](int qubit) { operations.push_back(sign_of(qubit)); },
            [&](bool is_turned) {
                operations.push_back(is_turned ? turned_round(act.operation) : act.operation);
            });
    }
    return operations;
}

}  // namespace

template <class Real>
void LargeStates<Real>::advance(
    Real* state, std::uint32_t first, std::uint32_t end, const std::uint64_t* pattern) const {
    if (first == end) return;
    int num_qubits = passage_.num_qubits;
    std::vector<Operation> operations = operations_of(passage_, first, end, pattern);
    if (num_qubits >= least_fused) operations = fuse_pairs(std::move(operations), num_qubits);
    Cut cut{num_qubits, tile_qubits<Real>(num_qubits), 0, false};
    std::vector<Stage> stages = cut_into_stages(std::move(operations), cut);
    Progress unread;
    execute<Real>(stages, {num_qubits, state, nullptr, ~Mask{0}, places_}, variant_, threads_,
                  unread);
}

template <class Real>
double LargeStates<Real>::weigh(const Real* state, std::size_t block, double* weights) const {
    constexpr std::size_t lanes = 8;  // sums that run beside each other
    std::size_t size = std::size_t{1} << block_bits;
    const Real* from = state + 2 * size * block;
    double sums[lanes] = {};
    for (std::size_t k = 0; k < size; ++k) {
        double a = from[2 * k], b = from[2 * k + 1];
        weights[k] = a * a + b * b;
    }
    for (std::size_t k = 0; k < size; k += lanes)
        for (std::size_t lane = 0; lane < lanes; ++lane) sums[lane] += weights[k + lane];
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) +
           ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

template class LargeStates<float>;
template class LargeStates<double>;

}  // namespace ionbox

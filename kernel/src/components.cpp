#include "components.hpp"

#include <algorithm>
#include <atomic>
#include <bit>

#include "crew.hpp"

namespace ionbox {
namespace {

Mask qubits_of(const Operation& operation) { return operation.mixed() | operation.diagonal(); }

// Sets of places that operations connect.
std::vector<Mask> connected(const std::vector<Operation>& operations) {
    std::vector<Mask> sets;
    for (const Operation& operation : operations) {
        Mask joined = qubits_of(operation);
        std::erase_if(sets, [&](Mask set) {
            bool meets = (set & joined) != 0;
            if (meets) joined |= set;
            return meets;
        });
        sets.push_back(joined);
    }
    return sets;
}

Mask renamed(Mask places, const std::vector<int>& index_of) {
    Mask mask = 0;
    for (; places != 0; places &= places - 1)
        mask |= bit(index_of[static_cast<std::size_t>(std::countr_zero(places))]);
    return mask;
}

Operation renamed(Operation operation, const std::vector<int>& index_of) {
    operation.controls = renamed(operation.controls, index_of);
    operation.parity = renamed(operation.parity, index_of);
    for (int& target : operation.targets)
        if (target >= 0) target = index_of[static_cast<std::size_t>(target)];
    return operation;
}

// Which index of a factor a run of neighbours among the results, or one of them, stands for.
template <class Real>
struct Lookup {
    const Real* weights;
    std::vector<std::size_t> low, high;

    Lookup(const Factor<Real>& factor, int num_low, int num_high)
        : weights(factor.weights.get()),
          low(sums(factor.qubits, 0, num_low)),
          high(sums(factor.qubits, num_low, num_high)) {}

    // For each number over some qubits: the sum of what those that the factor has stand for.
    static std::vector<std::size_t> sums(const std::vector<int>& qubits, int first, int count) {
        std::vector<std::size_t> found{0};
        for (int qubit = first; qubit < first + count; ++qubit) {
            auto place = std::find(qubits.begin(), qubits.end(), qubit);
            std::size_t part = place == qubits.end()
                                   ? 0
                                   : std::size_t{1} << (place - qubits.begin());
            std::size_t size = found.size();
            for (std::size_t k = 0; k < size; ++k) found.push_back(found[k] + part);
        }
        return found;
    }
};

// The products of two factors whose qubits together are all of `num_qubits`.
template <class Real>
void multiply_two(
    const Factor<Real>& a, const Factor<Real>& b, int num_qubits, int threads, Real* out) {
    int num_low = num_qubits / 2, num_high = num_qubits - num_low;
    Lookup<Real> in_a(a, num_low, num_high), in_b(b, num_low, num_high);
    std::size_t length = std::size_t{1} << num_low, num_runs = std::size_t{1} << num_high;
    std::atomic<std::size_t> next_run{0};
    run_crew(static_cast<int>(std::min<std::size_t>(static_cast<std::size_t>(threads), num_runs)),
             [&](int, Barrier&) {
                 std::size_t run;
                 while ((run = next_run.fetch_add(1, std::memory_order_relaxed)) < num_runs) {
                     const Real* from_a = in_a.weights + in_a.high[run];
                     const Real* from_b = in_b.weights + in_b.high[run];
                     Real* to = out + (run << num_low);
                     for (std::size_t k = 0; k < length; ++k)
                         to[k] = from_a[in_a.low[k]] * from_b[in_b.low[k]];
                 }
             });
}

// Join two factors into one of the qubits of both.
template <class Real>
Factor<Real> joined(Factor<Real> a, Factor<Real> b) {
    std::vector<int> qubits;
    std::merge(a.qubits.begin(), a.qubits.end(), b.qubits.begin(), b.qubits.end(),
               std::back_inserter(qubits));
    auto number = [&](std::vector<int>& own) {
        for (int& qubit : own)
            qubit = static_cast<int>(
                std::find(qubits.begin(), qubits.end(), qubit) - qubits.begin());
    };
    number(a.qubits);
    number(b.qubits);
    int count = static_cast<int>(qubits.size());
    Factor<Real> both{std::move(qubits), allocate<Real>(std::size_t{1} << count)};
    multiply_two(a, b, count, 1, both.weights.get());
    return both;
}

template <class Real>
Factor<Real> still_zero(std::vector<int> qubits) {
    std::size_t size = std::size_t{1} << qubits.size();
    Factor<Real> factor{std::move(qubits), allocate<Real>(size)};
    std::fill_n(factor.weights.get(), size, Real{0});
    factor.weights[0] = 1;
    return factor;
}

}  // namespace

bool is_connected(const Lowered& lowered) {
    std::vector<Mask> sets = connected(lowered.operations);
    return sets.size() == 1 && sets[0] == all_bits(static_cast<int>(lowered.place_of.size()));
}

std::vector<Component> components_of(const Lowered& lowered) {
    std::vector<Component> components;
    for (Mask places : connected(lowered.operations)) {
        Component component;
        std::vector<int> index_of(lowered.place_of.size(), -1);
        for (std::size_t qubit = 0; qubit < lowered.place_of.size(); ++qubit) {
            int place = lowered.place_of[qubit];
            if (!(places >> place & 1)) continue;
            index_of[static_cast<std::size_t>(place)] = static_cast<int>(component.qubits.size());
            component.qubits.push_back(static_cast<int>(qubit));
        }
        for (const Operation& operation : lowered.operations)
            if (qubits_of(operation) & places)
                component.operations.push_back(renamed(operation, index_of));
        components.push_back(std::move(component));
    }
    return components;
}

template <class Real>
void multiply_out(std::vector<Factor<Real>> factors, int num_qubits, int threads, Real* out) {
    std::vector<int> missing;
    for (int qubit = 0; qubit < num_qubits; ++qubit)
        if (std::none_of(factors.begin(), factors.end(), [&](const Factor<Real>& factor) {
                return std::binary_search(factor.qubits.begin(), factor.qubits.end(), qubit);
            }))
            missing.push_back(qubit);
    factors.push_back(still_zero<Real>(std::move(missing)));
    factors.push_back(still_zero<Real>({}));  // so that there are two at least
    auto is_wider = [](const Factor<Real>& a, const Factor<Real>& b) {
        return a.qubits.size() > b.qubits.size();
    };
    while (factors.size() > 2) {
        std::stable_sort(factors.begin(), factors.end(), is_wider);
        Factor<Real> a = std::move(factors.back());
        factors.pop_back();
        Factor<Real> b = std::move(factors.back());
        factors.pop_back();
        factors.push_back(joined(std::move(a), std::move(b)));
    }
    multiply_two(factors[0], factors[1], num_qubits, threads, out);
}

template void multiply_out(std::vector<Factor<float>>, int, int, float*);
template void multiply_out(std::vector<Factor<double>>, int, int, double*);

}  // namespace ionbox

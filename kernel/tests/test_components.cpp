// Qubits that never meet, and the products of what they become.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "check.hpp"
#include "components.hpp"
#include "run.hpp"

using ionbox::Component;
using ionbox::Factor;

namespace {

const std::vector<Complex> x = {0, 1, 1, 0};

std::vector<Component> components_of(int num_qubits, std::vector<Step> steps) {
    return ionbox::components_of(lowered({num_qubits, std::move(steps)}, true));
}

std::vector<int> qubits_of(const Component& component) { return component.qubits; }

template <class Real>
Factor<Real> random_factor(Random& random, std::vector<int> qubits) {
    std::sort(qubits.begin(), qubits.end());
    std::size_t size = std::size_t{1} << qubits.size();
    Factor<Real> factor{qubits, ionbox::allocate<Real>(size)};
    for (std::size_t k = 0; k < size; ++k)
        factor.weights[k] = static_cast<Real>(random.below(1000)) / 1000;
    return factor;
}

// Cut the qubits, in any order, into factors; the last ones belong to none.
template <class Real>
std::vector<Factor<Real>> random_factors(Random& random, int num_qubits) {
    std::vector<Factor<Real>> factors;
    std::vector<int> all = random.qubits(num_qubits, num_qubits);
    for (auto at = all.begin(); all.end() - at > 2;) {
        auto count = 1 + random.below(static_cast<int>(all.end() - at) - 2);
        factors.push_back(random_factor<Real>(random, {at, at + count}));
        at += count;
    }
    return factors;
}

template <class Real>
std::vector<double> products(const std::vector<Factor<Real>>& factors, int num_qubits) {
    std::vector<double> found;
    for (std::size_t index = 0; index < std::size_t{1} << num_qubits; ++index) {
        double product = 1;
        std::size_t rest = index;
        for (const Factor<Real>& factor : factors) {
            product *= static_cast<double>(factor.weights[read_bits(index, factor.qubits)]);
            rest = write_bits(rest, factor.qubits, 0);
        }
        found.push_back(rest ? 0 : product);
    }
    return found;
}

template <class Real>
void check_products(Random& random, int num_qubits, int threads) {
    auto factors = random_factors<Real>(random, num_qubits);
    auto expected = products(factors, num_qubits);
    auto out = ionbox::allocate<Real>(expected.size());
    ionbox::multiply_out(std::move(factors), num_qubits, threads, out.get());
    for (std::size_t k = 0; k < expected.size(); ++k)
        CHECK(std::abs(static_cast<double>(out[k]) - expected[k]) < 1e-6);
}

}  // namespace

TEST(operations_connect_qubits) {
    auto found = components_of(7, {{{0}, {4}, x}, {{2}, {6}, x}, {{4}, {5}, x}, {{3}, {}, x}});
    CHECK(found.size() == 3);  // qubit 1 stays 0
    std::ranges::sort(found, {}, qubits_of);
    CHECK((found[0].qubits == std::vector<int>{0, 4, 5}));
    CHECK((found[1].qubits == std::vector<int>{2, 6}));
    CHECK((found[2].qubits == std::vector<int>{3}));
    CHECK(found[0].operations.size() == 2);
}

TEST(a_component_numbers_its_qubits_by_itself) {
    auto found = components_of(7, {{{2}, {6}, x}, {{2, 6}, {}, {1, -1}}});
    CHECK(found.size() == 1);
    CHECK(found[0].operations[0].mixed() == 0b01);
    CHECK(found[0].operations[0].controls == 0b10);
    CHECK(found[0].operations[1].parity == 0b11);
}

TEST(a_component_counts_qubits_as_they_end_up) {
    auto found = components_of(4, {{{1}, {0}, x}, {{0, 3}, {}, swap_entries}});
    CHECK(found.size() == 1);
    CHECK((found[0].qubits == std::vector<int>{1, 3}));
    CHECK(found[0].operations[0].mixed() == 0b01);
    CHECK(found[0].operations[0].controls == 0b10);
}

TEST(no_operations_have_no_components) { CHECK(components_of(5, {}).empty()); }

TEST(factors_multiply_and_other_qubits_stay_0) {
    Random random(1);
    for (int round = 0; round < 40; ++round)
        for (int threads : {1, 3}) {
            check_products<float>(random, 1 + round % 13, threads);
            check_products<double>(random, 1 + round % 13, threads);
        }
}

// Tables of factors, against the product of the phases they stand for.
#include <bit>
#include <cmath>

#include "check.hpp"
#include "program.hpp"
#include "reference.hpp"

using ionbox::bit;
using ionbox::RowFactors;
using Phase = RowFactors::Phase;

namespace {

constexpr int num_places = 10;

// The tile's places in a group, and the others.
struct Split {
    std::vector<int> group, base;
};

Complex factor_of(const Phase& phase, Mask index, Mask first) {
    if ((index & phase.controls) != phase.controls) return 1;
    if ((first & phase.far_controls) != phase.far_controls) return 1;
    int parity = std::popcount(index & phase.parity) + std::popcount(first & phase.far_parity);
    return parity % 2 ? phase.odd : phase.even;
}

// What the tables make of a base and a member, as variant.hpp tells it.
template <class Real>
Complex read(
    const ionbox::Rows<Real>& rows, const Split& split, std::size_t base, std::size_t member) {
    std::size_t num_members = std::size_t{1} << split.group.size();
    std::size_t width = ionbox::most_group_bits + 1;
    Complex factor(rows.corners[2 * base], rows.corners[2 * base + 1]);
    factor *= Complex(rows.factors[member], rows.factors[num_members + member]);
    const Real* edges = rows.edges + 2 * width * base;
    for (std::size_t k = 0; k < split.group.size(); ++k) {
        Complex edge(edges[k], edges[width + k]);
        CHECK(edge == 1.0 || rows.crossing >> k & 1);
        if (member >> k & 1) factor *= edge;
    }
    return factor;
}

template <class Real>
void check_rows(const std::vector<Phase>& phases, const Split& split, Mask first) {
    RowFactors factors(phases, split.group, split.base);
    auto edges = ionbox::allocate<Real>(factors.edges_size());
    auto tables = ionbox::allocate<Real>(factors.size());
    factors.fill_edges(edges.get());
    std::vector<ionbox::Complex> products(factors.num_products());
    ionbox::Rows<Real> rows =
        factors.fill(first, tables.get(), edges.get(), products.data());
    for (std::size_t base = 0; base < std::size_t{1} << split.base.size(); ++base)
        for (std::size_t member = 0; member < std::size_t{1} << split.group.size(); ++member) {
            Mask index = write_bits(write_bits(0, split.group, member), split.base, base);
            Complex expected = 1;
            for (const Phase& phase : phases) expected *= factor_of(phase, index, first);
            CHECK(std::abs(read(rows, split, base, member) - expected) <
                  (sizeof(Real) == 4 ? 2e-6 : 1e-13));
        }
}

// Up to two places; or one, and qubits outside.
Phase random_phase(Random& random, bool is_far) {
    Phase phase{0, 0, 0, 0, random.phase(), random.phase()};
    std::vector<int> places = random.qubits(num_places, is_far ? random.below(2) : random.below(3));
    for (int place : places) (random.below(2) ? phase.controls : phase.parity) |= bit(place);
    if (phase.parity == 0 && !is_far) phase.odd = 1;
    Mask far = bit(40 + random.below(4));
    if (is_far) (random.below(2) ? phase.far_controls : phase.far_parity) |= far;
    CHECK(phase.is_quadratic());
    return phase;
}

Split random_split(Random& random, int num_group) {
    Mask members = mask_of(random.qubits(num_places, num_group));
    Split split;
    for (int place = 0; place < num_places; ++place)
        (members >> place & 1 ? split.group : split.base).push_back(place);
    return split;
}

}  // namespace

TEST(tables_of_factors_are_products_of_phases) {
    Random random(1);
    for (int round = 0; round < 60; ++round) {
        std::vector<Phase> phases;
        for (int k = 0; k < 20; ++k) phases.push_back(random_phase(random, round % 2 && k % 2));
        Split split = random_split(random, 1 + round % ionbox::most_group_bits);
        Mask first = static_cast<Mask>(random.below(16)) << 40;
        check_rows<float>(phases, split, first);
        check_rows<double>(phases, split, first);
    }
}

TEST(a_group_may_be_all_of_a_tile) {
    Phase phase{0b1, 0b10, 0, 0, {0.8, 0.6}, {0.6, 0.8}};
    check_rows<double>({phase}, {{0, 1, 2}, {}}, 0);
}

TEST(only_phases_on_pairs_of_bits_are_quadratic) {
    CHECK((Phase{0b11, 0, 0, 0, 1, 1}.is_quadratic()));
    CHECK((Phase{0b01, 0, bit(40), bit(41), 1, 1}.is_quadratic()));
    CHECK((!Phase{0b11, 0, bit(40), 0, 1, 1}.is_quadratic()));
    CHECK((!Phase{0b11, 0b100, 0, 0, 1, 1}.is_quadratic()));
}

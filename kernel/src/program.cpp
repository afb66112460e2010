// Which steps of a stage share a visit to the registers.
#include "program.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "placing.hpp"
#include "schedule.hpp"

namespace ionbox {
namespace {

constexpr std::size_t most_single_phases = 5;  // more of them are cheaper together
constexpr std::size_t most_shears = 2;         // within a group
constexpr double most_tangent = 2;             // of a shear: larger ones leave too little scale
constexpr double least_scale = 1e-6;           // floats of its inverse leave room for squares

std::vector<int> list_of(Mask mask) {
    std::vector<int> places;
    for (; mask != 0; mask &= mask - 1) places.push_back(std::countr_zero(mask));
    return places;
}

}  // namespace

template <class Real>
class Program<Real>::Builder {
public:
    Builder(Program& program, const Stage& stage, int num_padded, Registers registers)
        : program_(program),
          stage_(stage),
          placing_(stage.qubits),
          schedule_(placed(stage, placing_)),
          registers_(registers),
          all_(all_bits(num_padded)),
          lanes_(all_bits(registers.lane_bits)) {}

    void build() {
        while (schedule_.has_mixing()) {
            auto [draft, members] = best();
            add_group(draft.chosen, members);
            schedule_.take(draft);
        }
        std::vector<std::size_t> rest = schedule_.waiting();  // phases only
        if (!rest.empty()) add_group(rest, members_with(0));
    }

private:
    using Phase = RowFactors::Phase;

    int num_places() const { return std::popcount(all_); }

    // Lanes and as many other places as registers can hold, those of the mask among them.
    Mask members_with(Mask mask) const {
        Mask members = lanes_ | mask;
        int most = std::min(num_places(), registers_.lane_bits + registers_.places);
        for (int place = registers_.lane_bits; std::popcount(members) < most; ++place)
            members |= bit(place);
        return members;
    }

    struct Choice {
        Draft draft;
        Mask members;
    };

    // The members that take most: those that come first, or neighbours of the very first.
    Choice best() const {
        int width = registers_.lane_bits + registers_.places;
        if (num_places() <= width) return choice(all_);
        Mask first = schedule_.draft({all_, all_, lanes_, width}).qubits & ~lanes_;
        Choice best = choice(members_with(first));
        int lowest = first == 0 ? registers_.lane_bits : std::countr_zero(first);
        int most = num_places() - registers_.places;
        for (int k = 0; k < registers_.places; ++k) {
            int start = std::clamp(lowest - k, registers_.lane_bits, most);
            Choice other = choice(lanes_ | all_bits(registers_.places) << start);
            if (other.draft.num_mixing > best.draft.num_mixing) best = std::move(other);
        }
        return best;
    }

    Choice choice(Mask members) const {
        return {schedule_.draft({members, members, 0, 64}), members};
    }

    // ---- a group ----

    void add_group(const std::vector<std::size_t>& chosen, Mask members) {
        members_ = members;
        member_places_ = list_of(members);
        base_places_ = list_of(all_ & ~members);
        set_indices();
        program_.steps_.emplace_back();
        std::vector<std::size_t> phases;
        for (std::size_t number : chosen) {
            if (schedule_.operation(number).kind == Kind::phase) {
                phases.push_back(number);
                continue;
            }
            add_phases(phases);
            phases.clear();
            add_mixing(number);
        }
        add_phases(phases);
        const auto& steps = program_.steps_.back();
        Mask vectors = (members & ~lanes_) >> registers_.lane_bits;
        program_.groups_.push_back({vectors, steps.data(), steps.size()});
    }

    // Have all amplitudes multiplied by a number, sometime.
    void scale(Complex factor) {
        program_.scale_ *= factor;
        double size = std::abs(program_.scale_);
        if (size > least_scale) return;
        Step<Real> scale{};
        scale.code = Code::scale;
        scale.cosine = static_cast<Real>(size);
        program_.scale_ /= size;
        add(scale);
    }

    // The tile's bits that each member of the group has, first its lane, then its register.
    void set_indices() {
        indices_.assign(1, 0);
        for (int place : member_places_) {
            std::size_t size = indices_.size();
            for (std::size_t k = 0; k < size; ++k) indices_.push_back(indices_[k] | bit(place));
        }
    }

    std::size_t num_members() const { return indices_.size(); }

    Step<Real> step(Code code, std::size_t number) const {
        const Operation& operation = schedule_.operation(number);
        return step_of(code, operation.controls, operation.parity, phase_of(number));
    }

    // A step with those controls and that parity in the tile, and outside of it those of a phase.
    Step<Real> step_of(Code code, Mask controls, Mask parity, const Phase& far) const {
        Step<Real> step{};
        step.code = code;
        step.control = -1;
        step.base_controls = base(controls);
        step.base_parity = base(parity);
        step.far_controls = far.far_controls;
        step.far_parity = far.far_parity;
        return step;
    }

    Mask base(Mask places) const { return (places & ~members_) >> registers_.lane_bits; }

    // How steps number a place among the members.
    int place_of(int place) const {
        if (place < registers_.lane_bits) return most_register_places + place;
        return std::popcount(members_ & ~lanes_ & all_bits(place));
    }

    void add(Step<Real> step, const Real* table = nullptr) {
        step.table = table;
        program_.steps_.back().push_back(step);
    }

    void add_mixing(std::size_t number) {
        const Operation& operation = schedule_.operation(number);
        switch (operation.kind) {
            case Kind::flip: return add_flip(number, operation);
            case Kind::matrix: return add_matrix(number, operation, operation.matrix->data());
            default: break;
        }
        if (stage_.operations[number].controls != 0) return add_controlled(number, operation);
        if (stage_.operations[number].parity != 0) return add_turn(number, operation);
        add_rotation(number, operation);
    }

    // A rotation as cosine (1 - i tangent P) or sine (cotangent - i P).
    struct Split {
        double factor, cosine, sine;

        explicit Split(const Operation& operation) {
            bool is_small = std::abs(operation.sine) <= std::abs(operation.cosine);
            factor = is_small ? operation.cosine : operation.sine;
            cosine = is_small ? 1 : operation.cosine / factor;
            sine = is_small ? operation.sine / factor : 1;
        }
    };

    void add_rotation(std::size_t number, const Operation& operation) {
        Split split(operation);
        bool is_y = operation.kind == Kind::rotation_y;
        Step<Real> rotate = step(is_y ? Code::rotate_y : Code::rotate_x, number);
        rotate.place = place_of(operation.targets[0]);
        rotate.cosine = static_cast<Real>(split.cosine);
        rotate.sine = static_cast<Real>(split.sine);
        add(rotate);
        scale(split.factor);
    }

    void add_turn(std::size_t number, const Operation& operation) {
        Split split(operation);
        bool is_y = operation.kind == Kind::rotation_y;
        Step<Real> turn = step(is_y ? Code::turn_y : Code::turn_x, number);
        turn.place = place_of(operation.targets[0]);
        turn.cosine = static_cast<Real>(split.cosine);
        Mask counted = operation.parity & members_, target = bit(operation.targets[0]);
        const Real* sines = signed_table(split.sine, [=](Mask index) {
            bool is_up = is_y && !(index & target);  // Y has -i above its diagonal, and i below
            return is_odd(index & counted) != is_up;
        });
        add(turn, sines);
        scale(split.factor);
    }

    // A number for all members, with a sign; then the same with the other sign, for odd bases.
    template <class IsMinus>
    const Real* signed_table(double value, IsMinus is_minus) {
        Real* table = program_.tables_.take(2 * num_members());
        for (std::size_t k = 0; k < num_members(); ++k) {
            table[k] = static_cast<Real>(is_minus(indices_[k]) ? -value : value);
            table[num_members() + k] = -table[k];
        }
        return table;
    }

    void add_controlled(std::size_t number, const Operation& operation) {
        double c = operation.cosine, s = operation.sine;
        const Complex y[] = {c, -s, s, c}, x[] = {c, {0, -s}, {0, -s}, c};
        add_matrix(number, operation, operation.kind == Kind::rotation_y ? y : x);
    }

    void add_flip(std::size_t number, const Operation& operation) {
        Mask controls = operation.controls & members_, target = bit(operation.targets[0]);
        Step<Real> flip = step(Code::flip, number);
        flip.place = place_of(operation.targets[0]);
        bool is_plain = !((controls | target) & lanes_) && std::popcount(controls) <= 1;
        if (is_plain) {
            if (controls) flip.control = place_of(std::countr_zero(controls));
            return add(flip);
        }
        flip.code = Code::flip_masked;
        Mask in_lanes = controls & lanes_, in_registers = controls & ~lanes_;
        std::size_t lanes = std::size_t{1} << registers_.lane_bits;
        for (std::size_t k = 0; k < num_members(); k += lanes)
            if ((indices_[k] & in_registers) == in_registers)
                flip.touched |= 1u << (k >> registers_.lane_bits);
        if (in_lanes == 0) return add(flip);
        Real* mask = program_.tables_.take(lanes);
        for (std::size_t lane = 0; lane < lanes; ++lane)
            std::memset(&mask[lane], (lane & in_lanes) == in_lanes ? 0xff : 0, sizeof(Real));
        add(flip, mask);
    }

    // A matrix on places of the tile, the one that steps number lower the lowest bit of its rows.
    struct OnPlaces {
        int num_targets;
        int places[2], numbers[2];
        Complex entries[16];
    };

    OnPlaces on_places(const Operation& operation, const Complex* entries) const {
        OnPlaces matrix{};
        matrix.num_targets = operation.targets[1] < 0 ? 1 : 2;
        matrix.numbers[1] = -1;
        for (int k = 0; k < matrix.num_targets; ++k) {
            matrix.places[k] = operation.targets[k];
            matrix.numbers[k] = place_of(operation.targets[k]);
        }
        bool is_swapped = matrix.num_targets == 2 && matrix.numbers[0] > matrix.numbers[1];
        if (is_swapped) {
            std::swap(matrix.places[0], matrix.places[1]);
            std::swap(matrix.numbers[0], matrix.numbers[1]);
        }
        int rows = 1 << matrix.num_targets;
        auto moved = [=](int k) { return is_swapped ? (k & 1) << 1 | k >> 1 : k; };
        for (int row = 0; row < rows; ++row)
            for (int column = 0; column < rows; ++column)
                matrix.entries[rows * row + column] = entries[rows * moved(row) + moved(column)];
        return matrix;
    }

    void add_matrix(std::size_t number, const Operation& operation, const Complex* entries) {
        OnPlaces matrix = on_places(operation, entries);
        Step<Real> combine = step(Code::combine, number);
        combine.place = matrix.numbers[0];
        combine.other_place = matrix.numbers[1];
        combine.num_terms = 1 << matrix.num_targets;
        bool is_in_registers =
            matrix.num_targets == 2 && combine.other_place < most_register_places;
        if (!is_in_registers || (operation.controls & members_))
            return add(combine, factors_of(operation, matrix));
        combine.code = Code::mix;
        Real* table = program_.tables_.take(32);
        for (std::size_t k = 0; k < 16; ++k) {
            table[k] = static_cast<Real>(matrix.entries[k].real());
            table[16 + k] = static_cast<Real>(matrix.entries[k].imag());
        }
        add(combine, table);
    }

    // For each exchange of its places the factors of a matrix; where a parity is odd, what is not
    // on the diagonal changes sign.
    const Real* factors_of(const Operation& operation, const OnPlaces& matrix) {
        Mask controls = operation.controls & members_, counted = operation.parity & members_;
        int rows = 1 << matrix.num_targets, num_parts = 2 * rows;  // the second half for odd bases
        std::size_t size = 2 * num_members();
        Real* table = program_.tables_.take(size * static_cast<std::size_t>(num_parts));
        for (int part = 0; part < num_parts; ++part) {
            int change = part % rows;
            fill(table + size * static_cast<std::size_t>(part), [&](Mask index) {
                if ((index & controls) != controls) return Complex(change == 0);
                int row = 0;
                for (int k = 0; k < matrix.num_targets; ++k)
                    row |= static_cast<int>(index >> matrix.places[k] & 1) << k;
                bool is_turned = is_odd(index & counted) != (part >= rows);
                Complex entry = matrix.entries[row * rows + (row ^ change)];
                return is_turned && change ? -entry : entry;
            });
        }
        return table;
    }

    // Real parts of a factor for all members, then imaginary parts.
    template <class Factor>
    void fill(Real* table, Factor factor) const {
        for (std::size_t k = 0; k < num_members(); ++k) {
            Complex value = factor(indices_[k]);
            table[k] = static_cast<Real>(value.real());
            table[num_members() + k] = static_cast<Real>(value.imag());
        }
    }

    // ---- phases that nothing stands between ----

    void add_phases(const std::vector<std::size_t>& numbers) {
        std::vector<Phase> local, quadratic;
        std::vector<std::size_t> single, candidates;
        for (std::size_t number : numbers) {
            Phase phase = phase_of(number);
            bool is_local = !phase.has_far() && !((phase.controls | phase.parity) & ~members_);
            if (is_local)
                local.push_back(phase);
            else
                (phase.is_quadratic() ? candidates : single).push_back(number);
        }
        if (candidates.size() <= most_single_phases)
            single.insert(single.end(), candidates.begin(), candidates.end());
        else
            for (std::size_t number : candidates) quadratic.push_back(phase_of(number));
        if (!quadratic.empty())
            for (auto it = local.begin(); it != local.end();) {
                bool moves = it->is_quadratic();
                if (moves) quadratic.push_back(*it);
                it = moves ? local.erase(it) : it + 1;
            }
        if (local.size() <= most_shears)
            for (const Phase& phase : local) add_alone(phase);
        else
            add_local(local);
        if (!quadratic.empty()) add_rows(std::move(quadratic));
        for (std::size_t number : single) add_alone(phase_of(number));
    }

    // A phase by itself: 1 + i tangent for all, if it goes by one parity, or a product for some.
    void add_alone(const Phase& phase) {
        if (!(phase.controls | phase.parity) && !phase.has_far()) return scale(phase.even);
        bool is_linear = std::popcount(phase.controls) == 1 && phase.parity == 0 &&
                         phase.far_parity == 0;
        Mask counted = is_linear ? phase.controls : phase.parity;
        Complex even = is_linear ? 1 : phase.even, odd = is_linear ? phase.even : phase.odd;
        Complex half = std::sqrt(odd / even);  // even = g / half, odd = g * half
        bool is_parity = (phase.controls == 0 || is_linear) && phase.far_controls == 0;
        if (!is_parity || std::abs(half.imag()) > most_tangent * half.real())
            return add_product(phase);
        Step<Real> shear = step_of(Code::shear, 0, counted, phase);
        Mask inside = counted & members_;
        add(shear, signed_table(half.imag() / half.real(), [=](Mask index) {
                return !is_odd(index & inside);
            }));
        scale(even * half * half.real());
    }

    Phase phase_of(std::size_t number) const {
        const Operation& near = schedule_.operation(number);
        const Operation& whole = stage_.operations[number];
        return {near.controls, near.parity, placing_.far(whole.controls),
                placing_.far(whole.parity), near.even, near.odd};
    }

    static Complex factor_of(const Phase& phase, Mask index) {
        if ((index & phase.controls) != phase.controls) return 1;
        return is_odd(index & phase.parity) ? phase.odd : phase.even;
    }

    void add_local(const std::vector<Phase>& phases) {
        Step<Real> multiply{};
        multiply.code = Code::multiply;
        Real* table = program_.tables_.take(2 * num_members());
        fill(table, [&](Mask index) {
            Complex product = 1;
            for (const Phase& phase : phases) product *= factor_of(phase, index);
            return product;
        });
        multiply.touched = touched(table);
        add(multiply, table);
    }

    // The registers in which a table holds another factor than 1.
    unsigned touched(const Real* table) const {
        unsigned registers = 0;
        for (std::size_t k = 0; k < num_members(); ++k)
            if (table[k] != 1 || table[num_members() + k] != 0)
                registers |= 1u << (k >> registers_.lane_bits);
        return registers;
    }

    void add_product(Phase phase) {
        Step<Real> multiply = step_of(Code::multiply, phase.controls, phase.parity, phase);
        phase.controls &= members_;
        phase.parity &= members_;
        Real* table = program_.tables_.take(4 * num_members());
        for (std::size_t is_odd = 0; is_odd < 2; ++is_odd) {
            fill(table + 2 * num_members() * is_odd,
                 [&](Mask index) { return factor_of(phase, index); });
            std::swap(phase.even, phase.odd);
        }
        multiply.touched = touched(table) | touched(table + 2 * num_members());
        add(multiply, table);
    }

    void add_rows(std::vector<Phase> phases) {
        Step<Real> multiply{};
        multiply.code = Code::multiply_by_rows;
        multiply.rows = static_cast<int>(program_.row_factors_.size());
        program_.row_factors_.emplace_back(std::move(phases), member_places_, base_places_);
        const RowFactors& factors = program_.row_factors_.back();
        Real* edges = program_.tables_.take(factors.edges_size());
        factors.fill_edges(edges);
        Rows<Real> rows{edges, nullptr, nullptr, 0};
        if (factors.has_far()) {
            program_.scratch_size_ += whole_lines(factors.size());
        } else {
            Real* tables = program_.tables_.take(whole_lines(factors.size()));
            std::vector<Complex> products(factors.num_products());
            rows = factors.fill(0, tables, rows.edges, products.data());
        }
        program_.rows_.push_back(rows);
        add(multiply);
    }

    Program& program_;
    const Stage& stage_;
    Placing placing_;
    Schedule schedule_;
    Registers registers_;
    Mask all_, lanes_;
    Mask members_ = 0;
    std::vector<int> member_places_, base_places_;
    std::vector<Mask> indices_;
};

template <class Real>
Program<Real>::Program(const Stage& stage, int num_padded, Registers registers) {
    Builder(*this, stage, num_padded, registers).build();
}

template <class Real>
std::size_t Program<Real>::num_products() const {
    std::size_t most = 0;
    for (const RowFactors& factors : row_factors_) most = std::max(most, factors.num_products());
    return most;
}

template <class Real>
void Program<Real>::prepare(
    Mask first, Rows<Real>* rows, Real* scratch, Complex* products) const {
    for (std::size_t k = 0; k < row_factors_.size(); ++k) {
        rows[k] = rows_[k];
        if (!row_factors_[k].has_far()) continue;
        rows[k] = row_factors_[k].fill(first, scratch, rows_[k].edges, products);
        scratch += whole_lines(row_factors_[k].size());
    }
}

template class Program<float>;
template class Program<double>;

}  // namespace ionbox

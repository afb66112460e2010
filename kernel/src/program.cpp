// Which steps of a stage share a visit to the registers.
#include "program.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>

#include "schedule.hpp"

namespace ionbox {
namespace {

constexpr std::size_t most_single_phases = 3;  // more of them are cheaper together
constexpr double least_scale = 1e-12;          // floats of its inverse leave room for squares

// Qubits as places in a tile, or, where they lie outside, as they are.
struct Placing {
    std::vector<int> qubits;
    Mask inside = 0;

    explicit Placing(const std::vector<int>& tile_qubits) : qubits(tile_qubits) {
        for (int qubit : qubits) inside |= bit(qubit);
    }

    Mask near(Mask mask) const {
        Mask places = 0;
        for (std::size_t place = 0; place < qubits.size(); ++place)
            if (mask >> qubits[place] & 1) places |= bit(static_cast<int>(place));
        return places;
    }
    Mask far(Mask mask) const { return mask & ~inside; }
    int place(int qubit) const { return qubit < 0 ? -1 : std::countr_zero(near(bit(qubit))); }
};

std::vector<Operation> placed(const Stage& stage, const Placing& placing) {
    std::vector<Operation> operations = stage.operations;
    for (Operation& operation : operations) {
        operation.controls = placing.near(operation.controls);
        operation.parity = placing.near(operation.parity);
        for (int& target : operation.targets) target = placing.place(target);
    }
    return operations;
}

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
        program_.steps_.emplace_back();
        while (schedule_.has_mixing()) {
            auto [draft, members] = best();
            add_group(draft.chosen, members);
            schedule_.take(draft);
        }
        std::vector<std::size_t> rest = schedule_.waiting();  // phases only
        if (!rest.empty()) add_group(rest, members_with(0));
    }

private:
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
        std::vector<std::size_t> phases;
        for (std::size_t number : chosen) {
            if (schedule_.operation(number).kind == Kind::phase) {
                phases.push_back(number);
                continue;
            }
            add_phases(phases);
            phases.clear();
            add_mixing(number);
            if (std::abs(program_.scale_) < least_scale) end_group();
        }
        add_phases(phases);
        if (!program_.steps_.back().empty()) end_group();
    }

    // The next steps, if there are any, belong to another group of the same members.
    void end_group() {
        const auto& steps = program_.steps_.back();
        Real scale = 1;
        if (std::abs(program_.scale_) < least_scale) {
            scale = static_cast<Real>(program_.scale_);
            program_.scale_ = 1;
        }
        Mask vectors = (members_ & ~lanes_) >> registers_.lane_bits;
        program_.groups_.push_back({vectors, steps.data(), steps.size(), scale});
        program_.steps_.emplace_back();
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
        const Operation& whole = stage_.operations[number];
        Step<Real> step{};
        step.code = code;
        step.control = -1;
        step.base_controls = base(operation.controls);
        step.base_parity = base(operation.parity);
        step.far_controls = placing_.far(whole.controls);
        step.far_parity = placing_.far(whole.parity);
        return step;
    }

    Mask base(Mask places) const { return (places & ~members_) >> registers_.lane_bits; }

    // How steps number a place among the members.
    int place_of(int place) const {
        if (place < registers_.lane_bits) return most_register_places + place;
        return std::popcount(members_ & ~lanes_ & all_bits(place));
    }

    void add(Step<Real> step, Aligned<Real> table = nullptr) {
        if (table) {
            step.table = table.get();
            program_.tables_.push_back(std::move(table));
        }
        program_.steps_.back().push_back(step);
    }

    void add_mixing(std::size_t number) {
        const Operation& operation = schedule_.operation(number);
        switch (operation.kind) {
            case Kind::flip: return add_flip(number, operation);
            case Kind::matrix: return add_matrix(number, operation, operation.matrix->data());
            default: break;
        }
        if ((stage_.operations[number].controls) == 0) return add_rotation(number, operation);
        double c = operation.cosine, s = operation.sine;
        const Complex y[] = {c, -s, s, c}, x[] = {c, {0, -s}, {0, -s}, c};
        add_matrix(number, operation, operation.kind == Kind::rotation_y ? y : x);
    }

    // cosine (1 - i tangent P) or sine (cotangent - i P): the factor waits for the end.
    void add_rotation(std::size_t number, const Operation& operation) {
        bool is_y = operation.kind == Kind::rotation_y;
        Step<Real> rotate = step(is_y ? Code::rotate_y : Code::rotate_x, number);
        rotate.place = place_of(operation.targets[0]);
        double cosine = operation.cosine, sine = operation.sine;
        bool is_small = std::abs(sine) <= std::abs(cosine);
        double factor = is_small ? cosine : sine;
        rotate.cosine = is_small ? 1 : static_cast<Real>(cosine / factor);
        rotate.sine = is_small ? static_cast<Real>(sine / factor) : 1;
        program_.scale_ *= factor;
        add(rotate);
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
        Aligned<Real> mask = allocate<Real>(lanes);
        for (std::size_t lane = 0; lane < lanes; ++lane)
            std::memset(&mask[lane], (lane & in_lanes) == in_lanes ? 0xff : 0, sizeof(Real));
        add(flip, std::move(mask));
    }

    void add_matrix(std::size_t number, const Operation& operation, const Complex* entries) {
        Step<Real> combine = step(Code::combine, number);
        Mask controls = operation.controls & members_;
        int num_targets = operation.targets[1] < 0 ? 1 : 2, rows = 1 << num_targets;
        combine.num_terms = rows;
        Aligned<Real> table = allocate<Real>(2 * num_members() * static_cast<std::size_t>(rows));
        for (int change = 0; change < rows; ++change) {
            for (int k = 0; k < num_targets; ++k)
                if (change >> k & 1) set_exchange(combine, change, operation.targets[k]);
            fill(table.get() + 2 * num_members() * static_cast<std::size_t>(change), [&](Mask index) {
                if ((index & controls) != controls) return Complex(change == 0);
                int row = 0;
                for (int k = 0; k < num_targets; ++k)
                    row |= static_cast<int>(index >> operation.targets[k] & 1) << k;
                return entries[row * rows + (row ^ change)];
            });
        }
        add(combine, std::move(table));
    }

    void set_exchange(Step<Real>& combine, int term, int place) const {
        int number = place_of(place);
        if (number < most_register_places)
            combine.registers[term] |= 1 << number;
        else
            combine.lanes[term] |= 1 << (number - most_register_places);
    }

    // Real parts of a factor for all members, then imaginary parts.
    void fill(Real* table, const std::function<Complex(Mask index)>& factor) const {
        for (std::size_t k = 0; k < num_members(); ++k) {
            Complex value = factor(indices_[k]);
            table[k] = static_cast<Real>(value.real());
            table[num_members() + k] = static_cast<Real>(value.imag());
        }
    }

    // ---- phases that nothing stands between ----

    using Phase = RowFactors::Phase;

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
        if (!local.empty()) add_local(local);
        if (!quadratic.empty()) add_rows(std::move(quadratic));
        for (std::size_t number : single) add_single(number);
    }

    Phase phase_of(std::size_t number) const {
        const Operation& near = schedule_.operation(number);
        const Operation& whole = stage_.operations[number];
        return {near.controls, near.parity, placing_.far(whole.controls),
                placing_.far(whole.parity), near.even, near.odd};
    }

    static Complex factor_of(const Phase& phase, Mask index) {
        if ((index & phase.controls) != phase.controls) return 1;
        return std::popcount(index & phase.parity) % 2 ? phase.odd : phase.even;
    }

    void add_local(const std::vector<Phase>& phases) {
        Step<Real> multiply{};
        multiply.code = Code::multiply;
        Aligned<Real> table = allocate<Real>(2 * num_members());
        fill(table.get(), [&](Mask index) {
            Complex product = 1;
            for (const Phase& phase : phases) product *= factor_of(phase, index);
            return product;
        });
        multiply.touched = touched(table.get());
        add(multiply, std::move(table));
    }

    // The registers in which a table holds another factor than 1.
    unsigned touched(const Real* table) const {
        unsigned registers = 0;
        for (std::size_t k = 0; k < num_members(); ++k)
            if (table[k] != 1 || table[num_members() + k] != 0)
                registers |= 1u << (k >> registers_.lane_bits);
        return registers;
    }

    void add_single(std::size_t number) {
        Phase phase = phase_of(number);
        phase.controls &= members_;
        phase.parity &= members_;
        Aligned<Real> table = allocate<Real>(4 * num_members());
        for (std::size_t is_odd = 0; is_odd < 2; ++is_odd) {
            fill(table.get() + 2 * num_members() * is_odd,
                 [&](Mask index) { return factor_of(phase, index); });
            std::swap(phase.even, phase.odd);
        }
        Step<Real> multiply = step(Code::multiply, number);
        multiply.touched = touched(table.get()) | touched(table.get() + 2 * num_members());
        add(multiply, std::move(table));
    }

    void add_rows(std::vector<Phase> phases) {
        Step<Real> multiply{};
        multiply.code = Code::multiply_by_rows;
        multiply.rows = static_cast<int>(program_.row_factors_.size());
        program_.row_factors_.emplace_back(std::move(phases), member_places_, base_places_);
        const RowFactors& factors = program_.row_factors_.back();
        Aligned<Real> edges = allocate<Real>(factors.edges_size());
        factors.fill_edges(edges.get());
        Rows<Real> rows{edges.get(), nullptr, nullptr, 0};
        program_.tables_.push_back(std::move(edges));
        if (factors.has_far()) {
            program_.scratch_size_ += padded(factors.size());
        } else {
            Aligned<Real> tables = allocate<Real>(padded(factors.size()));
            rows = factors.fill(0, tables.get(), rows.edges);
            program_.tables_.push_back(std::move(tables));
        }
        program_.rows_.push_back(rows);
        add(multiply);
    }

    static std::size_t padded(std::size_t count) { return (count + 15) / 16 * 16; }

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
void Program<Real>::prepare(Mask first, Rows<Real>* rows, Real* scratch) const {
    for (std::size_t k = 0; k < row_factors_.size(); ++k) {
        rows[k] = rows_[k];
        if (!row_factors_[k].has_far()) continue;
        rows[k] = row_factors_[k].fill(first, scratch, rows_[k].edges);
        scratch += (row_factors_[k].size() + 15) / 16 * 16;
    }
}

template class Program<float>;
template class Program<double>;

}  // namespace ionbox

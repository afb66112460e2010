#include "small_state.hpp"

#include <algorithm>

#include "patterns.hpp"

namespace ionbox {
namespace {

// What of an operation concerns lanes: whether it acts in one, and which way.
struct Lane {
    bool acts, is_odd;
    Lane(const Operation& operation, Mask lane, Mask lanes)
        : acts((~lane & operation.controls & lanes) == 0),
          is_odd(ionbox::is_odd(lane & operation.parity)) {}
};

template <class Real>
void fill_rotation(const Operation& operation, Mask lanes, Real* table) {
    for (Mask lane = 0; lane <= lanes; ++lane) {
        Lane here(operation, lane, lanes);
        double sine = here.is_odd ? -operation.sine : operation.sine;
        table[lane] = static_cast<Real>(here.acts ? operation.cosine : 1);
        table[lanes + 1 + lane] = static_cast<Real>(here.acts ? sine : 0);
    }
}

template <class Real>
void fill_phase(const Operation& operation, Mask lanes, Real* table) {
    for (Mask lane = 0; lane <= lanes; ++lane) {
        Lane here(operation, lane, lanes);
        for (bool is_far_odd : {false, true}) {
            Complex factor = !here.acts                      ? Complex{1}
                             : here.is_odd == is_far_odd ? operation.even
                                                             : operation.odd;
            Real* parts = table + (is_far_odd ? 2 * (lanes + 1) : 0);
            parts[lane] = static_cast<Real>(factor.real());
            parts[lanes + 1 + lane] = static_cast<Real>(factor.imag());
        }
    }
}

template <class Real>
void fill_flip(const Operation& operation, Mask lanes, Real* table) {
    for (Mask lane = 0; lane <= lanes; ++lane)
        table[lane] = Lane(operation, lane, lanes).acts ? 1 : 0;
}

template <class Real>
void fill_matrix(const Operation& operation, Real* table) {
    for (std::size_t k = 0; k < 16; ++k) {
        table[k] = static_cast<Real>((*operation.matrix)[k].real());
        table[16 + k] = static_cast<Real>((*operation.matrix)[k].imag());
    }
}

}  // namespace

template <class Real>
Sweep<Real> sweep_of(const Operation& operation, int lane_bits, Arena<Real>& tables) {
    Mask lanes = all_bits(lane_bits);
    Real* table = tables.take(std::max<std::size_t>(4 * (lanes + 1), 32));
    Sweep<Real> sweep{SweepCode::flip,        operation.targets[0],
                      operation.targets[1],   operation.controls >> lane_bits,
                      operation.parity >> lane_bits, table};
    switch (operation.kind) {
        case Kind::phase:
            sweep.code = SweepCode::multiply;
            fill_phase(operation, lanes, table);
            break;
        case Kind::flip: fill_flip(operation, lanes, table); break;
        case Kind::matrix:
            sweep.code = SweepCode::mix;
            sweep.controls = operation.controls;
            fill_matrix(operation, table);
            break;
        default:
            sweep.code = operation.kind == Kind::rotation_x ? SweepCode::rotate_x
                                                            : SweepCode::rotate_y;
            fill_rotation(operation, lanes, table);
    }
    return sweep;
}

template <class Real>
SmallStates<Real>::SmallStates(const Passage& passage, const Variant& variant)
    : passage_(passage), variant_(variant) {
    lane_bits_ = std::countr_zero(static_cast<std::size_t>(variant.vector_bytes) / sizeof(Real));
    num_vectors_ = std::max<std::size_t>((std::size_t{1} << passage.num_qubits) >> lane_bits_, 1);
    for (const Act& act : passage.acts) {
        bool can_turn = act.passing == Passing::by_turning;
        sweeps_.push_back(sweep_of(act.operation, lane_bits_, tables_));
        sweeps_.push_back(can_turn
                              ? sweep_of(turned_round(act.operation), lane_bits_, tables_)
                              : sweeps_.back());
    }
    for (int qubit = 0; qubit < passage.num_qubits; ++qubit) {
        flips_.push_back(sweep_of(flip_of(qubit), lane_bits_, tables_));
        signs_.push_back(sweep_of(sign_of(qubit), lane_bits_, tables_));
    }
}

template <class Real>
void SmallStates<Real>::set_ground(Real* state) const {
    std::fill_n(state, size(), Real{0});
    state[0] = 1;
}

template <class Real>
void SmallStates<Real>::advance(
    Real* state, std::uint32_t first, std::uint32_t end, const std::uint64_t* pattern) const {
    for (std::uint32_t k = first; k < end; ++k) {
        visit(
            passage_.acts[k], pattern,
            [&](int qubit) { apply(flips_[static_cast<std::size_t>(qubit)], state); },
            [&](int qubit) { apply(signs_[static_cast<std::size_t>(qubit)], state); },
            [&](bool is_turned) { apply(sweeps_[2 * k + is_turned], state); });
    }
}

template <class Real>
void SmallStates<Real>::apply(const Sweep<Real>& sweep, Real* state) const {
    if constexpr (sizeof(Real) == 4)
        variant_.sweep_float(sweep, state, num_vectors_);
    else
        variant_.sweep_double(sweep, state, num_vectors_);
}

template <class Real>
void SmallStates<Real>::weigh(const Real* state, double* weights) const {
    if constexpr (sizeof(Real) == 4)
        variant_.weigh_float(state, num_vectors_, weights);
    else
        variant_.weigh_double(state, num_vectors_, weights);
}

template class SmallStates<float>;
template class SmallStates<double>;

}  // namespace ionbox

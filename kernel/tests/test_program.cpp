// Steps of a tile: each within its group of registers.
#include <algorithm>
#include <bit>

#include "check.hpp"
#include "program.hpp"
#include "run.hpp"

using ionbox::Code;
using ionbox::Group;
using ionbox::most_register_places;
using ionbox::Program;
using ionbox::Registers;
using ionbox::Stage;

namespace {

constexpr Registers all_registers[] = {{1, 2}, {2, 2}, {3, 2}, {3, 3}, {4, 3}};

struct Shape {
    Registers registers;
    int num_padded;     // of a tile
    Mask far_qubits;
    std::size_t num_rows;
};

bool is_member(int place, int num_places, const Registers& registers) {
    return (place >= 0 && place < num_places) ||
           (place >= most_register_places && place < most_register_places + registers.lane_bits);
}

template <class Real>
void check_step(const ionbox::Step<Real>& step, const Group<Real>& group, const Shape& shape) {
    int num_places = std::popcount(group.places);
    unsigned all = (1u << (1 << num_places)) - 1;
    CHECK(!(step.base_controls & group.places) && !(step.base_parity & group.places));
    int base_bits = shape.num_padded - shape.registers.lane_bits;
    CHECK(!((step.base_controls | step.base_parity) >> base_bits));
    CHECK(!((step.far_controls | step.far_parity) & ~shape.far_qubits));
    CHECK(!(step.touched & ~all));
    switch (step.code) {
        case Code::rotate_x:
        case Code::rotate_y:
            CHECK(is_member(step.place, num_places, shape.registers));
            CHECK(step.cosine == 1 || step.sine == 1);
            break;
        case Code::flip:
            CHECK(step.place >= 0 && step.place < num_places);
            CHECK(step.control >= -1 && step.control < num_places && step.control != step.place);
            break;
        case Code::flip_masked: CHECK(is_member(step.place, num_places, shape.registers)); break;
        case Code::multiply: CHECK(step.table != nullptr); break;
        case Code::multiply_by_rows:
            CHECK(step.rows >= 0 && static_cast<std::size_t>(step.rows) < shape.num_rows);
            break;
        case Code::turn_x:
        case Code::turn_y:
            CHECK(is_member(step.place, num_places, shape.registers) && step.table != nullptr);
            break;
        case Code::shear: CHECK(step.table != nullptr); break;
        case Code::scale: CHECK(step.cosine > 0 && step.cosine < 1); break;
        case Code::mix:
            CHECK(step.place < step.other_place && step.other_place < num_places);
            CHECK(step.table != nullptr);
            break;
        case Code::combine:
            CHECK(is_member(step.place, num_places, shape.registers) && step.table != nullptr);
            CHECK(step.num_terms == (step.other_place < 0 ? 2 : 4));
            CHECK(step.other_place < 0 ||
                  is_member(step.other_place, num_places, shape.registers));
    }
}

bool is_diagonal(Code code) {
    return code == Code::multiply || code == Code::multiply_by_rows || code == Code::shear ||
           code == Code::scale;
}

template <class Real>
void check_program(const Stage& stage, int num_qubits, const Registers& registers) {
    int num_padded = std::max(static_cast<int>(stage.qubits.size()), registers.lane_bits);
    Program<Real> program(stage, num_padded, registers);
    Mask far = ionbox::all_bits(num_qubits) & ~mask_of(stage.qubits);
    Shape shape{registers, num_padded, far, program.num_rows()};
    long num_mixing = 0;
    for (const Group<Real>& group : program.groups()) {
        CHECK(std::popcount(group.places) <= registers.places);
        CHECK(!(group.places >> (num_padded - registers.lane_bits)));
        for (std::size_t k = 0; k < group.num_steps; ++k) {
            Code code = group.steps[k].code;
            num_mixing += !is_diagonal(code);
            check_step(group.steps[k], group, shape);
        }
    }
    auto is_mixing = [](const ionbox::Operation& operation) { return operation.mixed() != 0; };
    CHECK(num_mixing == std::ranges::count_if(stage.operations, is_mixing));
}

}  // namespace

TEST(every_mixing_operation_is_one_step_among_members) {
    Random random(1);
    for (int num_qubits : {1, 2, 3, 5, 8, 12, 18})
        for (int round = 0; round < 4; ++round) {
            auto operations = lowered(random.circuit(num_qubits, 80), false).operations;
            for (const Stage& stage :
                 ionbox::cut_into_stages(operations, {num_qubits, 10, 0, false}))
                for (const Registers& registers : all_registers) {
                    check_program<float>(stage, num_qubits, registers);
                    check_program<double>(stage, num_qubits, registers);
                }
        }
}

// What rotations leave for the end stays far from the ends of a float.
TEST(amplitudes_are_scaled_before_their_factor_vanishes) {
    Stage stage{{0, 1, 2, 3}, {}, 1};
    ionbox::Operation rotation{.kind = ionbox::Kind::rotation_x, .cosine = 0.8, .sine = 0.6};
    rotation.targets[0] = 0;
    stage.operations.assign(3000, rotation);
    Program<float> program(stage, 4, {4, 3});
    const Group<float>& group = program.groups()[0];
    std::size_t last = 0;
    for (std::size_t k = 0; k < group.num_steps; ++k)
        if (group.steps[k].code == Code::scale) {
            CHECK(k - last < 100);
            last = k;
        }
    CHECK(last + 100 > group.num_steps);
    CHECK(std::abs(program.scale()) > 1e-7);
}

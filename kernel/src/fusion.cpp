#include "fusion.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace ionbox {
namespace {

// About the time that steps take, in that of a rotation; measured in registers.
double cost_of(const Operation& operation) {
    bool is_controlled = operation.controls != 0;
    switch (operation.kind) {
        case Kind::phase: return is_controlled ? 1 : 1.5;
        case Kind::flip: return 1;
        case Kind::rotation_x:
        case Kind::rotation_y: return is_controlled ? 10 : operation.parity != 0 ? 1.5 : 1;
        default: return 8;
    }
}
constexpr double cost_of_matrix = 9;

Mask qubits_of(const Operation& operation) { return operation.mixed() | operation.diagonal(); }

// Apply an operation to a vector over two qubits, `low` the lowest bit of an index.
class OnPair {
public:
    OnPair(int low, int high) : low_(low), high_(high) {}

    void apply(const Operation& operation, Complex* vector) const {
        Mask controls = near(operation.controls), parity = near(operation.parity);
        Complex old[4] = {vector[0], vector[1], vector[2], vector[3]};
        for (Mask index = 0; index < 4; ++index) {
            if ((index & controls) != controls) continue;
            bool is_turned = is_odd(index & parity);
            vector[index] = operation.kind == Kind::phase
                                ? (is_turned ? operation.odd : operation.even) * old[index]
                                : mixed(operation, index, is_turned, old);
        }
    }

private:
    Mask near(Mask mask) const { return (mask >> low_ & 1) | (mask >> high_ & 1) << 1; }

    Complex mixed(
        const Operation& operation, Mask index, bool is_turned, const Complex* old) const {
        Mask target = near(bit(operation.targets[0]));
        Complex here = old[index], there = old[index ^ target];
        double sine = is_turned ? -operation.sine : operation.sine;
        switch (operation.kind) {
            case Kind::flip: return there;
            case Kind::rotation_x: return operation.cosine * here - Complex{0, sine} * there;
            case Kind::rotation_y:
                return operation.cosine * here + (index & target ? sine : -sine) * there;
            default: return matrix_row(operation, index, old);
        }
    }

    Complex matrix_row(const Operation& operation, Mask index, const Complex* old) const {
        Mask first = near(bit(operation.targets[0])), second = near(bit(operation.targets[1]));
        auto number = [=](Mask place) {
            return std::size_t{(place & first) != 0} | std::size_t{(place & second) != 0} << 1;
        };
        Complex sum = 0;
        for (Mask place = 0; place < 4; ++place)
            sum += (*operation.matrix)[4 * number(index) + number(place)] * old[place];
        return sum;
    }

    int low_, high_;
};

class Fusion {
public:
    explicit Fusion(int num_qubits) : block_of_(static_cast<std::size_t>(num_qubits), -1) {}

    void add(Operation operation) {
        Mask qubits = qubits_of(operation);
        int count = std::popcount(qubits), block = common_block(qubits);
        if (count == 0 || count > 2 || block < 0) {
            std::vector<Operation> before = close(qubits, count == 2);
            if (count != 1 && count != 2) return done_.push_back(std::move(operation));
            block = open(qubits, std::move(before));
        }
        Block& joined = blocks_[static_cast<std::size_t>(block)];
        joined.cost += cost_of(operation);
        joined.operations.push_back(std::move(operation));
    }

    std::vector<Operation> finish() {
        for (int qubit = 0; qubit < static_cast<int>(block_of_.size()); ++qubit)
            close(bit(qubit), false);
        return std::move(done_);
    }

private:
    struct Block {
        Mask qubits;
        std::vector<Operation> operations;
        double cost = 0;
    };

    // The open block that has all the qubits, or -1.
    int common_block(Mask qubits) const {
        if (qubits == 0) return -1;
        int block = block_of_[static_cast<std::size_t>(std::countr_zero(qubits))];
        bool has_all = block >= 0 && !(qubits & ~blocks_[static_cast<std::size_t>(block)].qubits);
        return has_all ? block : -1;
    }

    int open(Mask qubits, std::vector<Operation> before) {
        Block block{qubits, {}, 0};
        for (const Operation& operation : before) block.cost += cost_of(operation);
        block.operations = std::move(before);
        int number = static_cast<int>(blocks_.size());
        for (Mask rest = qubits; rest != 0; rest &= rest - 1)
            block_of_[static_cast<std::size_t>(std::countr_zero(rest))] = number;
        blocks_.push_back(std::move(block));
        return number;
    }

    // Close the blocks of some qubits; where a block of two follows, return what was on each alone.
    std::vector<Operation> close(Mask qubits, bool keeps_single) {
        std::vector<Operation> kept;
        for (; qubits != 0; qubits &= qubits - 1) {
            int& number = block_of_[static_cast<std::size_t>(std::countr_zero(qubits))];
            if (number < 0) continue;
            Block& block = blocks_[static_cast<std::size_t>(number)];
            bool is_kept = keeps_single && std::has_single_bit(block.qubits);
            if (is_kept)
                for (Operation& operation : block.operations) kept.push_back(std::move(operation));
            else
                emit(block);
            block.operations = {};
            for (Mask rest = block.qubits; rest != 0; rest &= rest - 1)
                block_of_[static_cast<std::size_t>(std::countr_zero(rest))] = -1;
        }
        return kept;
    }

    void emit(Block& block) {
        auto mixes = [](const Operation& operation) { return operation.mixed() != 0; };
        bool is_mixing = std::any_of(block.operations.begin(), block.operations.end(), mixes);
        if (std::popcount(block.qubits) == 2 && block.cost > cost_of_matrix && is_mixing)
            return done_.push_back(matrix_of(block));
        for (Operation& operation : block.operations) done_.push_back(std::move(operation));
    }

    static Operation matrix_of(const Block& block) {
        int low = std::countr_zero(block.qubits);
        int high = std::countr_zero(block.qubits & (block.qubits - 1));
        OnPair pair(low, high);
        auto matrix = std::make_shared<Matrix>();
        for (std::size_t column = 0; column < 4; ++column) {
            Complex vector[4] = {};
            vector[column] = 1;
            for (const Operation& operation : block.operations) pair.apply(operation, vector);
            for (std::size_t row = 0; row < 4; ++row) (*matrix)[4 * row + column] = vector[row];
        }
        Operation operation{.kind = Kind::matrix};
        operation.targets[0] = low;
        operation.targets[1] = high;
        operation.matrix = std::move(matrix);
        return operation;
    }

    std::vector<int> block_of_;  // of each qubit the open one, or -1
    std::vector<Block> blocks_;
    std::vector<Operation> done_;
};

}  // namespace

std::vector<Operation> fuse_pairs(std::vector<Operation> operations, int num_qubits) {
    Fusion fusion(num_qubits);
    for (Operation& operation : operations) fusion.add(std::move(operation));
    return fusion.finish();
}

}  // namespace ionbox

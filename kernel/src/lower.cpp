// From matrices to the kinds of operation that a tile knows how to apply.
#include <algorithm>
#include <stdexcept>
#include <utility>

#include "circuit.hpp"

namespace ionbox {

Mask Operation::targets_mask() const {
    Mask mask = 0;
    for (int target : targets)
        if (target >= 0) mask |= bit(target);
    return mask;
}

namespace {

// Collects operations; a matrix on one qubit waits, because the next one may join it.
class Lowering {
public:
    explicit Lowering(int num_qubits) : waiting_(static_cast<std::size_t>(num_qubits)) {}

    void add_phase(Mask controls, Mask parity, Complex even, Complex odd) {
        if (even == 1.0 && odd == 1.0) return;
        Operation phase{.kind = Kind::phase, .controls = controls, .parity = parity};
        // diag(1, e) is the factor e where the qubit is 1: half of the amplitudes are left alone.
        if (even == 1.0 && parity != 0 && (parity & (parity - 1)) == 0) {
            phase.controls |= parity;
            phase.parity = 0;
            even = odd;
        }
        phase.entries[0] = even;
        phase.entries[1] = odd;
        add(phase);
    }

    void add_matrix_1(Mask controls, int target, const Complex* m) {
        if (controls == 0) return join(target, m);
        if (m[1] == 0.0 && m[2] == 0.0) return add_phase(controls, bit(target), m[0], m[3]);
        bool is_flip = m[0] == 0.0 && m[3] == 0.0 && m[1] == 1.0 && m[2] == 1.0;
        Operation operation{.kind = is_flip ? Kind::flip : Kind::matrix_1, .controls = controls};
        operation.targets[0] = target;
        std::copy(m, m + 4, operation.entries);
        add(operation);
    }

    void add_matrix_2(Mask controls, int low, int high, const Complex* m) {
        if (is_swap(m)) return add_swap(controls, low, high);
        if (is_parity(m)) return add_phase(controls, bit(low) | bit(high), m[0], m[5]);
        Operation operation{.kind = Kind::matrix_2, .controls = controls};
        operation.targets[0] = low;
        operation.targets[1] = high;
        std::copy(m, m + 16, operation.entries);
        add(operation);
    }

    std::vector<Operation> finish() {
        for (std::size_t qubit = 0; qubit < waiting_.size(); ++qubit) release(qubit);
        return std::move(operations_);
    }

private:
    struct Waiting {
        bool is_set = false;
        Complex m[4];
    };

    static bool is_swap(const Complex* m) {
        for (int place = 0; place < 16; ++place) {
            bool is_one = place == 0 || place == 6 || place == 9 || place == 15;
            if (m[place] != (is_one ? 1.0 : 0.0)) return false;
        }
        return true;
    }

    static bool is_parity(const Complex* m) {
        for (int place = 0; place < 16; ++place)
            if (place % 5 != 0 && m[place] != 0.0) return false;
        return m[0] == m[15] && m[5] == m[10];
    }

    void add_swap(Mask controls, int low, int high) {
        add_flip(bit(low), high);
        add_flip(bit(high) | controls, low);
        add_flip(bit(low), high);
    }

    void add_flip(Mask controls, int target) {
        Operation flip{.kind = Kind::flip, .controls = controls};
        flip.targets[0] = target;
        flip.entries[1] = flip.entries[2] = 1;
        add(flip);
    }

    void join(int target, const Complex* m) {
        Waiting& before = waiting_[static_cast<std::size_t>(target)];
        if (!before.is_set) {
            before.is_set = true;
            std::copy(m, m + 4, before.m);
            return;
        }
        const Complex product[4] = {
            m[0] * before.m[0] + m[1] * before.m[2], m[0] * before.m[1] + m[1] * before.m[3],
            m[2] * before.m[0] + m[3] * before.m[2], m[2] * before.m[1] + m[3] * before.m[3]};
        std::copy(product, product + 4, before.m);
    }

    void release(std::size_t qubit) {
        Waiting& waiting = waiting_[qubit];
        if (!waiting.is_set) return;
        waiting.is_set = false;
        const Complex* m = waiting.m;
        if (m[1] == 0.0 && m[2] == 0.0)
            return add_phase(0, bit(static_cast<int>(qubit)), m[0], m[3]);
        bool is_flip = m[0] == 0.0 && m[3] == 0.0 && m[1] == 1.0 && m[2] == 1.0;
        Operation operation{.kind = is_flip ? Kind::flip : Kind::matrix_1};
        operation.targets[0] = static_cast<int>(qubit);
        std::copy(m, m + 4, operation.entries);
        operations_.push_back(operation);
    }

    void add(const Operation& operation) {
        Mask qubits = operation.targets_mask() | operation.diagonal();
        for (std::size_t qubit = 0; qubit < waiting_.size(); ++qubit)
            if (qubits >> qubit & 1) release(qubit);
        operations_.push_back(operation);
    }

    std::vector<Waiting> waiting_;
    std::vector<Operation> operations_;
};

Mask read_mask(const std::int32_t* first, const std::int32_t* last, int num_qubits) {
    Mask mask = 0;
    for (; first != last; ++first) {
        if (*first < 0 || *first >= num_qubits || mask >> *first & 1)
            throw std::invalid_argument("an operation names a qubit twice, or one beyond the state");
        mask |= bit(*first);
    }
    return mask;
}

}  // namespace

std::vector<Operation> lower(const Packed& packed, int num_qubits) {
    Lowering lowering(num_qubits);
    for (std::size_t k = 0; k < packed.num_operations; ++k) {
        const std::int32_t* targets = packed.qubits + packed.qubit_starts[k];
        const std::int32_t* controls_start = targets + packed.num_targets[k];
        const std::int32_t* end = packed.qubits + packed.qubit_starts[k + 1];
        read_mask(targets, end, num_qubits);
        Mask controls = read_mask(controls_start, end, num_qubits);
        const Complex* entries = packed.entries + packed.entry_starts[k];
        std::int32_t num_entries = packed.entry_starts[k + 1] - packed.entry_starts[k];
        if (num_entries == 2)
            lowering.add_phase(
                controls, read_mask(targets, controls_start, num_qubits), entries[0], entries[1]);
        else if (num_entries == 4 && packed.num_targets[k] == 1)
            lowering.add_matrix_1(controls, targets[0], entries);
        else if (num_entries == 16 && packed.num_targets[k] == 2)
            lowering.add_matrix_2(controls, targets[0], targets[1], entries);
        else
            throw std::invalid_argument("an operation is a phase, or a matrix on 1 or 2 targets");
    }
    return lowering.finish();
}

}  // namespace ionbox

#include "transfer.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <stdexcept>

#include "lowering.hpp"

namespace ionbox {
namespace {

constexpr double rounding = 1e-15;  // of a product of a few matrices
constexpr Complex powers_of_i[] = {1, {0, 1}, -1, {0, -1}};

constexpr std::size_t most_matrix_states = std::size_t{1} << most_matrix_qubits;

using Letters = std::array<double, 16>;  // a matrix on the letters of one qubit

constexpr Letters nothing = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1};

// ---- unitaries of few qubits ----

// Operations on some qubits as a matrix; bit k of its numbers is qubits[k].
class Unitary {
public:
    explicit Unitary(std::vector<int> qubits)
        : qubits_(std::move(qubits)), size_(std::size_t{1} << qubits_.size()),
          entries_(size_ * size_) {
        for (std::size_t k = 0; k < size_; ++k) entries_[k * (size_ + 1)] = 1;
    }

    void add(const Operation& operation) {
        Mask controls = local(operation.controls), parity = local(operation.parity);
        std::vector<Mask> targets;
        for (int target : operation.targets)
            if (target >= 0) targets.push_back(local(bit(target)));
        for (Mask row = 0; row < size_; ++row) {
            bool is_first = (row & controls) == controls;
            for (Mask target : targets) is_first = is_first && !(row & target);
            if (is_first) mix_rows(operation, row, targets, is_odd(row & parity));
        }
    }

    const std::vector<Complex>& entries() const { return entries_; }

private:
    Mask local(Mask qubits) const {
        Mask mask = 0;
        for (std::size_t k = 0; k < qubits_.size(); ++k)
            mask |= (qubits >> qubits_[k] & 1) << k;
        return mask;
    }

    // Replace the rows in which the targets differ, of which `row` is the first.
    void mix_rows(const Operation& operation, Mask row, const std::vector<Mask>& targets,
                  bool odd) {
        Complex matrix[16];
        std::size_t size = std::size_t{1} << targets.size();
        fill(operation, odd, matrix);
        for (std::size_t column = 0; column < size_; ++column) {
            Complex before[4], *of[4];
            for (std::size_t k = 0; k < size; ++k) {
                Mask place = row;
                for (std::size_t t = 0; t < targets.size(); ++t)
                    if (k >> t & 1) place |= targets[t];
                of[k] = &entries_[place * size_ + column];
                before[k] = *of[k];
            }
            for (std::size_t k = 0; k < size; ++k) {
                *of[k] = 0;
                for (std::size_t l = 0; l < size; ++l) *of[k] += matrix[k * size + l] * before[l];
            }
        }
    }

    static void fill(const Operation& operation, bool odd, Complex* matrix) {
        double sine = odd ? -operation.sine : operation.sine;
        auto set = [=](Complex a, Complex b, Complex c) {
            matrix[0] = matrix[3] = a, matrix[1] = b, matrix[2] = c;
        };
        switch (operation.kind) {
            case Kind::phase: matrix[0] = odd ? operation.odd : operation.even; break;
            case Kind::flip: set(0, 1, 1); break;
            case Kind::rotation_x: set(operation.cosine, {0, -sine}, {0, -sine}); break;
            case Kind::rotation_y: set(operation.cosine, -sine, sine); break;
            case Kind::matrix: std::copy_n(operation.matrix->begin(), 16, matrix); break;
        }
    }

    std::vector<int> qubits_;
    std::size_t size_;
    std::vector<Complex> entries_;
};

// U Q U+, row after row.
void turn(const std::vector<Complex>& u, const Word& q, std::size_t size, Complex* turned) {
    std::fill_n(turned, size * size, 0);
    for (std::size_t row = 0; row < size; ++row)
        for (std::size_t c = 0; c < size; ++c) {
            Complex factor = u[row * size + (c ^ q.x)];
            if (factor == 0.0) continue;
            factor *= powers_of_i[q.num_y % 4];
            if (is_odd(q.z & c)) factor = -factor;
            for (std::size_t s = 0; s < size; ++s)
                turned[row * size + s] += factor * std::conj(u[s * size + c]);
        }
}

// Tr(P A) of a matrix that is its own adjoint.
double trace(const Word& p, std::size_t size, const Complex* a) {
    double sum = 0;
    for (std::size_t c = 0; c < size; ++c) {
        const Complex& entry = a[c * size + (c ^ p.x)];
        double value = p.num_y & 1 ? -entry.imag() : entry.real();
        sum += is_odd(p.z & c) ? -value : value;
    }
    return p.num_y & 2 ? -sum : sum;
}

// The expectation value of each word after a unitary, by those before: Tr(P U Q U+) / 2**k.
std::vector<double> transfer_matrix(const std::vector<Complex>& u, int num_qubits) {
    std::size_t size = std::size_t{1} << num_qubits, num_words = size * size;
    std::vector<Word> words;
    for (std::size_t word = 0; word < num_words; ++word)
        words.push_back(word_of(word, num_qubits));
    std::vector<double> result(num_words * num_words);
    std::vector<Complex> turned(size * size);
    for (std::size_t column = 0; column < num_words; ++column) {
        turn(u, words[column], size, turned.data());
        bool is_met[most_matrix_states] = {};  // whether some entry is in row c and column c ^ x
        for (std::size_t k = 0; k < size * size; ++k)
            if (turned[k] != 0.0) is_met[k / size ^ k % size] = true;
        for (std::size_t row = 0; row < num_words; ++row) {
            if (!is_met[words[row].x]) continue;
            double entry = trace(words[row], size, turned.data()) / static_cast<double>(size);
            result[row * num_words + column] = std::abs(entry) <= rounding ? 0 : entry;
        }
    }
    return result;
}

// ---- steps ----

std::vector<int> qubits_in(Mask mask) {
    std::vector<int> qubits;
    for (; mask != 0; mask &= mask - 1) qubits.push_back(std::countr_zero(mask));
    return qubits;
}

Mask mask_of(const std::vector<int>& qubits) {
    Mask mask = 0;
    for (int qubit : qubits) mask |= bit(qubit);
    return mask;
}

bool is_diagonal(const Letters& matrix) {
    for (std::size_t k = 0; k < 16; ++k)
        if (k % 5 != 0 && matrix[k] != 0) return false;
    return true;
}

// Which letter of a matrix's words is on a qubit.
int digit_of(const WordStep& step, int qubit) {
    return static_cast<int>(std::find(step.qubits.begin(), step.qubits.end(), qubit) -
                            step.qubits.begin());
}

// Collects steps. What happens to one qubit alone waits, because more may join it.
class Collector {
public:
    explicit Collector(int num_qubits)
        : waiting_(static_cast<std::size_t>(num_qubits), {false, nothing}),
          last_(static_cast<std::size_t>(num_qubits), -1) {
        mixing_.letters.assign(static_cast<std::size_t>(num_qubits), {1, 0, 0, 1});
    }

    void add(const std::vector<Operation>& operations) {
        Mask qubits = 0;
        for (const Operation& operation : operations)
            qubits |= operation.mixed() | operation.diagonal();
        if (std::popcount(qubits) > most_matrix_qubits) {
            if (operations.size() == 1) return add_wide(operations.front());
            for (const Operation& operation : operations) add({operation});
            return;
        }
        if (qubits == 0) return;
        Unitary unitary(qubits_in(qubits));
        for (const Operation& operation : operations) unitary.add(operation);
        add_matrix(qubits_in(qubits), transfer_matrix(unitary.entries(), std::popcount(qubits)));
    }

    // factors: of X, Y and Z on one qubit; on more the first, of all words but I.
    void add_channel(const std::vector<int>& qubits, const double* factors) {
        if (qubits.size() == 1) return add_channel_on(qubits.front(), factors);
        Mask mask = mask_of(qubits);
        if (WordStep* step = last_matrix_on(mask)) return fade(*step, mask, *factors);
        if (qubits.size() > most_matrix_qubits) {
            emit({.kind = WordKind::fade, .qubits = qubits, .factor = *factors});
            return;
        }
        WordStep step{.kind = WordKind::matrix, .qubits = qubits};
        std::size_t num_words = std::size_t{1} << 2 * qubits.size();
        step.entries.resize(num_words * num_words);
        for (std::size_t k = 0; k < num_words; ++k) step.entries[k * (num_words + 1)] = 1;
        fade(step, mask, *factors);
        emit(std::move(step));
    }

    Mixing finish() {
        for (int qubit = 0; qubit < static_cast<int>(waiting_.size()); ++qubit) release(qubit);
        return std::move(mixing_);
    }

private:
    struct Waiting {
        bool is_set;
        Letters matrix;
    };

    Waiting& waiting(int qubit) { return waiting_[static_cast<std::size_t>(qubit)]; }
    int& last(int qubit) { return last_[static_cast<std::size_t>(qubit)]; }

    void add_matrix(std::vector<int> qubits, std::vector<double> entries) {
        if (qubits.size() == 1) {
            Letters matrix;
            std::copy_n(entries.begin(), 16, matrix.begin());
            return join(qubits.front(), matrix);
        }
        WordStep step{.kind = WordKind::matrix, .qubits = qubits, .entries = std::move(entries)};
        for (int qubit : qubits) {
            Waiting& before = waiting(qubit);
            if (!before.is_set || !is_diagonal(before.matrix)) continue;
            scale_columns(step, digit_of(step, qubit), before.matrix);
            before.is_set = false;
        }
        emit(std::move(step));
    }

    void join(int qubit, const Letters& matrix) {
        Waiting& before = waiting(qubit);
        if (!before.is_set) {
            before = {true, matrix};
            return;
        }
        Letters product{};
        for (std::size_t row = 0; row < 4; ++row)
            for (std::size_t column = 0; column < 4; ++column)
                for (std::size_t k = 0; k < 4; ++k)
                    product[4 * row + column] +=
                        matrix[4 * row + k] * before.matrix[4 * k + column];
        before.matrix = product;
    }

    void add_channel_on(int qubit, const double* factors) {
        WordStep* step = last_matrix_on(bit(qubit));
        if (step == nullptr) {
            Letters matrix = nothing;
            for (std::size_t letter = 1; letter < 4; ++letter)
                matrix[5 * letter] = factors[letter - 1];
            return join(qubit, matrix);
        }
        int digit = digit_of(*step, qubit);
        std::size_t num_words = std::size_t{1} << 2 * step->qubits.size();
        for (std::size_t k = 0; k < step->entries.size(); ++k) {
            std::size_t letter = k / num_words >> 2 * digit & 3;
            if (letter != 0) step->entries[k] *= factors[letter - 1];
        }
    }

    // The step after which nothing has happened to these qubits, if it is a matrix on all of them.
    WordStep* last_matrix_on(Mask qubits) {
        int found = last(std::countr_zero(qubits));
        for (int qubit : qubits_in(qubits))
            if (last(qubit) != found || waiting(qubit).is_set) return nullptr;
        if (found < 0) return nullptr;
        WordStep& step = mixing_.steps[static_cast<std::size_t>(found)];
        return step.kind == WordKind::matrix ? &step : nullptr;
    }

    static void fade(WordStep& step, Mask qubits, double factor) {
        std::size_t letters = 0, num_words = std::size_t{1} << 2 * step.qubits.size();
        for (int qubit : qubits_in(qubits)) letters |= std::size_t{3} << 2 * digit_of(step, qubit);
        for (std::size_t k = 0; k < step.entries.size(); ++k)
            if (k / num_words & letters) step.entries[k] *= factor;
    }

    static void scale_columns(WordStep& step, int digit, const Letters& diagonal) {
        std::size_t num_words = std::size_t{1} << 2 * step.qubits.size();
        for (std::size_t k = 0; k < step.entries.size(); ++k)
            step.entries[k] *= diagonal[5 * (k % num_words >> 2 * digit & 3)];
    }

    // What waits on a qubit is done: to the state before all steps, if nothing else was.
    void release(int qubit) {
        Waiting& before = waiting(qubit);
        if (!before.is_set) return;
        before.is_set = false;
        if (last(qubit) < 0) {
            std::array<double, 4>& letters = mixing_.letters[static_cast<std::size_t>(qubit)];
            const std::array<double, 4> old = letters;
            for (std::size_t row = 0; row < 4; ++row) {
                letters[row] = 0;
                for (std::size_t k = 0; k < 4; ++k)
                    letters[row] += before.matrix[4 * row + k] * old[k];
            }
            return;
        }
        emit({.kind = WordKind::matrix,
              .qubits = {qubit},
              .entries = {before.matrix.begin(), before.matrix.end()}});
    }

    void emit(WordStep step) {
        for (int qubit : step.qubits) release(qubit);
        for (int qubit : step.qubits) last(qubit) = static_cast<int>(mixing_.steps.size());
        mixing_.steps.push_back(std::move(step));
    }

    // An operation on many qubits. What a parity of several qubits decides is first made to depend
    // on one: by flips of one by the others, or by turning a rotation's axis where each is 1.
    void add_wide(const Operation& operation) {
        std::vector<Operation> around;
        Operation inner = operation;
        Mask parity = operation.parity;
        if (operation.kind == Kind::phase) {
            if (parity == 0) parity = operation.controls & -operation.controls;
            int pivot = std::countr_zero(parity);
            for (int qubit : qubits_in(parity & ~bit(pivot))) {
                Operation flip{.kind = Kind::flip, .controls = bit(qubit)};
                flip.targets[0] = pivot;
                around.push_back(flip);
            }
            inner.parity = operation.parity & bit(pivot);
        } else {
            for (int qubit : qubits_in(parity))
                around.push_back({.kind = Kind::phase,
                                  .controls = bit(qubit) | bit(operation.targets[0]),
                                  .even = -1});
            inner.parity = 0;
        }
        for (const Operation& step : around) add({step});
        Mask qubits = inner.mixed() | inner.diagonal();
        std::popcount(qubits) > most_matrix_qubits ? add_controlled(inner) : add({inner});
        for (auto step = around.rbegin(); step != around.rend(); ++step) add({*step});
    }

    // A parity of one qubit at most: that qubit, or else one of the controls of a phase, is taken
    // for a target.
    void add_controlled(Operation operation) {
        Mask targets = operation.mixed() | operation.parity;
        if (targets == 0) targets = operation.controls & -operation.controls;
        operation.controls &= ~targets;
        std::vector<int> qubits = qubits_in(targets);
        if (operation.kind == Kind::matrix)
            qubits = {operation.targets[0], operation.targets[1]};
        if (operation.kind == Kind::phase && operation.parity == 0)
            operation.parity = targets, operation.odd = operation.even, operation.even = 1;
        std::vector<int> controls = qubits_in(operation.controls);
        operation.controls = 0;
        Unitary unitary(qubits);
        unitary.add(operation);
        qubits.insert(qubits.end(), controls.begin(), controls.end());
        emit({.kind = WordKind::unitary, .qubits = qubits, .unitary = unitary.entries()});
    }

    std::vector<Waiting> waiting_;
    std::vector<int> last_;  // of each qubit: the last step on it, or -1
    Mixing mixing_;
};

// Operation k as a circuit of its own.
Circuit alone(const Circuit& circuit, std::size_t k) {
    return {circuit.num_qubits,      1,
            circuit.gates + k,       circuit.qubits,
            circuit.qubit_starts + k, circuit.num_targets + k,
            circuit.params,          circuit.param_starts + k,
            circuit.paulis,          circuit.pauli_starts + k};
}

std::vector<int> qubits_of(const Channels& channels, std::size_t c, int num_qubits) {
    std::vector<int> qubits(channels.qubits + channels.starts[c],
                            channels.qubits + channels.starts[c + 1]);
    Mask seen = 0;
    for (int qubit : qubits) {
        if (qubit < 0 || qubit >= num_qubits || seen >> qubit & 1)
            throw std::invalid_argument("a channel names a qubit twice, or one beyond the state");
        seen |= bit(qubit);
    }
    if (qubits.empty()) throw std::invalid_argument("a channel acts on one qubit at least");
    return qubits;
}

}  // namespace

Word word_of(std::size_t number, int num_qubits) {
    Word word;
    for (int qubit = 0; qubit < num_qubits; ++qubit) {
        std::size_t letter = number >> 2 * qubit & 3;
        if (letter == 1 || letter == 2) word.x |= bit(qubit);
        if (letter == 2 || letter == 3) word.z |= bit(qubit);
        word.num_y += letter == 2;
    }
    return word;
}

Mixing mixing_of(const Circuit& circuit, const Channels& channels) {
    Collector collector(circuit.num_qubits);
    std::size_t c = 0;
    for (std::size_t k = 0; k <= circuit.num_operations; ++k) {
        for (; c < channels.count && channels.after[c] <= static_cast<std::int32_t>(k); ++c)
            collector.add_channel(qubits_of(channels, c, circuit.num_qubits),
                                  channels.factors + 3 * c);
        if (k < circuit.num_operations)
            collector.add(lower(alone(circuit, k), false).operations);
    }
    return collector.finish();
}

}  // namespace ionbox

// The gates of ionbox's gate table, whose Python rows define them: a test holds every row equal.
#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <stdexcept>

#include "lowering.hpp"

namespace ionbox {
namespace {

constexpr double pi = std::numbers::pi;
constexpr Complex i{0, 1};
const double half_root = std::sqrt(0.5);

// exp(i 2 pi turns), without rounding dust at the multiples of 1/8 turn.
Complex exp_turns(double turns) {
    double eighths = 8 * std::fmod(turns, 1.0);
    if (eighths != std::floor(eighths)) return std::polar(1.0, 2 * pi * std::fmod(turns, 1.0));
    const Complex corners[] = {1, {half_root, half_root}, i, {-half_root, half_root}};
    int corner = (static_cast<int>(eighths) + 8) % 8;
    return corner < 4 ? corners[corner] : -corners[corner - 4];
}

// exp(i radians), without rounding dust at the small multiples of pi/4. Above 8 turns the spacing
// of floats makes every angle look like a whole eighth.
Complex exp_radians(double radians) {
    double turns = radians / (2 * pi);
    bool is_corner = std::abs(turns) <= 8 && 8 * turns == std::floor(8 * turns);
    return is_corner ? exp_turns(turns) : std::polar(1.0, radians);
}

// One operation of a circuit, as the gates below want it.
struct Use {
    Lowering& lowering;
    const std::int32_t* targets;
    std::int32_t num_targets;
    Mask controls;
    const double* params;
    std::int32_t num_params;
    const std::uint8_t* paulis;
    std::int32_t num_terms;

    int target(int k) const { return targets[k]; }
    Mask all_targets() const { return bit(targets[0]) | (num_targets > 1 ? bit(targets[1]) : 0); }
    void matrix(const Matrix1& m) const { lowering.add_matrix_1(controls, targets[0], m); }
    void diagonal(Complex zero, Complex one) const { matrix({zero, 0, 0, one}); }
    void word(Mask x, Mask z, Complex turn) const { lowering.add_word(controls, x, z, turn); }
};

Matrix1 rx(double rotation) {
    Complex half = exp_radians(rotation / 2);
    return {half.real(), -i * half.imag(), -i * half.imag(), half.real()};
}

Matrix1 ry(double rotation) {
    Complex half = exp_radians(rotation / 2);
    return {half.real(), -half.imag(), half.imag(), half.real()};
}

void add_ms(const Use& use) {
    Complex e[2] = {exp_turns(use.params[0]), exp_turns(use.params[1])};
    for (int k = 0; k < 2; ++k)
        use.lowering.add_matrix_1(0, use.target(k), {1, 0, 0, std::conj(e[k])});
    use.word(use.all_targets(), 0, exp_turns(use.params[2] / 2));
    for (int k = 0; k < 2; ++k) use.lowering.add_matrix_1(0, use.target(k), {1, 0, 0, e[k]});
}

// --- pauliexp ---

struct Word {
    Mask x = 0, z = 0;  // over the targets: bit k is target k
    double angle = 0;

    bool commutes_with(const Word& other) const {
        return (std::popcount(x & other.z) + std::popcount(z & other.x)) % 2 == 0;
    }
};

std::vector<Word> words_of(const Use& use) {
    std::vector<Word> words(static_cast<std::size_t>(use.num_terms));
    double time = use.params[use.num_terms];
    for (std::int32_t term = 0; term < use.num_terms; ++term) {
        Word& word = words[static_cast<std::size_t>(term)];
        word.angle = time * use.params[term];
        for (std::int32_t k = 0; k < use.num_targets; ++k) {
            std::uint8_t letter = use.paulis[term * use.num_targets + k];
            if (letter == 1 || letter == 2) word.x |= bit(k);
            if (letter == 2 || letter == 3) word.z |= bit(k);
        }
    }
    return words;
}

bool all_commute(const std::vector<Word>& words) {
    for (std::size_t a = 0; a < words.size(); ++a)
        for (std::size_t b = 0; b < a; ++b)
            if (!words[a].commutes_with(words[b])) return false;
    return true;
}

Mask on_qubits(Mask targets, const Use& use) {
    Mask mask = 0;
    for (; targets != 0; targets &= targets - 1)
        mask |= bit(use.target(std::countr_zero(targets)));
    return mask;
}

Matrix product(const Matrix& left, const Matrix& right) {
    Matrix result{};
    for (std::size_t row = 0; row < 4; ++row)
        for (std::size_t column = 0; column < 4; ++column)
            for (std::size_t k = 0; k < 4; ++k)
                result[4 * row + column] += left[4 * row + k] * right[4 * k + column];
    return result;
}

Matrix adjoint(const Matrix& matrix) {
    Matrix result{};
    for (std::size_t row = 0; row < 4; ++row)
        for (std::size_t column = 0; column < 4; ++column)
            result[4 * row + column] = std::conj(matrix[4 * column + row]);
    return result;
}

// A step of Newton's method towards the nearest unitary: squaring doubles what is not.
Matrix nearly_unitary(const Matrix& matrix) {
    Matrix result = product(matrix, product(adjoint(matrix), matrix));
    for (std::size_t k = 0; k < 16; ++k) result[k] = 1.5 * matrix[k] - 0.5 * result[k];
    return result;
}

// exp(-i H), H the sum of words on two targets: a Taylor series of H / 2**squarings, squared.
Matrix exponential(const std::vector<Word>& words) {
    Matrix exponent{};
    double norm = 0;
    for (const Word& word : words) {
        norm += std::abs(word.angle);
        for (Mask column = 0; column < 4; ++column) {
            // (X**x Z**z) has (-1)**(z & column) at row column ^ x; Y = i X Z.
            const Complex powers[] = {1, i, -1};
            Complex entry = powers[std::popcount(word.x & word.z)];
            if (std::popcount(word.z & column) % 2) entry = -entry;
            exponent[4 * (column ^ word.x) + column] += -i * word.angle * entry;
        }
    }
    if (!std::isfinite(norm)) throw std::invalid_argument("an angle must be finite");
    int squarings = std::max(0, std::ilogb(norm + 1e-300) + 2);
    for (Complex& entry : exponent) entry = std::ldexp(1.0, -squarings) * entry;
    Matrix sum{}, term{};
    for (std::size_t k = 0; k < 4; ++k) sum[5 * k] = term[5 * k] = 1;
    for (int order = 1; order <= 18; ++order) {  // 0.5**18 / 18! is below 1e-21
        term = product(term, exponent);
        for (Complex& entry : term) entry /= order;
        for (std::size_t k = 0; k < 16; ++k) sum[k] += term[k];
    }
    for (; squarings > 0; --squarings) sum = nearly_unitary(product(sum, sum));
    return sum;
}

void add_pauliexp(const Use& use) {
    std::vector<Word> words = words_of(use);
    if (all_commute(words)) {
        for (const Word& word : words)
            use.word(on_qubits(word.x, use), on_qubits(word.z, use), std::polar(1.0, word.angle));
        return;
    }
    if (use.num_targets != 2 && use.num_targets != 1)
        throw std::invalid_argument("a pauliexp whose terms do not commute has at most 2 targets");
    Matrix m = exponential(words);
    if (use.num_targets == 1) return use.matrix({m[0], m[1], m[4], m[5]});
    use.lowering.add_matrix_2(use.controls, use.target(0), use.target(1), m);
}

// --- the table ---

struct Row {
    const char* name;
    int num_targets;  // -1: any number
    int num_params;   // -1: one a term, and the time
    void (*add)(const Use&);
};

const Row rows[] = {
    {"qis.x", 1, 0, [](const Use& use) { use.matrix({0, 1, 1, 0}); }},
    {"qis.y", 1, 0, [](const Use& use) { use.matrix({0, -i, i, 0}); }},
    {"qis.z", 1, 1, [](const Use& use) { use.diagonal(1, exp_radians(use.params[0])); }},
    {"qis.h", 1, 0,
     [](const Use& use) { use.matrix({half_root, half_root, half_root, -half_root}); }},
    {"qis.s", 1, 0, [](const Use& use) { use.diagonal(1, i); }},
    {"qis.si", 1, 0, [](const Use& use) { use.diagonal(1, -i); }},
    {"qis.t", 1, 0, [](const Use& use) { use.diagonal(1, exp_turns(0.125)); }},
    {"qis.ti", 1, 0, [](const Use& use) { use.diagonal(1, exp_turns(-0.125)); }},
    {"qis.v", 1, 0,
     [](const Use& use) { use.matrix({{{0.5, 0.5}, {0.5, -0.5}, {0.5, -0.5}, {0.5, 0.5}}}); }},
    {"qis.vi", 1, 0,
     [](const Use& use) { use.matrix({{{0.5, -0.5}, {0.5, 0.5}, {0.5, 0.5}, {0.5, -0.5}}}); }},
    {"qis.rx", 1, 1, [](const Use& use) { use.matrix(rx(use.params[0])); }},
    {"qis.ry", 1, 1, [](const Use& use) { use.matrix(ry(use.params[0])); }},
    {"qis.rz", 1, 1,
     [](const Use& use) {
         Complex half = exp_radians(use.params[0] / 2);
         use.diagonal(std::conj(half), half);
     }},
    {"qis.cnot", 1, 0, [](const Use& use) { use.matrix({0, 1, 1, 0}); }},
    {"qis.swap", 2, 0,
     [](const Use& use) { use.lowering.add_swap(use.controls, use.target(0), use.target(1)); }},
    {"qis.xx", 2, 1,
     [](const Use& use) { use.word(use.all_targets(), 0, exp_radians(use.params[0] / 2)); }},
    {"qis.yy", 2, 1,
     [](const Use& use) {
         use.word(use.all_targets(), use.all_targets(), exp_radians(use.params[0] / 2));
     }},
    {"qis.zz", 2, 1,
     [](const Use& use) { use.word(0, use.all_targets(), exp_radians(use.params[0] / 2)); }},
    {"qis.pauliexp", -1, -1, add_pauliexp},
    {"native.gpi", 1, 1,
     [](const Use& use) {
         Complex e = exp_turns(use.params[0]);
         use.matrix({0, std::conj(e), e, 0});
     }},
    {"native.gpi2", 1, 1,
     [](const Use& use) {
         Complex e = exp_turns(use.params[0]);
         use.matrix({half_root, -i * std::conj(e) * half_root, -i * e * half_root, half_root});
     }},
    {"native.ms", 2, 3, add_ms},
    {"native.zz", 2, 1,
     [](const Use& use) { use.word(0, use.all_targets(), exp_turns(use.params[0] / 2)); }},
    {"native.nop", 1, 0, [](const Use&) {}},
};

Mask read_mask(const std::int32_t* first, const std::int32_t* last, int num_qubits) {
    Mask mask = 0;
    for (; first != last; ++first) {
        if (*first < 0 || *first >= num_qubits || mask >> *first & 1)
            throw std::invalid_argument(
                "an operation names a qubit twice, or one beyond the state");
        mask |= bit(*first);
    }
    return mask;
}

void check(const Row& row, const Use& use) {
    bool fits = row.num_targets < 0
                    ? use.num_targets > 0 && use.num_terms > 0 &&
                          use.num_params == use.num_terms + 1
                    : use.num_targets == row.num_targets && use.num_params == row.num_params;
    if (!fits) throw std::invalid_argument("an operation does not fit its row of the gate table");
}

}  // namespace

const std::vector<const char*>& gate_rows() {
    static const std::vector<const char*> names = [] {
        std::vector<const char*> found;
        for (const Row& row : rows) found.push_back(row.name);
        return found;
    }();
    return names;
}

void add_gate(Lowering& lowering, const Circuit& circuit, std::size_t k) {
    std::size_t number = static_cast<std::size_t>(circuit.gates[k]);
    if (circuit.gates[k] < 0 || number >= std::size(rows))
        throw std::invalid_argument("an operation names a row beyond the gate table");
    const std::int32_t* targets = circuit.qubits + circuit.qubit_starts[k];
    const std::int32_t* end = circuit.qubits + circuit.qubit_starts[k + 1];
    std::int32_t num_targets = circuit.num_targets[k];
    read_mask(targets, end, circuit.num_qubits);
    std::int32_t num_paulis = circuit.pauli_starts[k + 1] - circuit.pauli_starts[k];
    Use use{lowering,
            targets,
            num_targets,
            read_mask(targets + num_targets, end, circuit.num_qubits),
            circuit.params + circuit.param_starts[k],
            circuit.param_starts[k + 1] - circuit.param_starts[k],
            circuit.paulis + circuit.pauli_starts[k],
            num_targets > 0 ? num_paulis / num_targets : 0};
    check(rows[number], use);
    rows[number].add(use);
}

}  // namespace ionbox

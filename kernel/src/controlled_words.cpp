#include "controlled_words.hpp"

#include <algorithm>
#include <cmath>

namespace ionbox {
namespace {

// A complex number; the product of std::complex looks after infinities.
struct Number {
    double re = 0, im = 0;
};

constexpr Number powers_of_i[] = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}};

Number operator*(double a, Number b) { return {a * b.re, a * b.im}; }
Number operator+(Number a, Number b) { return {a.re + b.re, a.im + b.im}; }
Number operator*(Number a, Number b) {
    return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
Number number(Complex value) { return {value.real(), value.imag()}; }
double real_product(Number a, Number b) { return a.re * b.re - a.im * b.im; }

double sign(bool is_minus) { return is_minus ? -1 : 1; }

constexpr std::size_t most_rows = 4;

// The rows as pairs of doubles.
Number at(const double* rows, std::size_t entry) { return {rows[2 * entry], rows[2 * entry + 1]}; }
void put(double* rows, std::size_t entry, Number value) {
    rows[2 * entry] = value.re;
    rows[2 * entry + 1] = value.im;
}

}  // namespace

ControlledWords::ControlledWords(const WordStep& step, const std::vector<int>& memory)
    : unitary_(step.unitary), change_(step.unitary) {
    num_rows_ = unitary_.size() == 4 ? 2 : 4;
    for (std::size_t row = 0; row < num_rows_; ++row) change_[row * (num_rows_ + 1)] -= 1;
    std::vector<std::size_t> places;
    std::vector<Mask> bits(step.qubits.size());  // of the step's qubits among them
    for (std::size_t digit = 0; digit < memory.size(); ++digit) {
        auto found = std::find(step.qubits.begin(), step.qubits.end(), memory[digit]);
        if (found == step.qubits.end()) {
            others_.push_back(digit);
            continue;
        }
        bits[static_cast<std::size_t>(found - step.qubits.begin())] =
            bit(static_cast<int>(places.size()));
        places.push_back(digit);
    }
    num_columns_ = std::size_t{1} << places.size();
    std::size_t num_targets = num_rows_ / 2;  // 1 or 2
    controls_ = num_columns_ - 1;
    for (std::size_t k = 0; k < num_targets; ++k) controls_ &= ~bits[k];
    for (std::size_t row = 0; row < num_rows_; ++row) {
        states_.push_back(controls_);
        for (std::size_t k = 0; k < num_targets; ++k)
            if (row >> k & 1) states_.back() |= bits[k];
    }
    lowest_ = words_of(places.front());
    auto middle = places.begin() + static_cast<std::ptrdiff_t>(places.size() / 2);
    low_ = half_of({places.begin() + 1, middle}, 1);
    high_ = half_of({middle, places.end()}, static_cast<int>(places.size() / 2));
}

ControlledWords::Half ControlledWords::half_of(
    const std::vector<std::size_t>& places, int first_qubit) {
    Half half;
    for (std::size_t number = 0; number < words_of(places.size()); ++number) {
        Word word = word_of(number, static_cast<int>(places.size()));
        half.words.push_back({word.x << first_qubit, word.z << first_qubit, word.num_y});
        half.offsets.push_back(deposit_digits(number, places));
    }
    return half;
}

// Call visit(offset, word) for all words on the qubits that are I on the lowest.
template <class Visit>
void ControlledWords::visit(Visit visit) const {
    for (std::size_t high = 0; high < high_.words.size(); ++high)
        for (std::size_t low = 0; low < low_.words.size(); ++low) {
            const Word &a = low_.words[low], &b = high_.words[high];
            visit(low_.offsets[low] + high_.offsets[high],
                  Word{a.x | b.x, a.z | b.z, (a.num_y + b.num_y) & 3});
        }
}

void ControlledWords::apply(std::size_t part, double* words, double* buffer) const {
    double* own = words + deposit_digits(part, others_);
    add_up_rows(own, buffer);
    leave_changes(buffer);
    add_changes(own, buffer);
}

// A[r][c] is the sum over the words P with x = r ^ c, each times P[r][c]; here times 2**k. On the
// lowest qubit, with s the sign of its bit in r, that is I + s Z, and X - i s Y in the next column.
void ControlledWords::add_up_rows(const double* words, double* rows) const {
    std::fill_n(rows, buffer_size(), 0.0);
    visit([&](std::size_t offset, const Word& word) {
        const double* from = words + offset;
        double i = from[0], x = from[lowest_], y = from[2 * lowest_], z = from[3 * lowest_];
        for (std::size_t row = 0; row < num_rows_; ++row) {
            Mask column = states_[row] ^ word.x;
            double s = sign(states_[row] & 1);
            Number power = sign(is_odd(word.z & column)) * powers_of_i[word.num_y];
            std::size_t same = row * num_columns_ + column, other = same ^ 1;
            put(rows, same, at(rows, same) + (i + s * z) * power);
            put(rows, other, at(rows, other) + power * Number{x, -s * y});
        }
    });
}

// Rows of U A U+ - A, divided by 2**k. Those whose columns are changed, too, get half of it, since
// they are met once as row and once as column.
void ControlledWords::leave_changes(double* rows) const {
    double factor = 1 / static_cast<double>(num_columns_);
    auto product = [&](const std::vector<Complex>& matrix, std::size_t row, Mask column) {
        Number sum;
        for (std::size_t k = 0; k < num_rows_; ++k)
            sum = sum + number(matrix[row * num_rows_ + k]) * at(rows, k * num_columns_ + column);
        return sum;
    };
    Number corner[most_rows][most_rows];
    for (std::size_t row = 0; row < num_rows_; ++row)
        for (std::size_t column = 0; column < num_rows_; ++column) {
            Number sum = -1.0 * at(rows, row * num_columns_ + states_[column]);
            for (std::size_t k = 0; k < num_rows_; ++k)
                sum = sum + product(unitary_, row, states_[k]) *
                                number(std::conj(unitary_[column * num_rows_ + k]));
            corner[row][column] = 0.5 * factor * sum;
        }
    for (Mask column = 0; column < num_columns_; ++column) {
        Number changes[most_rows];
        for (std::size_t row = 0; row < num_rows_; ++row)
            changes[row] = factor * product(change_, row, column);
        for (std::size_t row = 0; row < num_rows_; ++row)
            put(rows, row * num_columns_ + column, changes[row]);
    }
    for (std::size_t row = 0; row < num_rows_; ++row)
        for (std::size_t column = 0; column < num_rows_; ++column)
            put(rows, row * num_columns_ + states_[column], corner[row][column]);
}

// Tr(P change): each entry [r][c] of the rows times P[c][r], and the same of the columns, which is
// its conjugate.
void ControlledWords::add_changes(double* words, const double* rows) const {
    visit([&](std::size_t offset, const Word& word) {
        double i = 0, x = 0, y = 0, z = 0;
        for (std::size_t row = 0; row < num_rows_; ++row) {
            double s = sign(states_[row] & 1);
            Number power =
                2 * sign(is_odd(word.z & states_[row])) * powers_of_i[word.num_y];
            std::size_t same = row * num_columns_ + (states_[row] ^ word.x);
            double even = real_product(power, at(rows, same));
            Number odd = power * at(rows, same ^ 1);
            i += even, z += s * even, x += odd.re, y -= s * odd.im;
        }
        double* to = words + offset;
        to[0] += i, to[lowest_] += x, to[2 * lowest_] += y, to[3 * lowest_] += z;
    });
}

}  // namespace ionbox

#include "controlled_words.hpp"

#include <algorithm>
#include <cmath>

namespace ionbox {
namespace {

// i**num_y times a complex number: its real part, and its imaginary part.
double real_of(int num_y, double re, double im) {
    switch (num_y & 3) {
        case 0: return re;
        case 1: return -im;
        case 2: return -re;
        default: return im;
    }
}

double signed_by(Mask bits, double value) { return is_odd(bits) ? -value : value; }

}  // namespace

ControlledWords::ControlledWords(const WordStep& step, const std::vector<int>& memory)
    : unitary_(step.unitary) {
    num_rows_ = static_cast<std::size_t>(std::llround(std::sqrt(unitary_.size())));
    std::vector<std::size_t> places;
    std::vector<int> own;  // the qubits, as they come in memory
    for (std::size_t digit = 0; digit < memory.size(); ++digit) {
        bool is_own = std::count(step.qubits.begin(), step.qubits.end(), memory[digit]) > 0;
        (is_own ? places : others_).push_back(digit);
        if (is_own) own.push_back(memory[digit]);
    }
    num_columns_ = std::size_t{1} << own.size();
    std::vector<Mask> bits;  // of the step's qubits
    for (int qubit : step.qubits)
        bits.push_back(bit(static_cast<int>(std::find(own.begin(), own.end(), qubit) - own.begin())));
    controls_ = num_columns_ - 1;
    std::size_t num_targets = num_rows_ / 2;  // 1 or 2
    for (std::size_t k = 0; k < num_targets; ++k) controls_ &= ~bits[k];
    for (std::size_t row = 0; row < num_rows_; ++row) {
        states_.push_back(controls_);
        for (std::size_t k = 0; k < num_targets; ++k)
            if (row >> k & 1) states_.back() |= bits[k];
    }
    auto middle = places.begin() + static_cast<std::ptrdiff_t>(places.size() / 2);
    low_ = half_of({places.begin(), middle}, 0);
    high_ = half_of({middle, places.end()}, static_cast<int>(places.size() / 2));
}

ControlledWords::Half ControlledWords::half_of(
    const std::vector<std::size_t>& places, int first_qubit) const {
    Half half;
    for (std::size_t number = 0; number < words_of(places.size()); ++number) {
        Word word = word_of(number, static_cast<int>(places.size()));
        half.words.push_back({word.x << first_qubit, word.z << first_qubit, word.num_y});
        half.offsets.push_back(deposit_digits(number, places));
    }
    return half;
}

// Call visit(offset, word) for all words on the qubits.
template <class Visit>
void ControlledWords::visit(Visit visit) const {
    for (std::size_t high = 0; high < high_.words.size(); ++high)
        for (std::size_t low = 0; low < low_.words.size(); ++low) {
            const Word &a = low_.words[low], &b = high_.words[high];
            visit(low_.offsets[low] + high_.offsets[high],
                  Word{a.x | b.x, a.z | b.z, a.num_y + b.num_y});
        }
}

void ControlledWords::apply(std::size_t part, double* words, double* buffer) const {
    double* own = words + deposit_digits(part, others_);
    add_up_rows(own, buffer);
    leave_changes(buffer);
    add_changes(own, buffer);
}

// A[r][c] is the sum over the words P with x = r ^ c, each times P[r][c]; here times 2**k.
void ControlledWords::add_up_rows(const double* words, double* rows) const {
    std::fill_n(rows, buffer_size(), 0.0);
    visit([&](std::size_t offset, const Word& word) {
        for (std::size_t row = 0; row < num_rows_; ++row) {
            Mask column = states_[row] ^ word.x;
            double value = signed_by(word.z & column, words[offset]);
            double* entry = rows + 2 * (row * num_columns_ + column);
            entry[0] += real_of(word.num_y, value, 0);
            entry[1] += real_of(word.num_y, 0, -value);
        }
    });
}

// Rows of U A U+ - A, divided by 2**k. Those whose columns are changed, too, get half of it, since
// they are met once as row and once as column.
void ControlledWords::leave_changes(double* rows) const {
    double factor = 1 / static_cast<double>(num_columns_);
    std::vector<Complex> corner;
    auto at = [&](std::size_t row, Mask column) -> Complex {
        const double* entry = rows + 2 * (row * num_columns_ + column);
        return {entry[0], entry[1]};
    };
    auto turned = [&](std::size_t row, Mask column) {
        Complex sum = 0;
        for (std::size_t k = 0; k < num_rows_; ++k)
            sum += unitary_[row * num_rows_ + k] * at(k, column);
        return sum;
    };
    for (std::size_t row = 0; row < num_rows_; ++row)
        for (std::size_t column = 0; column < num_rows_; ++column) {
            Complex sum = 0;
            for (std::size_t k = 0; k < num_rows_; ++k)
                sum += turned(row, states_[k]) * std::conj(unitary_[column * num_rows_ + k]);
            corner.push_back(0.5 * (sum - at(row, states_[column])));
        }
    for (Mask column = 0; column < num_columns_; ++column) {
        bool is_corner = (column & controls_) == controls_;
        Complex changes[4];
        for (std::size_t row = 0; row < num_rows_; ++row)
            if (!is_corner) changes[row] = turned(row, column) - at(row, column);
        for (std::size_t row = 0; row < num_rows_; ++row) {
            std::size_t own = 0;
            while (is_corner && states_[own] != column) ++own;
            Complex change = factor * (is_corner ? corner[row * num_rows_ + own] : changes[row]);
            double* entry = rows + 2 * (row * num_columns_ + column);
            entry[0] = change.real();
            entry[1] = change.imag();
        }
    }
}

// Tr(P change): each entry [r][c] of the rows times P[c][r], and the same of the columns, which is
// its conjugate.
void ControlledWords::add_changes(double* words, const double* rows) const {
    visit([&](std::size_t offset, const Word& word) {
        double sum = 0;
        for (std::size_t row = 0; row < num_rows_; ++row) {
            Mask state = states_[row];
            const double* entry = rows + 2 * (row * num_columns_ + (state ^ word.x));
            sum += signed_by(word.z & state, real_of(word.num_y, entry[0], entry[1]));
        }
        words[offset] += 2 * sum;
    });
}

}  // namespace ionbox

// A unitary with many controls on a vector of words.
#pragma once

#include "digits.hpp"
#include "transfer.hpp"

namespace ionbox {

// With A the matrix that the words on k qubits make, at each word on the others: U changes only the
// rows and columns of A where all controls are 1. These are 2 or 4 rows, of which A, which is
// Hermitian, has the columns, too: they are summed from the words, and what changes in them is
// added to the words. That takes a few operations a word, however many controls there are.
class ControlledWords {
public:
    // memory: the qubit at each digit of memory.
    ControlledWords(const WordStep& step, const std::vector<int>& memory);

    std::size_t num_parts() const { return words_of(others_.size()); }
    std::size_t buffer_size() const { return 2 * num_rows_ * num_columns_; }

    // Change the words that have the letters `part` on the other qubits.
    void apply(std::size_t part, double* words, double* buffer) const;

private:
    // Words on half of the qubits but the lowest.
    struct Half {
        std::vector<Word> words;
        std::vector<std::size_t> offsets;
    };

    static Half half_of(const std::vector<std::size_t>& places, int first_qubit);
    template <class Visit>
    void visit(Visit visit) const;
    void add_up_rows(const double* words, double* rows) const;
    void leave_changes(double* rows) const;
    void add_changes(double* words, const double* rows) const;

    std::size_t num_rows_, num_columns_;
    Mask controls_;              // among the k qubits, as their places in memory ascend
    std::vector<Mask> states_;   // of the rows
    std::vector<Complex> unitary_, change_;  // U, and U - 1
    std::size_t lowest_;         // from a word to the next letter on the lowest of the k qubits
    Half low_, high_;
    std::vector<std::size_t> others_;  // digits of memory of the other qubits
};

}  // namespace ionbox

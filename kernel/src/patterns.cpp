#include "patterns.hpp"

#include <algorithm>
#include <bit>

namespace ionbox {
namespace {

constexpr int num_lanes = 64;  // shots that are followed at once, a bit of a word each

// Patterns of shots with errors, one row of words each, as they are found.
struct Found {
    std::size_t num_words;
    std::vector<std::uint64_t> words;
    std::vector<std::size_t> shots;
};

class Follower {
public:
    Follower(const Passage& passage, const Errors& errors, Found& found, std::vector<Mask>& flips)
        : passage_(passage), errors_(errors), found_(found), flips_(flips),
          rows_(passage.act_of_bit.size()) {}

    // Follow as many shots as there are lanes, from that error on; return the next error.
    std::size_t follow(std::size_t error) {
        events_.clear();
        std::size_t first_shot = found_.shots.size();
        for (std::int64_t last = -1; error < errors_.count; ++error) {
            if (errors_.shots[error] != last) {
                if (found_.shots.size() - first_shot == num_lanes) break;
                last = errors_.shots[error];
                found_.shots.push_back(static_cast<std::size_t>(last));
            }
            int lane = static_cast<int>(found_.shots.size() - first_shot) - 1;
            events_.push_back({errors_.channels[error], lane, errors_.paulis[error]});
        }
        std::stable_sort(events_.begin(), events_.end(), [](const Event& one, const Event& other) {
            return one.channel < other.channel;
        });
        run();
        write(first_shot);
        return error;
    }

private:
    struct Event {
        std::int64_t channel;
        int lane;
        std::uint64_t pauli;
    };

    void run() {
        std::fill_n(x_, passage_.num_qubits, 0);
        std::fill_n(z_, passage_.num_qubits, 0);
        std::fill(rows_.begin(), rows_.end(), 0);
        std::uint32_t act = first_act(events_.front());
        for (const Event& event : events_) {
            act = pass_until(act, first_act(event));
            std::uint64_t letters = event.pauli;
            for (std::int32_t k = errors_.qubit_starts[event.channel];
                 k < errors_.qubit_starts[event.channel + 1]; ++k, letters >>= 2) {
                std::int32_t qubit = errors_.qubits[k];
                bool has_x = (letters & 3) == 1 || (letters & 3) == 2, has_z = (letters & 3) >= 2;
                x_[qubit] ^= std::uint64_t{has_x} << event.lane;
                z_[qubit] ^= std::uint64_t{has_z} << event.lane;
            }
        }
        pass_until(act, static_cast<std::uint32_t>(passage_.acts.size()));
    }

    std::uint32_t first_act(const Event& event) const {
        return passage_.first_act[static_cast<std::size_t>(errors_.after[event.channel])];
    }

    std::uint32_t pass_until(std::uint32_t act, std::uint32_t end) {
        for (; act < end; ++act)
            pass(passage_.acts[act], x_, z_, rows_.data() + passage_.acts[act].first_bit);
        return act;
    }

    void write(std::size_t first_shot) {
        std::size_t num_shots = found_.shots.size() - first_shot;
        found_.words.resize(found_.shots.size() * found_.num_words, 0);
        std::uint64_t* words = found_.words.data() + first_shot * found_.num_words;
        for (std::size_t row = 0; row < rows_.size(); ++row)
            for (std::uint64_t rest = rows_[row]; rest != 0; rest &= rest - 1) {
                auto lane = static_cast<std::size_t>(std::countr_zero(rest));
                words[lane * found_.num_words + row / 64] |= std::uint64_t{1} << (63 - row % 64);
            }
        for (std::size_t lane = 0; lane < num_shots; ++lane) {
            Mask& flips = flips_[found_.shots[first_shot + lane]];
            for (int qubit = 0; qubit < passage_.num_qubits; ++qubit)
                flips |= (x_[qubit] >> lane & 1) << qubit;
        }
    }

    const Passage& passage_;
    const Errors& errors_;
    Found& found_;
    std::vector<Mask>& flips_;
    std::uint64_t x_[64], z_[64];
    std::vector<std::uint64_t> rows_;  // of each bit of a pattern
    std::vector<Event> events_;
};

// The rows of what was found, ascending by their words.
std::vector<std::size_t> sorted(const Found& found) {
    struct Key {
        std::uint64_t first_word;
        std::size_t row;
    };
    std::vector<Key> keys;
    for (std::size_t row = 0; row < found.shots.size(); ++row)
        keys.push_back({found.words[row * found.num_words], row});
    std::stable_sort(keys.begin(), keys.end(), [&](const Key& one, const Key& other) {
        if (one.first_word != other.first_word) return one.first_word < other.first_word;
        const std::uint64_t* a = found.words.data() + one.row * found.num_words;
        const std::uint64_t* b = found.words.data() + other.row * found.num_words;
        return std::lexicographical_compare(a + 1, a + found.num_words, b + 1,
                                            b + found.num_words);
    });
    std::vector<std::size_t> rows;
    for (const Key& key : keys) rows.push_back(key.row);
    return rows;
}

}  // namespace

Patterns patterns_of(const Passage& passage, const Errors& errors, std::size_t num_shots) {
    std::size_t num_words = std::max<std::size_t>((passage.act_of_bit.size() + 63) / 64, 1);
    Patterns patterns{num_words, {}, {}, {}, std::vector<Mask>(num_shots)};
    Found found{num_words, {}, {}};
    Follower follower(passage, errors, found, patterns.flips);
    for (std::size_t error = 0; error < errors.count;) error = follower.follow(error);

    // Shots without errors have the pattern without any bit, which is the least.
    for (std::size_t shot = 0, k = 0; shot < num_shots; ++shot) {
        if (k < found.shots.size() && found.shots[k] == shot)
            ++k;
        else
            patterns.shots.push_back(shot);
    }
    if (!patterns.shots.empty()) {
        patterns.words.resize(num_words, 0);
        patterns.starts.push_back(0);
    }
    for (std::size_t row : sorted(found)) {
        const std::uint64_t* words = found.words.data() + row * num_words;
        bool is_new = patterns.starts.empty() ||
                      !std::equal(words, words + num_words, patterns.words.end() -
                                      static_cast<std::ptrdiff_t>(num_words));
        if (is_new) {
            patterns.starts.push_back(patterns.shots.size());
            patterns.words.insert(patterns.words.end(), words, words + num_words);
        }
        patterns.shots.push_back(found.shots[row]);
    }
    patterns.starts.push_back(patterns.shots.size());
    return patterns;
}

std::vector<std::size_t> numbers_of_patterns(const Patterns& patterns) {
    std::vector<std::size_t> numbers(patterns.shots.size());
    for (std::size_t pattern = 0; pattern < patterns.size(); ++pattern)
        for (std::size_t k = patterns.starts[pattern]; k < patterns.starts[pattern + 1]; ++k)
            numbers[patterns.shots[k]] = pattern;
    return numbers;
}

std::vector<std::uint32_t> first_acts(const Passage& passage, const Patterns& patterns) {
    std::vector<std::uint32_t> acts;
    for (std::size_t pattern = 0; pattern < patterns.size(); ++pattern) {
        std::size_t word = 0;
        const std::uint64_t* words = patterns.pattern(pattern);
        while (word < patterns.num_words && words[word] == 0) ++word;
        acts.push_back(word == patterns.num_words
                           ? static_cast<std::uint32_t>(passage.acts.size())
                           : passage.act_of_bit[64 * word + static_cast<std::size_t>(
                                                                std::countl_zero(words[word]))]);
    }
    return acts;
}

}  // namespace ionbox

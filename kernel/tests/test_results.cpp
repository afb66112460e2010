// Read-out, sampling and text keep to their memory. What they say in full is tested from Python.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <numeric>
#include <string>

#include "check.hpp"
#include "chunks.hpp"
#include "number_text.hpp"
#include "readout.hpp"
#include "reference.hpp"
#include "sampling.hpp"
#include "text.hpp"

namespace {

constexpr int thread_counts[] = {1, 3};

// Weights of which every fifth is rounding noise, over several chunks and a bit.
std::vector<float> some_weights() {
    std::vector<float> weights(2 * ionbox::chunk_size + 777);
    for (std::size_t k = 0; k < weights.size(); ++k)
        weights[k] = k % 5 ? static_cast<float>(1 + k % 7) : 1e-12f;
    return weights;
}

std::string number(double value, int digits) {
    std::vector<char> text(ionbox::number_room);
    return {text.data(), ionbox::write_number(text.data(), value, digits)};
}

std::string printed(double value, int digits) {
    char text[64];
    std::snprintf(text, sizeof text, "%.*g", digits, value);
    return text;
}

// What `write` makes of memory that is as large as it says, and no larger.
template <class Write>
std::string written(std::size_t room, Write write) {
    std::vector<char> text(room);
    char* end = write(text.data());
    CHECK(end <= text.data() + room);
    return {text.data(), end};
}

}  // namespace

TEST(numbers_are_written_as_printf_does) {
    Random random(1);
    for (int round = 0; round < 20000; ++round) {
        double value = std::ldexp(std::arg(random.phase()), random.below(2000) - 1000);
        for (int digits : {7, 15}) CHECK(number(value, digits) == printed(value, digits));
    }
    for (double value : {0.0, 1.0, 0.1, 1e15, 1e-5, 5e-324, 1.7976931348623157e308})
        for (int digits : {7, 15}) CHECK(number(value, digits) == printed(value, digits));
}

TEST(members_are_written_within_their_room) {
    std::vector<double> values(10000);
    for (std::size_t k = 0; k < values.size(); ++k) values[k] = k % 3 ? -1e-300 / double(k) : 0;
    for (int num_bits : {0, 1, 13, 64}) {
        ionbox::Keys keys{nullptr, ~std::uint64_t{0} - 20000, num_bits};
        std::string alone;
        for (int threads : thread_counts) {
            std::size_t count = values.size();
            auto text = written(ionbox::members_room(keys, count, threads), [&](char* out) {
                return ionbox::write_members(out, keys, values.data(), count, 15, threads);
            });
            CHECK(threads == 1 || text == alone);
            alone = text;
        }
    }
    std::int64_t one = 7;
    auto text = written(ionbox::members_room({nullptr, 5, 4}, 1, 1), [&](char* out) {
        return ionbox::write_members(out, {nullptr, 5, 4}, &one, 1, 15, 1);
    });
    CHECK(text == ",\"1010\":7");
}

TEST(strings_are_written_within_their_room) {
    std::vector<std::uint64_t> keys(10000, ~std::uint64_t{0});
    std::string expected;
    for (std::size_t k = 0; k < keys.size(); ++k) expected += ",\"18446744073709551615\"";
    for (int threads : thread_counts)
        CHECK(expected == written(ionbox::strings_room(keys.size(), threads), [&](char* out) {
                  return ionbox::write_strings(out, keys.data(), keys.size(), threads);
              }));
}

TEST(shots_are_written_within_their_room) {
    const std::string blank = ",[0,0,0,0,0,0,0,0,0,0,0]", full = ",[1,1,1,1,1,1,1,1,1,1,1]";
    std::size_t count = 9000;
    std::vector<std::uint8_t> rows(2 * count, 0xff);
    std::string expected;
    for (std::size_t k = 0; k < count; ++k) expected += full;
    for (int threads : thread_counts)
        CHECK(expected == written(count * blank.size(), [&](char* out) {
                  return ionbox::write_shots(out, blank.data(), blank.size(),
                                             {{2, 11, rows.data()}}, count, threads);
              }));
}

TEST(a_read_out_keeps_what_is_no_noise) {
    for (int threads : thread_counts) {
        std::vector<float> weights = some_weights();
        auto found = ionbox::survey(weights.data(), weights.size(), 1e-9, threads);
        std::size_t count = weights.size() - (weights.size() + 4) / 5;
        CHECK(found.largest == 7 && found.count == count);
        std::vector<std::uint64_t> basis_states(count);
        std::vector<float> values(count);
        auto gather = [&](std::size_t room) {
            return ionbox::gather(weights.data(), weights.size(), found.least, found.sum,
                                  basis_states.data(), values.data(), room, threads);
        };
        CHECK(!gather(count - 1));
        CHECK(gather(count));
        ionbox::rescale(weights.data(), weights.size(), found.least, found.sum, threads);
        double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
        CHECK(std::abs(sum - 1) < 1e-6);
        for (std::size_t k = 0; k < count; ++k) CHECK(weights[basis_states[k]] == values[k]);
    }
}

TEST(samples_have_weight_and_ascend) {
    std::vector<float> weights = some_weights();
    for (float& weight : weights) weight = weight < 1 ? 0 : weight;
    std::vector<double> uniforms{0};
    for (int k = 1; k < 5000; ++k) uniforms.push_back(k / 5000.0);
    uniforms.push_back(std::nextafter(1.0, 0.0));
    for (int threads : thread_counts) {
        std::vector<std::uint64_t> drawn(uniforms.size());
        ionbox::locate(weights.data(), weights.size(), uniforms.data(), uniforms.size(),
                       drawn.data(), threads);
        for (std::size_t k = 0; k < drawn.size(); ++k) {
            CHECK(drawn[k] < weights.size() && weights[drawn[k]] > 0);
            CHECK(k == 0 || drawn[k - 1] <= drawn[k]);
        }
        CHECK(drawn.front() == 1 && drawn.back() >= weights.size() - 2);
    }
}

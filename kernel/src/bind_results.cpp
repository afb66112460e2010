#include "bind_results.hpp"

#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "readout.hpp"
#include "sampling.hpp"
#include "text.hpp"

namespace ionbox {

namespace nb = nanobind;

namespace {

template <class Scalar>
using Array = nb::ndarray<Scalar, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Integers = Array<const std::uint64_t>;
using Rows = nb::ndarray<const std::uint8_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

void check_threads(int threads) {
    if (threads < 1 || threads > 1024) throw std::invalid_argument("threads are 1 to 1024");
}

// --- read-out and sampling ---------------------------------------------------------------------

template <class Real>
std::tuple<double, double, std::size_t, double> survey_of(
    Array<const Real> weights, double share, int threads) {
    check_threads(threads);
    if (weights.size() == 0) throw std::invalid_argument("there is no weight");
    nb::gil_scoped_release others_may_run;
    Survey found = survey(weights.data(), weights.size(), share, threads);
    return {found.largest, found.least, found.count, found.sum};
}

template <class Real>
void rescale_in_place(Array<Real> weights, double least, double sum, int threads) {
    check_threads(threads);
    nb::gil_scoped_release others_may_run;
    rescale(weights.data(), weights.size(), least, sum, threads);
}

template <class Real>
void gather_into(
    Array<const Real> weights, double least, double sum, Array<std::uint64_t> basis_states,
    Array<Real> values, int threads) {
    check_threads(threads);
    nb::gil_scoped_release others_may_run;
    bool fits = basis_states.size() == values.size() &&
                gather(weights.data(), weights.size(), least, sum, basis_states.data(),
                       values.data(), values.size(), threads);
    if (!fits) throw std::invalid_argument("the columns are not as long as what is kept");
}

template <class Real>
void locate_into(
    Array<const Real> weights, Array<const double> uniforms, Array<std::uint64_t> drawn,
    int threads) {
    check_threads(threads);
    if (weights.size() == 0) throw std::invalid_argument("there is no weight");
    if (drawn.size() != uniforms.size())
        throw std::invalid_argument("there is one basis state for each uniform");
    nb::gil_scoped_release others_may_run;
    locate(weights.data(), weights.size(), uniforms.data(), uniforms.size(), drawn.data(), threads);
}

template <class Real>
void bind_weights(nb::module_& module) {
    auto weights = nb::arg("weights").noconvert();
    auto threads = nb::arg("threads") = 1;
    module.def("survey", &survey_of<Real>, weights, nb::arg("share"), nb::kw_only(), threads);
    module.def("rescale", &rescale_in_place<Real>, weights, nb::arg("least"), nb::arg("total"),
               nb::kw_only(), threads);
    module.def("gather", &gather_into<Real>, weights, nb::arg("least"), nb::arg("total"),
               nb::arg("basis_states").noconvert(), nb::arg("values").noconvert(), nb::kw_only(),
               threads);
    module.def("locate", &locate_into<Real>, weights, nb::arg("uniforms").noconvert(),
               nb::arg("drawn").noconvert(), nb::kw_only(), threads);
}

// --- text --------------------------------------------------------------------------------------

// Return what `write` writes into `room` characters; it returns where the text ends.
//
// Bytes made at once and cut to size would be new memory in each call, and cost more than the copy.
template <class Write>
nb::bytes written(std::size_t room, Write write) {
    std::unique_ptr<char[]> text;
    std::size_t size;
    {
        nb::gil_scoped_release others_may_run;
        text.reset(new char[room]);
        size = static_cast<std::size_t>(write(text.get()) - text.get());
    }
    auto bytes = nb::steal<nb::bytes>(
        PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(size)));
    if (!bytes.is_valid()) throw nb::python_error();
    char* out = PyBytes_AS_STRING(bytes.ptr());
    nb::gil_scoped_release others_may_run;
    std::memcpy(out, text.get(), size);
    return bytes;
}

template <class Value>
nb::bytes print_members(
    Array<const Value> values, std::optional<Integers> keys, std::uint64_t first, int num_bits,
    int digits, int threads) {
    check_threads(threads);
    if (keys && keys->size() != values.size())
        throw std::invalid_argument("there is one key for each value");
    if (num_bits < 0 || num_bits > 64) throw std::invalid_argument("bits are 0 to 64");
    if (digits != 7 && digits != 15) throw std::invalid_argument("digits are 7 or 15");
    Keys all{keys ? keys->data() : nullptr, first, num_bits};
    return written(members_room(all, values.size(), threads), [&](char* out) {
        return write_members(out, all, values.data(), values.size(), digits, threads);
    });
}

nb::bytes print_strings(Integers keys, int threads) {
    check_threads(threads);
    return written(strings_room(keys.size(), threads), [&](char* out) {
        return write_strings(out, keys.data(), keys.size(), threads);
    });
}

Place place_of(std::size_t start, std::size_t num_bits, const Rows& rows, std::size_t size) {
    if (num_bits < 1 || num_bits > size || start > size || 2 * num_bits - 1 > size - start)
        throw std::invalid_argument("the bits of a register do not fit into the text of a shot");
    if (rows.shape(1) != (num_bits + 7) / 8)
        throw std::invalid_argument("the rows of a register are not as wide as its bits");
    return {start, num_bits, rows.data()};
}

nb::bytes print_shots(
    nb::bytes blank, const std::vector<std::tuple<std::size_t, std::size_t, Rows>>& registers,
    int threads) {
    check_threads(threads);
    std::vector<Place> places;
    std::size_t count = registers.empty() ? 0 : std::get<2>(registers[0]).shape(0);
    for (const auto& [start, num_bits, rows] : registers) {
        if (rows.shape(0) != count) throw std::invalid_argument("registers differ in shots");
        places.push_back(place_of(start, num_bits, rows, blank.size()));
    }
    const char* text = blank.c_str();
    std::size_t size = blank.size();
    return written(count * size, [&](char* out) {
        return write_shots(out, text, size, places, count, threads);
    });
}

template <class Value>
void bind_members(nb::module_& module) {
    module.def(
        "print_members", &print_members<Value>, nb::arg("values").noconvert(), nb::kw_only(),
        nb::arg("keys").noconvert() = nb::none(), nb::arg("first") = 0, nb::arg("num_bits") = 0,
        nb::arg("digits") = 15, nb::arg("threads") = 1);
}

}  // namespace

void bind_results(nb::module_& module) {
    bind_weights<float>(module);
    bind_weights<double>(module);
    bind_members<float>(module);
    bind_members<double>(module);
    bind_members<std::int64_t>(module);
    module.def("print_strings", &print_strings, nb::arg("keys").noconvert(), nb::kw_only(),
               nb::arg("threads") = 1);
    module.def("print_shots", &print_shots, nb::arg("blank"), nb::arg("registers"), nb::kw_only(),
               nb::arg("threads") = 1);
}

}  // namespace ionbox

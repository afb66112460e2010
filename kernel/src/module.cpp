// The Python face: one function, which checks what could harm memory and lets other threads run.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <bit>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "bind_results.hpp"
#include "circuit.hpp"
#include "execute.hpp"

namespace nb = nanobind;

namespace {

using namespace ionbox;

template <class Scalar>
using Array = nb::ndarray<Scalar, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Integers = Array<const std::int32_t>;

constexpr int most_threads = 1024;

std::vector<std::string> variant_names() {
    std::vector<std::string> names;
    for (const Variant* variant : variants()) names.emplace_back(variant->name);
    return names;
}

const Variant& variant_named(const std::string& name) {
    for (const Variant* variant : variants())
        if (name.empty() || name == variant->name) return *variant;
    throw std::invalid_argument("this processor has no variant '" + name + "'");
}

// Refuse slices that do not lie one behind the other within an array.
void check_slices(const Integers& starts, std::size_t num_slices, std::size_t size) {
    bool is_good = starts.size() == num_slices + 1 && starts.data()[0] == 0;
    for (std::size_t k = 0; is_good && k < num_slices; ++k)
        is_good = starts.data()[k] <= starts.data()[k + 1];
    if (!is_good || static_cast<std::size_t>(starts.data()[num_slices]) != size)
        throw std::invalid_argument("starts do not cut the array into one slice an operation");
}

Packed packed_from(
    const Integers& qubits, const Integers& qubit_starts, const Integers& num_targets,
    const Array<const Complex>& entries, const Integers& entry_starts) {
    std::size_t count = num_targets.size();
    check_slices(qubit_starts, count, qubits.size());
    check_slices(entry_starts, count, entries.size());
    for (std::size_t k = 0; k < count; ++k) {
        std::int32_t width = qubit_starts.data()[k + 1] - qubit_starts.data()[k];
        if (num_targets.data()[k] < 0 || num_targets.data()[k] > width)
            throw std::invalid_argument("an operation has more targets than qubits");
    }
    return {count, qubits.data(), qubit_starts.data(), num_targets.data(), entries.data(),
            entry_starts.data()};
}

template <class Real>
void evolve(
    Array<std::complex<Real>> state, Integers qubits, Integers qubit_starts, Integers num_targets,
    Array<const Complex> entries, Integers entry_starts, std::optional<Array<Real>> weights,
    Mask live, int threads, const std::string& variant) {
    if (!std::has_single_bit(state.size()))
        throw std::invalid_argument("the size of a state is a power of two");
    if (weights && weights->size() != state.size())
        throw std::invalid_argument("there is one weight for each amplitude");
    if (threads < 1 || threads > most_threads)
        throw std::invalid_argument("threads are 1 to 1024");
    int num_qubits = std::countr_zero(state.size());
    Packed packed = packed_from(qubits, qubit_starts, num_targets, entries, entry_starts);
    const Variant& chosen = variant_named(variant);
    auto* amplitudes = reinterpret_cast<Real*>(state.data());
    Real* out = weights ? weights->data() : nullptr;

    nb::gil_scoped_release others_may_run;
    auto stages = cut_into_stages(lower(packed, num_qubits), num_qubits, tile_qubits<Real>);
    execute<Real>(stages, {num_qubits, amplitudes, out, live}, chosen, threads);
}

template <class Real>
void define_evolve(nb::module_& module) {
    module.def(
        "evolve", &evolve<Real>, nb::arg("state").noconvert(), nb::arg("qubits").noconvert(),
        nb::arg("qubit_starts").noconvert(), nb::arg("num_targets").noconvert(),
        nb::arg("entries").noconvert(), nb::arg("entry_starts").noconvert(), nb::kw_only(),
        nb::arg("weights").noconvert() = nb::none(), nb::arg("live") = ~Mask{0},
        nb::arg("threads") = 1, nb::arg("variant") = "");
}

}  // namespace

NB_MODULE(statevector, module) {
    module.def("variants", &variant_names);
    define_evolve<float>(module);
    define_evolve<double>(module);
    ionbox::bind_results(module);
}

// The Python face: it checks what could harm memory and lets other threads run.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <bit>
#include <stdexcept>
#include <string>
#include <vector>

#include "bind_results.hpp"
#include "lowering.hpp"
#include "measurement.hpp"
#include "simulate.hpp"
#include "trajectories.hpp"
#include "words.hpp"

namespace nb = nanobind;

namespace {

using namespace ionbox;

template <class Scalar>
using Array = nb::ndarray<Scalar, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <class Scalar>
using Numbers = Array<const Scalar>;
using Starts = Numbers<std::int32_t>;

constexpr int most_threads = 1024;
constexpr int most_qubits = 48;
constexpr int most_mixed_qubits = 16;

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
void check_slices(const Starts& starts, std::size_t num_slices, std::size_t size) {
    bool is_good = starts.size() == num_slices + 1 && starts.data()[0] == 0;
    for (std::size_t k = 0; is_good && k < num_slices; ++k)
        is_good = starts.data()[k] <= starts.data()[k + 1];
    if (!is_good || static_cast<std::size_t>(starts.data()[num_slices]) != size)
        throw std::invalid_argument("starts do not cut the array into one slice an operation");
}

// The packed arrays of a circuit, as they lie in Python's memory.
struct Arrays {
    int num_qubits;
    Numbers<std::int16_t> gates;
    Numbers<std::int32_t> qubits;
    Starts qubit_starts;
    Numbers<std::int32_t> num_targets;
    Numbers<double> params;
    Starts param_starts;
    Numbers<std::uint8_t> paulis;
    Starts pauli_starts;

    Circuit circuit() const {
        if (num_qubits < 0 || num_qubits > most_qubits)
            throw std::invalid_argument("a state has 0 to 48 qubits");
        std::size_t count = gates.size();
        check_slices(qubit_starts, count, qubits.size());
        check_slices(param_starts, count, params.size());
        check_slices(pauli_starts, count, paulis.size());
        if (num_targets.size() != count)
            throw std::invalid_argument("there is one number of targets for each operation");
        for (std::size_t k = 0; k < count; ++k) {
            std::int32_t width = qubit_starts.data()[k + 1] - qubit_starts.data()[k];
            if (num_targets.data()[k] < 1 || num_targets.data()[k] > width)
                throw std::invalid_argument("an operation has more targets than qubits, or none");
        }
        return {num_qubits,           count,         gates.data(),
                qubits.data(),        qubit_starts.data(), num_targets.data(),
                params.data(),        param_starts.data(), paulis.data(),
                pauli_starts.data()};
    }
};

int checked(int threads) {
    if (threads < 1 || threads > most_threads)
        throw std::invalid_argument("threads are 1 to 1024");
    return threads;
}

Settings settings_of(int threads, const std::string& variant, Progress& progress) {
    return {variant_named(variant), checked(threads), progress};
}

template <class Real>
nb::object weights_of(const Circuit& circuit, const Settings& settings) {
    Aligned<Real> weights;
    {
        nb::gil_scoped_release others_may_run;
        weights = simulate<Real>(circuit, settings);
    }
    nb::capsule owner(weights.get(), [](void* memory) noexcept { Free()(memory); });
    Real* data = weights.release();
    return nb::cast(nb::ndarray<nb::numpy, Real, nb::ndim<1>>(
        data, {std::size_t{1} << circuit.num_qubits}, owner));
}

template <class Real>
void evolve_array(
    Array<std::complex<Real>> state, const Arrays& arrays, Mask live, int threads,
    const std::string& variant) {
    Circuit circuit = arrays.circuit();
    if (state.size() != std::size_t{1} << circuit.num_qubits)
        throw std::invalid_argument("a state has 2**num_qubits amplitudes");
    Progress progress;
    Settings settings = settings_of(threads, variant, progress);
    nb::gil_scoped_release others_may_run;
    evolve<Real>(circuit, reinterpret_cast<Real*>(state.data()), live, settings);
}

// Channels of a circuit and errors of them, as they lie in Python's memory.
struct ErrorArrays {
    Numbers<std::int32_t> after, qubits;
    Starts qubit_starts;
    Numbers<std::int64_t> shots, channels;
    Numbers<std::uint64_t> paulis;

    // num_operations: of the circuit.
    Errors errors(int num_qubits, std::size_t num_operations, std::size_t num_shots) const {
        check_slices(qubit_starts, after.size(), qubits.size());
        for (std::size_t k = 0; k < after.size(); ++k)
            if (after.data()[k] < (k ? after.data()[k - 1] : 0) ||
                static_cast<std::size_t>(after.data()[k]) > num_operations)
                throw std::invalid_argument("channels lie between operations and ascend");
        for (std::size_t k = 0; k < qubits.size(); ++k)
            if (qubits.data()[k] < 0 || qubits.data()[k] >= num_qubits)
                throw std::invalid_argument("a channel has a qubit that the circuit does not have");
        if (channels.size() != shots.size() || paulis.size() != shots.size())
            throw std::invalid_argument("the columns of the errors differ in length");
        for (std::size_t k = 0; k < shots.size(); ++k) {
            std::int64_t before = k ? shots.data()[k - 1] : 0, shot = shots.data()[k];
            if (shot < before || shot >= static_cast<std::int64_t>(num_shots) ||
                channels.data()[k] < 0 ||
                channels.data()[k] >= static_cast<std::int64_t>(after.size()))
                throw std::invalid_argument("errors ascend by shot, and each is of a channel");
        }
        return {after.data(), qubits.data(),   qubit_starts.data(), shots.size(),
                shots.data(), channels.data(), paulis.data()};
    }
};

template <class Real>
void check_qubit(const Array<std::complex<Real>>& state, int qubit) {
    if (!std::has_single_bit(state.size()) || qubit < 0 || qubit >= std::countr_zero(state.size()))
        throw std::invalid_argument("a state has 2**n amplitudes, and its qubits are 0 to n - 1");
}

// Channels between the operations of a circuit, as they lie in Python's memory.
nb::object mix_arrays(const Arrays& arrays, Starts after, Numbers<std::int32_t> qubits,
                      Starts starts, Numbers<double> factors, int threads,
                      const std::string& variant) {
    Circuit circuit = arrays.circuit();
    std::size_t count = after.size();
    check_slices(starts, count, qubits.size());
    if (factors.size() != 3 * count)
        throw std::invalid_argument("there are three factors for each channel");
    if (circuit.num_qubits > most_mixed_qubits)
        throw std::invalid_argument("a mixed state has at most 16 qubits");
    Channels channels{count, after.data(), qubits.data(), starts.data(), factors.data()};
    const Variant& chosen = variant_named(variant);
    checked(threads);
    auto* found = new std::vector<double>;
    nb::capsule owner(found, [](void* vector) noexcept {
        delete static_cast<std::vector<double>*>(vector);
    });
    {
        nb::gil_scoped_release others_may_run;
        *found = mix(circuit, channels, chosen, threads);
    }
    return nb::cast(nb::ndarray<nb::numpy, double, nb::ndim<1>>(
        found->data(), {found->size()}, owner));
}

// What there is for both precisions.
template <class Real>
void define_on_states(nb::module_& module) {
    using State = Array<std::complex<Real>>;
    module.def("evolve", &evolve_array<Real>, nb::arg("state").noconvert(), nb::arg("circuit"),
               nb::kw_only(), nb::arg("live") = ~Mask{0}, nb::arg("threads") = 1,
               nb::arg("variant") = "");
    module.def(
        "probability_of_one",
        [](State state, int qubit, int threads) {
            check_qubit<Real>(state, qubit);
            nb::gil_scoped_release others_may_run;
            Norms found = norms(reinterpret_cast<const Real*>(state.data()), state.size(), qubit,
                                checked(threads));
            return found.one / (found.zero + found.one);
        },
        nb::arg("state").noconvert(), nb::arg("qubit"), nb::kw_only(), nb::arg("threads") = 1);
    module.def(
        "collapse",
        [](State state, int qubit, int outcome, double factor, bool is_reset, int threads) {
            check_qubit<Real>(state, qubit);
            if (outcome != 0 && outcome != 1)
                throw std::invalid_argument("the outcome of a measurement is 0 or 1");
            nb::gil_scoped_release others_may_run;
            collapse<Real>(reinterpret_cast<Real*>(state.data()), state.size(),
                           {qubit, outcome, static_cast<Real>(factor), is_reset}, checked(threads));
        },
        nb::arg("state").noconvert(), nb::arg("qubit"), nb::arg("outcome"), nb::arg("factor"),
        nb::kw_only(), nb::arg("is_reset") = false, nb::arg("threads") = 1);
}

}  // namespace

NB_MODULE(statevector, module) {
    module.def("variants", &variant_names);
    module.def("gate_rows", [] {
        return std::vector<std::string>(gate_rows().begin(), gate_rows().end());
    });
    nb::class_<Progress>(module, "Progress")
        .def(nb::init<>())
        .def_prop_ro("done", [](const Progress& progress) { return progress.done.load(); })
        .def_prop_ro("total", [](const Progress& progress) { return progress.total.load(); });
    nb::class_<Arrays>(module, "Packed");
    module.def("pack", [](int num_qubits, Numbers<std::int16_t> gates,
                          Numbers<std::int32_t> qubits, Starts qubit_starts,
                          Numbers<std::int32_t> num_targets, Numbers<double> params,
                          Starts param_starts, Numbers<std::uint8_t> paulis, Starts pauli_starts) {
        Arrays arrays{num_qubits,   gates,  qubits,       qubit_starts, num_targets,
                      params,       param_starts, paulis, pauli_starts};
        arrays.circuit();  // refuses what does not fit together
        return arrays;
    });
    module.def(
        "simulate",
        [](const Arrays& arrays, bool is_double, int threads, const std::string& variant,
           Progress* progress) {
            Progress unread;
            Settings settings = settings_of(threads, variant, progress ? *progress : unread);
            Circuit circuit = arrays.circuit();
            return is_double ? weights_of<double>(circuit, settings)
                             : weights_of<float>(circuit, settings);
        },
        nb::arg("circuit"), nb::kw_only(), nb::arg("is_double"), nb::arg("threads") = 1,
        nb::arg("variant") = "", nb::arg("progress").none() = nb::none());
    module.def(
        "follow",
        [](const Arrays& arrays, Numbers<std::int32_t> after, Numbers<std::int32_t> qubits,
           Starts qubit_starts, Numbers<std::int64_t> shots, Numbers<std::int64_t> channels,
           Numbers<std::uint64_t> paulis, Numbers<double> uniforms, Array<std::uint64_t> drawn,
           bool is_double, int threads, const std::string& variant, Progress* progress) {
            Progress unread;
            Settings settings = settings_of(threads, variant, progress ? *progress : unread);
            Circuit circuit = arrays.circuit();
            if (drawn.size() != uniforms.size())
                throw std::invalid_argument("there is one uniform for each shot");
            ErrorArrays given{after, qubits, qubit_starts, shots, channels, paulis};
            Errors errors =
                given.errors(circuit.num_qubits, circuit.num_operations, drawn.size());
            nb::gil_scoped_release others_may_run;
            is_double ? follow<double>(circuit, errors, uniforms.data(), drawn.size(),
                                       drawn.data(), settings)
                      : follow<float>(circuit, errors, uniforms.data(), drawn.size(),
                                      drawn.data(), settings);
        },
        nb::arg("circuit"), nb::arg("after"), nb::arg("qubits"), nb::arg("qubit_starts"),
        nb::arg("shots"), nb::arg("channels"), nb::arg("paulis"), nb::arg("uniforms"),
        nb::arg("drawn").noconvert(), nb::kw_only(), nb::arg("is_double"), nb::arg("threads") = 1,
        nb::arg("variant") = "", nb::arg("progress").none() = nb::none());
    module.def(
        "patterns",
        [](const Arrays& arrays, Numbers<std::int32_t> after, Numbers<std::int32_t> qubits,
           Starts qubit_starts, Numbers<std::int64_t> shots, Numbers<std::int64_t> channels,
           Numbers<std::uint64_t> paulis, std::size_t num_shots) {
            Circuit circuit = arrays.circuit();
            ErrorArrays given{after, qubits, qubit_starts, shots, channels, paulis};
            Errors errors = given.errors(circuit.num_qubits, circuit.num_operations, num_shots);
            nb::gil_scoped_release others_may_run;
            Passage passage = passage_of(circuit);
            Patterns patterns = patterns_of(passage, errors, num_shots);
            return std::make_tuple(passage.acts.size(), passage.act_of_bit.size(),
                                   numbers_of_patterns(patterns), first_acts(passage, patterns));
        },
        nb::arg("circuit"), nb::arg("after"), nb::arg("qubits"), nb::arg("qubit_starts"),
        nb::arg("shots"), nb::arg("channels"), nb::arg("paulis"), nb::arg("num_shots"));
    define_on_states<float>(module);
    define_on_states<double>(module);
    module.def(
        "effort",
        [](const Arrays& arrays, bool is_double, const std::string& variant) {
            Circuit circuit = arrays.circuit();
            const Variant& chosen = variant_named(variant);
            nb::gil_scoped_release others_may_run;
            Effort found =
                is_double ? effort<double>(circuit, chosen) : effort<float>(circuit, chosen);
            return std::make_tuple(found.stages, found.passes, found.steps, found.flops);
        },
        nb::arg("circuit"), nb::kw_only(), nb::arg("is_double"), nb::arg("variant") = "");
    module.def("mix", &mix_arrays, nb::arg("circuit"), nb::arg("after"), nb::arg("qubits"),
               nb::arg("starts"), nb::arg("factors"), nb::kw_only(), nb::arg("threads") = 1,
               nb::arg("variant") = "");
    ionbox::bind_results(module);
}

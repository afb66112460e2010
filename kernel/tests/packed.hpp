// Circuits as Python packs them: rows of the gate table.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "check.hpp"
#include "circuit.hpp"
#include "lowering.hpp"

struct Packed {
    int num_qubits;
    std::vector<std::int16_t> gates;
    std::vector<std::int32_t> qubits, num_targets;
    std::vector<std::int32_t> qubit_starts{0}, param_starts{0}, pauli_starts{0};
    std::vector<double> params;
    std::vector<std::uint8_t> paulis;

    explicit Packed(int num_qubits) : num_qubits(num_qubits) {}

    Packed& add(std::string_view gate, const std::vector<int>& targets,
                const std::vector<int>& controls = {}, const std::vector<double>& own_params = {},
                const std::vector<std::uint8_t>& own_paulis = {}) {
        gates.push_back(row_of(gate));
        qubits.insert(qubits.end(), targets.begin(), targets.end());
        qubits.insert(qubits.end(), controls.begin(), controls.end());
        params.insert(params.end(), own_params.begin(), own_params.end());
        paulis.insert(paulis.end(), own_paulis.begin(), own_paulis.end());
        num_targets.push_back(static_cast<std::int32_t>(targets.size()));
        qubit_starts.push_back(static_cast<std::int32_t>(qubits.size()));
        param_starts.push_back(static_cast<std::int32_t>(params.size()));
        pauli_starts.push_back(static_cast<std::int32_t>(paulis.size()));
        return *this;
    }

    ionbox::Circuit circuit() const {
        return {num_qubits,           gates.size(),         gates.data(),
                qubits.data(),        qubit_starts.data(),  num_targets.data(),
                params.data(),        param_starts.data(),  paulis.data(),
                pauli_starts.data()};
    }

private:
    static std::int16_t row_of(std::string_view gate) {
        const auto& rows = ionbox::gate_rows();
        for (std::size_t row = 0; row < rows.size(); ++row)
            if (rows[row] == gate) return static_cast<std::int16_t>(row);
        CHECK(false);
        return -1;
    }
};

"""The state-vector engine: all 2**n amplitudes, one operation after the other, in place."""

from __future__ import annotations

from ionbox.circuits.circuit import Circuit
from ionbox.engines.calibration import ONE_CORE, Machine, NumpySpeed
from ionbox.engines.costs import (
    READ_OUT_OPERATIONS,
    READ_OUT_PASSES,
    WORD_PASSES,
    Cost,
    circuit_cost,
    sampling_bytes,
    tile_bytes,
)
from ionbox.engines.engine import Estimate, Outcome, Refusal, Workload, resolve_precision
from ionbox.engines.expectation import EXPECTATION_VECTORS, expectation
from ionbox.engines.operations import make_ready
from ionbox.engines.progress import Progress
from ionbox.engines.readout import read_out_weights
from ionbox.engines.registers import marginal_bytes, wide_register
from ionbox.engines.vectors import (
    AMPLITUDE_TYPES,
    Amplitudes,
    AmplitudeType,
    ground_state,
    take_weights,
    too_wide,
)

_MOOT = Refusal(
    "statevector",
    "the state-vector engine runs ideal circuits that measure at the end only",
    is_moot=True,
)


class StateVectorEngine:
    """All amplitudes in memory: exact, any ideal circuit, 2**n in memory and time.

    It also computes the expectation value of an observable after the circuit.
    """

    name = "statevector"

    def assess(self, workload: Workload, machine: Machine = ONE_CORE) -> Estimate | Refusal:
        """Say what the workload costs; refuse noise and what would never end."""
        circuit = workload.program.circuit
        if workload.noise is not None or circuit is None:
            return self._refuse_kind(workload)
        if reason := too_wide(workload.program.num_qubits):
            return Refusal(self.name, reason, is_too_large=True)
        cost = wide_register(workload.program) or circuit_cost(circuit)
        if isinstance(cost, str):
            return Refusal(self.name, cost)
        return self._estimate(workload, circuit, cost, machine.calibration.numpy)

    def _refuse_kind(self, workload: Workload) -> Refusal:
        if workload.observable is None:
            return _MOOT
        if workload.noise is not None:
            given = f"noise model '{workload.noise.name}'"
        else:
            given = "measurements, resets or jumps before the end"
        reason = f"expectation values are computed of ideal circuits only, not with {given}"
        return Refusal(self.name, reason)

    def _estimate(
        self, workload: Workload, circuit: Circuit, cost: Cost, speed: NumpySpeed
    ) -> Estimate:
        precision = resolve_precision(workload)
        size = 1 << circuit.num_qubits
        itemsize = AMPLITUDE_TYPES[precision].itemsize
        vector_bytes = size * itemsize
        is_exact = size <= workload.max_outcomes or workload.observable is not None
        vectors, passes = cost.vectors, cost.passes + READ_OUT_PASSES
        if workload.observable is not None:
            vectors = max(vectors, EXPECTATION_VECTORS)
            passes += WORD_PASSES * len(workload.observable.terms)
        else:
            passes += len(workload.program.registers)
        memory_bytes = int(vectors * vector_bytes) + tile_bytes(circuit.num_qubits)
        if workload.observable is None:
            memory_bytes += marginal_bytes(workload.program)
        if not is_exact:
            memory_bytes += sampling_bytes(workload.shots)
        operations = circuit.num_operations + READ_OUT_OPERATIONS
        seconds = speed.operation * operations + speed.passes(passes, size, itemsize)
        return Estimate(self.name, memory_bytes, seconds, 1, precision, is_exact)

    def run(
        self,
        workload: Workload,
        *,
        threads: int = 1,  # noqa: ARG002 - the port's
        progress: Progress | None = None,
    ) -> Outcome:
        """Run all operations, then list the outcomes, or sample where they are too many."""
        circuit = workload.program.circuit
        assert circuit is not None  # noqa: S101 - `assess` refuses what is no circuit
        amplitude_type = AMPLITUDE_TYPES[resolve_precision(workload)]
        vector = _evolve(circuit, amplitude_type, progress or Progress())
        if workload.observable is not None:
            return Outcome(expectation(vector, workload.observable))
        return read_out_weights(take_weights(vector), workload)


def _evolve(circuit: Circuit, amplitude_type: AmplitudeType, progress: Progress) -> Amplitudes:
    """Return what the circuit makes of |0...0>."""
    vector = ground_state(circuit.num_qubits, amplitude_type)
    progress.expect(circuit.num_operations)
    for operation in progress.each(circuit.operations()):
        make_ready(operation, circuit.num_qubits).apply(vector)
    return vector

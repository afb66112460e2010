"""From an input to what engines run, and back: one workload, or one for each variant on a device.

On a device a program is compiled to native gates, its qubits are mapped to ions, and it errs as the
twin does. A debiased job is run as several variants, which share its shots.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import NamedTuple
from uuid import UUID

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from ionbox.backends.characterization import execution_seconds
from ionbox.backends.mitigation import MIN_SHOTS, num_variants, qubit_maps, split
from ionbox.backends.noise import NoiseModel, placed
from ionbox.backends.twins import Twin, noise_of
from ionbox.circuits.circuit import Circuit
from ionbox.circuits.observable import Observable
from ionbox.circuits.program import OUTPUT_ALL, Program
from ionbox.compiler.compilation import Compiled, Options, compile_variants
from ionbox.compiler.compilation import Target as Gates
from ionbox.compiler.symmetries import Symmetries, conserved
from ionbox.engines.engine import Outcome, Workload
from ionbox.engines.errors import Role, generator
from ionbox.formats.inputs import Input
from ionbox.formats.native import write_native, write_openqasm
from ionbox.formats.results import Result, Sampled, Shots
from ionbox.formats.variants import select_shots
from ionbox.jobs.job import Failure, FailureCode
from ionbox.jobs.output import MOST_COUNTED, Output, SymmetryOutput, VariantOutput
from ionbox.service.device_settings import DeviceRun
from ionbox.service.planning import Rules


class Conditions(NamedTuple):
    """What decides, beside the input, how it can be run.

    Args:
        noise: Of a job on the simulator; None for an ideal run.
        device: Of a job on a device.
        lists_noise: Whether the probabilities of a noisy run are asked for, not shots.
    """

    shots: int
    seed: int
    rules: Rules
    noise: NoiseModel | None = None
    device: DeviceRun | None = None
    lists_noise: bool = False


class Part(NamedTuple):
    """What an engine runs.

    Args:
        final_qubits: The qubit of the workload that holds each qubit of the program at the end;
            None if they are the same.
    """

    workload: Workload
    final_qubits: tuple[int, ...] | None = None


class Prepared(NamedTuple):
    """An input, ready to be planned and run.

    Args:
        parts: One; of a debiased job, one for each variant.
        program: What is run: compiled, if it is.
        output: What compiling made of it, if it was compiled.
        symmetries: By which shots are verified, if they are.
    """

    parts: tuple[Part, ...]
    program: Program
    output: Output | None = None
    symmetries: Symmetries | None = None


def prepare(given: Input, conditions: Conditions) -> Prepared:
    """Make what engines run of an input that `misfit` has nothing against."""
    if conditions.device is None:
        workload = _workload(given.program, conditions, given.observable)
        return Prepared((Part(workload),), given.program)
    return _prepare_for_device(given, conditions, conditions.device)


def misfit(given: Input, device: DeviceRun) -> Failure | None:
    """Say why a device cannot run an input, if it cannot."""
    record, program = device.twin.record, given.program
    if program.num_qubits > record.num_qubits:
        text = f"{program.num_qubits} qubits; {record.backend} has {record.num_qubits}"
        return Failure(FailureCode.NOT_ENOUGH_QUBITS, text)
    native = [circuit.gate_names() for circuit in _native_circuits(program)]
    unknown = sorted(set().union(*native) - {"nop", *device.twin.native_gates})
    if unknown:
        known = ", ".join(device.twin.native_gates)
        text = f"native gate '{unknown[0]}'; {record.backend} knows {known}"
        return Failure(FailureCode.UNSUPPORTED_GATE, text)
    if given.observable is not None:
        text = f"{record.backend} measures; expectation values are for the simulator"
        return Failure(FailureCode.QUANTUM_COMPUTER_ERROR, text)
    return None


def _native_circuits(program: Program) -> list[Circuit]:
    circuits = [step for step in program.steps if isinstance(step, Circuit)]
    return [circuit for circuit in circuits if circuit.gateset == "native"]


class _Variant(NamedTuple):
    """Which variant, on which ions, and how many shots it gets."""

    number: int
    ions: tuple[int, ...]
    shots: int


def _prepare_for_device(given: Input, conditions: Conditions, device: DeviceRun) -> Prepared:
    """Compile a program, once for each variant, and place it on the ions."""
    program = given.program
    variants = _variants(program, conditions, device)
    compiled = list(islice(_compiled(program, device), len(variants)))
    parts = [
        _part(conditions, device, variant, one)
        for variant, one in zip(variants, compiled, strict=True)
    ]
    symmetries = _symmetries(program) if device.settings.symmetry_verification else None
    output = _output(device, conditions.shots, compiled[0].program, symmetries)
    if len(variants) > 1:
        outputs = [VariantOutput(variant.ions, variant.shots) for variant in variants]
        output = replace(output, variants=tuple(outputs))
    return Prepared(tuple(parts), compiled[0].program, output, symmetries)


def _variants(program: Program, conditions: Conditions, device: DeviceRun) -> list[_Variant]:
    """Return the variants of a debiased job, or the single one of another."""
    num_qubits, num_ions, number = program.num_qubits, device.twin.record.num_qubits, 1
    if _is_debiased(program, device, conditions.shots):
        number = num_variants(conditions.shots, num_qubits, num_ions)
    maps = qubit_maps(range(num_qubits), num_ions, number, conditions.seed)
    return list(map(_Variant, range(number), maps, split(conditions.shots, number)))


def _is_debiased(program: Program, device: DeviceRun, shots: int) -> bool:
    """Tell whether a job is debiased: if it says so, or says nothing and is of gateset qis."""
    if shots < MIN_SHOTS:
        return False
    if device.settings.debiasing is None:
        return not _native_circuits(program)
    return device.settings.debiasing


def _compiled(program: Program, device: DeviceRun) -> Iterator[Compiled]:
    settings = device.settings
    options = Options(settings.opt, settings.precision)
    return compile_variants(program, Gates(device.twin.native_gates), options)


def _part(conditions: Conditions, device: DeviceRun, variant: _Variant, compiled: Compiled) -> Part:
    """Return a variant as what an engine runs; each has a seed of its own, on each device."""
    record = UUID(device.twin.record.id).int
    (word,) = np.random.SeedSequence((conditions.seed, variant.number, record)).generate_state(1)
    workload = _workload(
        compiled.program,
        conditions._replace(
            shots=variant.shots, seed=int(word), noise=placed(_noise_of(device.twin), variant.ions)
        ),
    )
    return Part(workload, compiled.final_qubits)


@lru_cache(maxsize=64)
def _noise_of(twin: Twin) -> NoiseModel:
    return noise_of(twin)


def _workload(
    program: Program, conditions: Conditions, observable: Observable | None = None
) -> Workload:
    return Workload(
        program,
        conditions.shots,
        conditions.seed,
        noise=conditions.noise,
        observable=observable,
        max_outcomes=conditions.rules.max_outcomes,
        precision=conditions.rules.precision,
        lists_noise=conditions.lists_noise,
    )


def _symmetries(program: Program) -> Symmetries | None:
    """Return what a program conserves, if it is one circuit."""
    return None if program.circuit is None else conserved(program.circuit)


def _output(
    device: DeviceRun, shots: int, program: Program, symmetries: Symmetries | None
) -> Output:
    """Return what compiling made of a program."""
    twin, settings = device.twin, device.settings
    found = None
    if settings.symmetry_verification:
        every = 1 << program.num_qubits
        number = every if symmetries is None else symmetries.num_allowed_states
        found = SymmetryOutput(min(number, MOST_COUNTED), is_applied=number < every)
    return Output(
        gate_basis="ZZ" if "zz" in twin.native_gates else "MS",
        opt=settings.opt,
        precision=settings.precision,
        native="" if program.circuit is None else write_native(program.circuit),
        openqasm="" if program.circuit is not None else write_openqasm(program) or "",
        device_seconds=execution_seconds(twin.record, program.gate_counts(), shots),
        symmetry=found,
    )


# --- outcomes --------------------------------------------------------------------------------


def gather(prepared: Prepared, results: Sequence[Result], seed: int) -> Outcome:
    """Return the outcomes of all parts as that of the program that was submitted.

    Shots of variants are mixed, so that their order tells nothing; those that break a symmetry are
    left out.
    """
    if prepared.output is None:
        return Outcome(results[0])
    parts = [
        _as_submitted(result, part.final_qubits)
        for result, part in zip(results, prepared.parts, strict=True)
        if isinstance(result, Sampled)
    ]
    whole = _mixed(parts, seed) if len(parts) > 1 else parts[0]
    symmetries, found = prepared.symmetries, prepared.output.symmetry
    if symmetries is None or found is None or not found.is_applied:
        return Outcome(whole)
    is_kept = symmetries.is_allowed(_bits_of(whole.registers[OUTPUT_ALL]))
    told = () if is_kept.any() else ("no shot keeps the symmetries of the circuit: all are shown",)
    return Outcome(select_shots(whole, is_kept), told)


def _as_submitted(result: Sampled, final_qubits: tuple[int, ...] | None) -> Sampled:
    """Return shots with the qubits in the order of the program that was submitted."""
    shots = result.registers[OUTPUT_ALL]
    if final_qubits is None or final_qubits == tuple(range(shots.num_bits)):
        return result
    rows = np.packbits(_bits_of(shots)[:, list(final_qubits)], axis=1, bitorder="little")
    registers = {**result.registers, OUTPUT_ALL: Shots(shots.num_bits, rows)}
    return Sampled(registers)


def _bits_of(shots: Shots) -> NDArray[np.uint8]:
    """Return a column for each bit."""
    return np.unpackbits(shots.rows, axis=1, count=shots.num_bits, bitorder="little")


def _mixed(parts: Sequence[Sampled], seed: int) -> Sampled:
    """Return the shots of all variants in an order that the seed decides."""
    sizes = [len(part.registers[OUTPUT_ALL].rows) for part in parts]
    variants = np.repeat(np.arange(len(parts), dtype=np.uint16), sizes)
    order = generator(seed, Role.ORDER).permutation(variants.size)
    registers = {
        name: Shots(
            shots.num_bits,
            np.concatenate([part.registers[name].rows for part in parts])[order],
        )
        for name, shots in parts[0].registers.items()
    }
    return Sampled(registers, variants[order], len(parts))

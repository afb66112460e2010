"""Noise models of an operator's own, as TOML:

name = "lab"
num_qubits = 11
rates = { 1q = 0.0005, 2q = 0.013 }
gates = { rz = 0.0, swap = 0.04 }        # instead of those, by gate
qubits = { 3 = 0.004 }                   # of operations on it alone
pairs = { 0-1 = 0.03 }
[readout]                                # |0> read as 1, and |1> read as 0
of_zero = 0.002
of_one = 0.005
qubits = { 3 = [0.01, 0.02] }
[idling]                                 # seconds
t1 = 10.0
t2 = 1.0
1q = 0.0001
2q = 0.0006
parallel = false
"""  # noqa: D415 - the text is the description

from __future__ import annotations

import tomllib
from typing import Annotated, Final

import msgspec

from ionbox.backends.idling import Idling
from ionbox.backends.noise import IDEAL, NOISE_MODELS, Flips, NoiseModel, Pair, pair_of
from ionbox.circuits.gates import GATES
from ionbox.errors import SettingsError

# An error on more qubits than this would not fit the word that names it.
_MOST_QUBITS: Final = 32
_GATE_NAMES: Final = frozenset(gate.name for gate in GATES)

_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Seconds = Annotated[float, msgspec.Meta(gt=0)]
_Name = Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9._-]{0,60}$")]


class _Rates(msgspec.Struct, forbid_unknown_fields=True):
    one_qubit: _Share = msgspec.field(name="1q", default=0.0)
    two_qubit: _Share = msgspec.field(name="2q", default=0.0)


class _Readout(msgspec.Struct, forbid_unknown_fields=True):
    of_zero: _Share = 0.0
    of_one: _Share = 0.0
    qubits: dict[str, tuple[_Share, _Share]] = {}


class _Idling(msgspec.Struct, forbid_unknown_fields=True):
    t1: _Seconds
    t2: _Seconds
    one_qubit: _Seconds = msgspec.field(name="1q")
    two_qubit: _Seconds = msgspec.field(name="2q")
    parallel: bool = False


class _File(msgspec.Struct, forbid_unknown_fields=True):
    name: _Name
    num_qubits: Annotated[int, msgspec.Meta(ge=1, le=_MOST_QUBITS)]
    rates: _Rates = msgspec.field(default_factory=_Rates)
    gates: dict[str, _Share] = {}
    qubits: dict[str, _Share] = {}
    pairs: dict[str, _Share] = {}
    readout: _Readout = msgspec.field(default_factory=_Readout)
    idling: _Idling | None = None


def read_noise_model(text: str) -> NoiseModel:
    """Read a noise model from TOML.

    Raises:
        SettingsError: If it is not TOML, or a key cannot be; it names the key.
    """
    try:
        given = msgspec.convert(tomllib.loads(text), _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(f"noise model: {error}") from error
    if given.name in (IDEAL, *NOISE_MODELS):
        raise SettingsError(f"noise model: name: '{given.name}' is one of ionbox's own")
    for gate in given.gates:
        if gate not in _GATE_NAMES:
            raise _refusal(f"gates.{gate}", f"not one of: {', '.join(sorted(_GATE_NAMES))}")
    return NoiseModel(
        name=given.name,
        num_qubits=given.num_qubits,
        r1q=given.rates.one_qubit,
        r2q=given.rates.two_qubit,
        source="a file of the operator",
        gates=given.gates,
        qubits={_qubit(key, given, "qubits"): rate for key, rate in given.qubits.items()},
        pairs=_pairs(given),
        flips=Flips(given.readout.of_zero, given.readout.of_one),
        qubit_flips={
            _qubit(key, given, "readout.qubits"): Flips(*flips)
            for key, flips in given.readout.qubits.items()
        },
        idling=_idling(given.idling),
    )


def _qubit(key: str, given: _File, path: str) -> int:
    if key in map(str, range(given.num_qubits)):
        return int(key)
    raise _refusal(f"{path}.{key}", f"not a qubit of 0 to {given.num_qubits - 1}")


def _pairs(given: _File) -> dict[Pair, float]:
    found: dict[Pair, float] = {}
    for key, rate in given.pairs.items():
        pair = _pair(key, given)
        if pair in found:
            raise _refusal(f"pairs.{key}", "the pair is there already, the other way round")
        found[pair] = rate
    return found


def _pair(key: str, given: _File) -> Pair:
    one, dash, other = key.partition("-")
    if not dash or one == other:
        raise _refusal(f"pairs.{key}", "not two qubits, such as 0-1")
    return pair_of(_qubit(one, given, "pairs"), _qubit(other, given, "pairs"))


def _idling(given: _Idling | None) -> Idling | None:
    if given is None:
        return None
    try:
        return Idling(
            given.t1, given.t2, given.one_qubit, given.two_qubit, is_parallel=given.parallel
        )
    except SettingsError as error:
        raise _refusal("idling", str(error)) from error


def _refusal(path: str, message: str) -> SettingsError:
    return SettingsError(f"noise model: {path}: {message}")

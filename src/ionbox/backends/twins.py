"""Twins: how a device errs, made of what is known of it at a date.

A fidelity of a characterization is the average gate fidelity of the whole native gate. A gate that
turns too far by an angle e has, without any other error, the fidelity

    F_U = 1 - (2/3) sin(e/2)**2   on one qubit,      F_U = 1 - (4/5) sin(e/2)**2   on two

and the depolarizing channel of rate r after it brings it to F = (1 - r) F_U + r / d, d = 2 or 4, so
that r = (F_U - F) / (F_U - 1/d).

Source:
    Nielsen, Phys. Lett. A 303, 249 (2002): F = (d + |tr(U^dagger V)|**2) / (d (d + 1)).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from math import inf
from typing import Annotated, Final, NamedTuple, TypeVar
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from ionbox.backends.characterization import Characterization, Timing
from ionbox.backends.idling import Idling
from ionbox.backends.noise import Flips, NoiseModel

T = TypeVar("T")

# By the number of qubits of a gate: how much of sin(e/2)**2 is missing in F_U.
_COHERENT: Final = {1: 2 / 3, 2: 4 / 5}
_MOST: Final = 0.99  # of the infidelity that a fully mixing gate has


class Imperfections(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What no characterization tells of single ions and pairs, and a twin makes up.

    Args:
        spread: How unlike ions and pairs are: the standard deviation of the logarithm of their
            infidelities; their median stays that of the record.
        coherent: Which share of the infidelity comes of turning too far, or not far enough, on
            the average; the rest is depolarizing.
        is_parallel: Whether gates on other ions run at the same time, instead of one by one.
    """

    spread: Annotated[float, msgspec.Meta(ge=0, le=2)] = 0.0
    coherent: Annotated[float, msgspec.Meta(ge=0, le=0.5)] = 0.0
    is_parallel: bool = False


PERFECT: Final = Imperfections()


class Twin(msgspec.Struct, frozen=True):
    """A device at a date: what is compiled for, and how it errs.

    Args:
        native_gates: That it knows.
        record: What was measured.
        imperfections: What is made up beside it, the same for every run at that date.
    """

    native_gates: tuple[str, ...]
    record: Characterization
    imperfections: Imperfections = PERFECT


class _Gates(NamedTuple):
    """Rates of depolarizing channels and over-rotations in radians, one for each ion or pair."""

    rates: NDArray[np.float64]
    rotations: NDArray[np.float64]


def noise_of(twin: Twin) -> NoiseModel:
    """Return how a twin errs: what is made up follows from the id of its record."""
    record, flaws = twin.record, twin.imperfections
    known = NoiseModel(
        name=record.backend,
        num_qubits=record.num_qubits,
        r1q=depolarizing_rate(record.gate_1q.median, 1),
        r2q=depolarizing_rate(record.gate_2q.median, 2),
        source=f"characterization {record.id}",
        flips=Flips(1 - record.spam.median, 1 - record.spam.median),
        idling=_idling(record.timing, is_parallel=flaws.is_parallel),
    )
    if not flaws.spread and not flaws.coherent:
        return known
    numbers = np.random.Generator(np.random.Philox(np.random.SeedSequence(UUID(record.id).int)))
    ions = range(record.num_qubits)
    pairs = list(itertools.combinations(ions, 2))
    single = _drawn(1, record.gate_1q.median, flaws, numbers.random((3, len(ions))))
    double = _drawn(2, record.gate_2q.median, flaws, numbers.random((3, len(pairs))))
    return msgspec.structs.replace(
        known,
        qubits=dict(zip(ions, single.rates.tolist(), strict=True)),
        pairs=dict(zip(pairs, double.rates.tolist(), strict=True)),
        over_rotations=_turning(ions, single.rotations),
        pair_over_rotations=_turning(pairs, double.rotations),
    )


def depolarizing_rate(fidelity: float, num_qubits: int, over_rotation: float = 0.0) -> float:
    """Return the rate of the channel that leaves a gate that average fidelity.

    Args:
        fidelity: At most what the over-rotation leaves.
        num_qubits: Of the gate, 1 or 2.
        over_rotation: In radians.
    """
    turned = 1 - _COHERENT[num_qubits] * np.sin(over_rotation / 2) ** 2
    return float((turned - fidelity) / (turned - 0.5**num_qubits))


def _drawn(
    num_qubits: int, fidelity: float, flaws: Imperfections, uniforms: NDArray[np.float64]
) -> _Gates:
    """Make up the gates of all ions, or pairs.

    Args:
        uniforms: Shape (3, ions or pairs): for the infidelity, for how much of it is coherent, and
            for the direction.
    """
    # A logistic variable, scaled to the deviation 1: close to a normal one, and needs no inverse.
    logits = np.log(np.maximum(uniforms[0], 1e-12) / (1 - uniforms[0])) * np.sqrt(3) / np.pi
    factors = np.exp(flaws.spread * logits)
    most = _MOST * (1 - 0.5**num_qubits)
    infidelities = np.minimum((1 - fidelity) * factors / np.median(factors), most)
    coherent = infidelities * 2 * flaws.coherent * uniforms[1]
    angles = 2 * np.arcsin(np.sqrt(np.minimum(coherent / _COHERENT[num_qubits], 1)))
    rates = (infidelities - coherent) / (1 - coherent - 0.5**num_qubits)
    return _Gates(rates, np.where(uniforms[2] < 0.5, -angles, angles))


def _turning(places: Iterable[T], rotations: NDArray[np.float64]) -> dict[T, float]:
    """Return the rotations by ion or pair; none where no gate turns too far."""
    if not rotations.any():
        return {}
    return dict(zip(places, rotations.tolist(), strict=True))


def _idling(timing: Timing, *, is_parallel: bool) -> Idling | None:
    """Return what waiting does, as far as the record tells.

    Without a T1 no energy is lost; without a T2 the phase lasts as long as the energy lets it.
    """
    gate_1q, gate_2q = timing.gate_1q, timing.gate_2q
    if gate_1q is None or gate_2q is None or (timing.t1 is None and timing.t2 is None):
        return None
    t1 = inf if timing.t1 is None else timing.t1
    t2 = 2 * t1 if timing.t2 is None else timing.t2
    return Idling(t1=t1, t2=t2, gate_1q=gate_1q, gate_2q=gate_2q, is_parallel=is_parallel)

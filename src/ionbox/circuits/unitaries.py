"""The closed forms of all gates, which the rows of the gate table point at.

A basis state is an integer; qubit 0 is its lowest bit. A gate's own matrix follows the same rule
for its targets: bit k of a row or column number is the qubit targets[k], so the matrices of two
targets (t0, t1) stand in the order |t1 t0> = 00, 01, 10, 11.

Angles of the gateset qis are in radians, those of the gateset native in turns (1 turn = 2 pi).
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from functools import reduce
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Matrix: TypeAlias = npt.NDArray[np.complex128]

_HALF_ROOT = math.sqrt(0.5)
_EIGHTHS_OF_A_TURN = (
    1,
    complex(_HALF_ROOT, _HALF_ROOT),
    1j,
    complex(-_HALF_ROOT, _HALF_ROOT),
    -1,
    complex(-_HALF_ROOT, -_HALF_ROOT),
    -1j,
    complex(_HALF_ROOT, -_HALF_ROOT),
)
# Above this many turns the spacing of floats makes every angle look like a whole eighth.
_MOST_EXACT_TURNS = 8.0


def exp_turns(turns: float) -> complex:
    """Return exp(i 2 pi turns), without rounding dust at the multiples of 1/8 turn."""
    fraction = math.fmod(turns, 1.0)
    if (8 * fraction).is_integer():
        return _EIGHTHS_OF_A_TURN[int(8 * fraction) % 8]
    return cmath.exp(2j * math.pi * fraction)


def exp_radians(radians: float) -> complex:
    """Return exp(i radians), without rounding dust at the small multiples of pi/4."""
    turns = radians / math.tau
    if abs(turns) <= _MOST_EXACT_TURNS and (8 * turns).is_integer():
        return exp_turns(turns)
    return cmath.exp(1j * radians)


def _matrix(rows: Sequence[Sequence[complex]]) -> Matrix:
    return np.array(rows, dtype=np.complex128)


_I = _matrix([[1, 0], [0, 1]])
_X = _matrix([[0, 1], [1, 0]])
_Y = _matrix([[0, -1j], [1j, 0]])
_Z = _matrix([[1, 0], [0, -1]])


def _kron(high: Matrix, low: Matrix) -> Matrix:
    product: Matrix = np.kron(high, low).astype(np.complex128)
    return product


_PAULI = {"I": _I, "X": _X, "Y": _Y, "Z": _Z}


def identity_unitary() -> Matrix:
    """Return [[1, 0], [0, 1]]."""
    return _I.copy()


def x_unitary() -> Matrix:
    """Return [[0, 1], [1, 0]]."""
    return _X.copy()


def y_unitary() -> Matrix:
    """Return [[0, -i], [i, 0]]."""
    return _Y.copy()


def z_unitary(rotation: float) -> Matrix:
    """Return diag(1, exp(i rotation)): the phase gate, which is Z at a rotation of pi.

    Args:
        rotation: Radians. IonQ's SDKs send a phase gate, also a controlled one, as `z` with
            `rotation`; it is not rz, which differs by a phase that a control makes visible.
    """
    return _matrix([[1, 0], [0, exp_radians(rotation)]])


def h_unitary() -> Matrix:
    """Return (X + Z)/sqrt(2) = 1/sqrt(2) [[1, 1], [1, -1]]."""
    return _HALF_ROOT * _matrix([[1, 1], [1, -1]])


def s_unitary() -> Matrix:
    """Return diag(1, i), the square root of Z."""
    return _matrix([[1, 0], [0, 1j]])


def si_unitary() -> Matrix:
    """Return diag(1, -i), the inverse of S."""
    return _matrix([[1, 0], [0, -1j]])


def t_unitary() -> Matrix:
    """Return diag(1, exp(i pi/4)), the square root of S."""
    return _matrix([[1, 0], [0, exp_turns(1 / 8)]])


def ti_unitary() -> Matrix:
    """Return diag(1, exp(-i pi/4)), the inverse of T."""
    return _matrix([[1, 0], [0, exp_turns(-1 / 8)]])


def v_unitary() -> Matrix:
    """Return 1/2 [[1 + i, 1 - i], [1 - i, 1 + i]], the square root of X."""
    return _matrix([[0.5 + 0.5j, 0.5 - 0.5j], [0.5 - 0.5j, 0.5 + 0.5j]])


def vi_unitary() -> Matrix:
    """Return 1/2 [[1 - i, 1 + i], [1 + i, 1 - i]], the inverse of V."""
    return _matrix([[0.5 - 0.5j, 0.5 + 0.5j], [0.5 + 0.5j, 0.5 - 0.5j]])


def _pauli_rotation(pauli: Matrix, rotation: float) -> Matrix:
    """Return exp(-i rotation/2 P) = cos(rotation/2) 1 - i sin(rotation/2) P, for P P = 1."""
    half = exp_radians(rotation / 2)
    return half.real * np.eye(len(pauli)) - 1j * half.imag * pauli


def rx_unitary(rotation: float) -> Matrix:
    """Return exp(-i rotation/2 X) = [[c, -i s], [-i s, c]], c and s of rotation/2 in radians."""
    return _pauli_rotation(_X, rotation)


def ry_unitary(rotation: float) -> Matrix:
    """Return exp(-i rotation/2 Y) = [[c, -s], [s, c]], c and s of rotation/2 in radians."""
    return _pauli_rotation(_Y, rotation)


def rz_unitary(rotation: float) -> Matrix:
    """Return diag(exp(-i rotation/2), exp(i rotation/2)), rotation in radians."""
    return _pauli_rotation(_Z, rotation)


def swap_unitary() -> Matrix:
    """Return the matrix that exchanges |01> and |10>.

    [[1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]]
    """
    return _matrix([[1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]])


def xx_unitary(rotation: float) -> Matrix:
    """Return exp(-i rotation/2 X@X), rotation in radians; c and s of rotation/2.

    [[c, 0, 0, -i s], [0, c, -i s, 0], [0, -i s, c, 0], [-i s, 0, 0, c]]
    """
    return _pauli_rotation(_kron(_X, _X), rotation)


def yy_unitary(rotation: float) -> Matrix:
    """Return exp(-i rotation/2 Y@Y), rotation in radians; c and s of rotation/2.

    [[c, 0, 0, i s], [0, c, -i s, 0], [0, -i s, c, 0], [i s, 0, 0, c]]
    """
    return _pauli_rotation(_kron(_Y, _Y), rotation)


def zz_unitary(rotation: float) -> Matrix:
    """Return exp(-i rotation/2 Z@Z) = diag(e*, e, e, e*), e = exp(i rotation/2), in radians."""
    return _pauli_rotation(_kron(_Z, _Z), rotation)


def pauliexp_unitary(*params: float, terms: Sequence[str]) -> Matrix:
    """Return exp(-i time * sum of coefficients[k] * terms[k]), also if the terms do not commute.

    Args:
        params: The coefficients, one a term, then the time; their product is in radians.
        terms: Words of the letters I, X, Y, Z, all of one length. The rightmost letter acts on
            targets[0].
    """
    *coefficients, time = params
    # The last factor holds the lowest bit, as the last letter does.
    products = [reduce(_kron, [_PAULI[letter] for letter in term]) for term in terms]
    pairs = zip(coefficients, products, strict=True)
    hamiltonian = sum((c * product for c, product in pairs), np.zeros_like(products[0]))
    energies, states = np.linalg.eigh(hamiltonian)
    unitary: Matrix = (states * np.exp(-1j * time * energies)) @ states.conj().T
    return unitary


def gpi_unitary(phase: float) -> Matrix:
    """Return [[0, e*], [e, 0]], e = exp(i 2 pi phase), phase in turns: X at 0, Y at 1/4."""
    e = exp_turns(phase)
    return _matrix([[0, e.conjugate()], [e, 0]])


def gpi2_unitary(phase: float) -> Matrix:
    """Return 1/sqrt(2) [[1, -i e*], [-i e, 1]], e = exp(i 2 pi phase), phase in turns.

    Half of a gpi: rx(pi/2) at 0, ry(pi/2) at 1/4.
    """
    e = exp_turns(phase)
    return _HALF_ROOT * _matrix([[1, -1j * e.conjugate()], [-1j * e, 1]])


def ms_unitary(phase0: float, phase1: float, angle: float) -> Matrix:
    """Return the Molmer-Sorensen gate exp(-i pi angle gpi(phase1)@gpi(phase0)), all in turns.

    With c = cos(pi angle), s = -i sin(pi angle), p = exp(i 2 pi (phase0 + phase1)) and
    m = exp(i 2 pi (phase0 - phase1)):

    [[c, 0, 0, s p*], [0, c, s m, 0], [0, s m*, c, 0], [s p, 0, 0, c]]

    IonQ writes this matrix with targets[0] as the *highest* bit; here it is the lowest, which
    exchanges the two middle rows and columns.
    """
    half = exp_turns(angle / 2)
    c, s = half.real, -1j * half.imag
    phase0, phase1 = math.fmod(phase0, 1.0), math.fmod(phase1, 1.0)
    p, m = exp_turns(phase0 + phase1), exp_turns(phase0 - phase1)
    return _matrix(
        [
            [c, 0, 0, s * p.conjugate()],
            [0, c, s * m, 0],
            [0, s * m.conjugate(), c, 0],
            [s * p, 0, 0, c],
        ],
    )


def native_zz_unitary(angle: float) -> Matrix:
    """Return exp(-i pi angle Z@Z) = diag(e*, e, e, e*), e = exp(i pi angle), angle in turns."""
    e = exp_turns(angle / 2)
    matrix: Matrix = np.diag([e.conjugate(), e, e, e.conjugate()]).astype(np.complex128)
    return matrix

"""OpenQASM 2 and 3 text to a program."""

from __future__ import annotations

from collections.abc import Sequence

from ionbox.circuits.program import Program


def read_openqasm(text: bytes, params: Sequence[float] = ()) -> Program:
    """Read a program in OpenQASM 2 or 3.

    Qubit k of the program is the k-th that the text declares, and every `bit` or `creg` is a
    register, in the order of declaration.

    Args:
        text: UTF-8.
        params: What the numbers that the text declares as `input` are, in order, an array's
            elements one by one.

    Raises:
        InvalidCircuitError: With a path such as `line 3`.
    """
    # The parser takes 70 ms to import, which the server's start must not pay.
    from ionbox.formats.openqasm.reader import read  # noqa: PLC0415 - as said above

    return read(text, params)

"""Reads bitcode with flipped bits, each in a process of its own: LLVM may end or hang it.

`python -m tests.unit.formats.flipped_bits 400` fails if a reader raised what it should not.
"""

from __future__ import annotations

import base64
import os
import random
import signal
import sys
from collections import Counter

import pyqir

from ionbox.errors import InvalidInputError
from ionbox.formats.qir import read_qir

IR = """
define void @main() #0 {
  call void @__quantum__qis__h__body(ptr null)
  call void @__quantum__qis__mz__body(ptr null, ptr null)
  ret void
}
declare void @__quantum__qis__h__body(ptr)
declare void @__quantum__qis__mz__body(ptr, ptr)
attributes #0 = { "entry_point" "required_num_qubits"="1" "required_num_results"="1" }
"""
# Of a number of 32 ones: without it LLVM asks for more memory than there is, and aborts.
DEADLY_BIT = 8 * 217 + 3
SECONDS = 5
READ, REFUSED, WRONG = 0, 10, 20


def bitcode() -> bytes:
    """Return a program of one qubit, which is read without complaint."""
    return bytes(pyqir.Module.from_ir(pyqir.Context(), IR).bitcode)


def text_with_flipped(data: bytes, *bits: int) -> str:
    """Return bitcode as it is sent, with some bits flipped."""
    flipped = bytearray(data)
    for bit in bits:
        flipped[bit // 8] ^= 1 << bit % 8
    return base64.b64encode(flipped).decode()


def ending(text: str) -> int:
    """Read in a process of its own; return its exit status, or less than 0 for a signal."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    signal.alarm(SECONDS)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # LLVM and Rust have last words
    try:
        read_qir(text)
    except InvalidInputError:
        os._exit(REFUSED)
    except BaseException:  # noqa: BLE001 - whatever it is, it is told
        os._exit(WRONG)
    os._exit(READ)


def main() -> int:
    """Say how many ended in which way."""
    data, rng = bitcode(), random.Random(7)  # noqa: S311 - a test's choice
    endings: Counter[int] = Counter()
    for _ in range(int(sys.argv[1])):
        bits = [rng.randrange(8 * len(data)) for _ in range(rng.choice([1, 1, 2]))]
        end = ending(text_with_flipped(data, *bits))
        endings[end] += 1
        if end == WRONG:
            sys.stdout.write(f"wrong: {bits}\n")
    sys.stdout.write(f"{dict(endings)}\n")
    return int(endings[WRONG] > 0 or not endings[READ] or not endings[REFUSED])


if __name__ == "__main__":
    sys.exit(main())

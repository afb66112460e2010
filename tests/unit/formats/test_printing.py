from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from ionbox import _kernel

if _kernel.kernel is None:
    pytest.skip("the kernel was not built, or is switched off", allow_module_level=True)

KERNEL = _kernel.kernel
DIGITS = {"float64": 15, "float32": 7}

Floats = NDArray[np.float64 | np.float32]


def positive(numbers: Floats) -> Floats:
    magnitudes = np.abs(numbers)
    return magnitudes[np.isfinite(magnitudes) & (magnitudes > 0)]


def any_bits(dtype: str) -> Floats:
    """Make numbers of all magnitudes, each as likely as any other."""
    size = np.dtype(dtype).itemsize
    return np.frombuffer(np.random.default_rng(7).bytes(300_000 * size), dtype)


def powers_of_two(dtype: str) -> Floats:
    """Make all of them, denormal ones too, a few odd multiples, and the neighbours of each."""
    powers = np.ldexp(1.0, np.arange(-1074, 1024))
    with np.errstate(over="ignore", under="ignore"):
        multiples = np.outer(powers, [1, 3, 5, 7, 11, 1023]).astype(dtype).ravel()
    return neighbours(multiples)


def powers_of_ten(dtype: str) -> Floats:
    powers = [float(f"{m}e{k}") for k in range(-323, 309) for m in (1, 2, 5, 9.9999995, 0.99999999)]
    with np.errstate(over="ignore", under="ignore"):
        return neighbours(np.array(powers).astype(dtype))


def neighbours(numbers: Floats) -> Floats:
    whole = numbers.view(f"u{numbers.itemsize}")
    # What is next to an end is some other number, which is as good.
    near = [whole + np.array(step).astype(whole.dtype) for step in range(-2, 3)]
    found: Floats = np.concatenate(near).view(numbers.dtype)
    return found


def ties(dtype: str) -> Floats:
    """Make numbers that lie in the middle between two texts, and the neighbours of each."""
    random = np.random.default_rng(8)
    digits = DIGITS[dtype]
    middles = [
        (random.integers(10 ** (digits - 2), 10**digits, 10_000) + 0.5) * 2.0**-shift
        for shift in (0, 1, 2, 3, 5, 8, 13)
    ]
    short = np.ldexp(random.integers(1, 2**20, 20_000) | 1, -random.integers(1, 60, 20_000))
    return neighbours(np.concatenate([*middles, short]).astype(dtype))


def probabilities(dtype: str) -> Floats:
    weights = np.random.default_rng(9).exponential(size=300_000)
    found: Floats = (weights / weights.sum()).astype(dtype)
    return found


def short_decimals(dtype: str) -> Floats:
    numbers = np.outer(np.arange(1, 2000), 10.0 ** -np.arange(12)).ravel()
    return np.concatenate([numbers, np.arange(1, 2000) + 10.0**15]).astype(dtype)


@pytest.mark.parametrize("dtype", DIGITS)
@pytest.mark.parametrize(
    "make", [any_bits, powers_of_two, powers_of_ten, ties, probabilities, short_decimals]
)
def test_a_number_has_the_text_that_python_gives_it(
    make: Callable[[str], Floats], dtype: str
) -> None:
    numbers = positive(make(dtype))
    digits = DIGITS[dtype]

    text = KERNEL.print_members(numbers, digits=digits)

    template = f',"%d":%.{digits}g'
    assert text == "".join(map(template.__mod__, enumerate(numbers.tolist()))).encode()


@pytest.mark.parametrize("num_bits", [1, 7, 8, 9, 26, 63, 64])
def test_keys_are_integers_or_bits_with_the_lowest_leftmost(num_bits: int) -> None:
    top = 2**num_bits - 1
    powers = [10**k for k in range(20) if 10**k <= top]
    keys = [0, 1, top, top // 3, *powers, *(power - 1 for power in powers)]
    ones = np.ones(len(keys))

    integers = KERNEL.print_members(ones, keys=np.array(keys, np.uint64))
    strings = KERNEL.print_members(ones, keys=np.array(keys, np.uint64), num_bits=num_bits)

    assert integers == "".join(f',"{key}":1' for key in keys).encode()
    assert strings == "".join(f',"{bits(key, num_bits)}":1' for key in keys).encode()


def bits(key: int, num_bits: int) -> str:
    return f"{key:0{num_bits}b}"[::-1]


def test_keys_that_are_not_given_count_from_the_first() -> None:
    text = KERNEL.print_members(np.array([0.5, 0, 0.25]), first=99_999_998)

    assert text == b',"99999998":0.5,"100000000":0.25'


def test_counts_have_all_their_digits() -> None:
    counts = np.array([1, 0, 10**6, 123_456_789_012_345_678], np.int64)

    assert KERNEL.print_members(counts) == b',"0":1,"2":1000000,"3":123456789012345678'


@pytest.mark.parametrize("threads", [1, 2, 3, 8, 1024])
def test_any_number_of_threads_prints_the_same(threads: int) -> None:
    random = np.random.default_rng(7)
    keys = np.sort(random.integers(0, 2**64, 20_000, np.uint64))
    values = random.random(20_000) * (random.random(20_000) < 0.7)
    rows = random.integers(0, 256, (20_000, 2), np.uint8)

    assert members(keys, values, threads) == members(keys, values, 1)
    assert KERNEL.print_strings(keys, threads=threads) == KERNEL.print_strings(keys)
    assert shots(rows, threads) == shots(rows, 1)


def members(keys: NDArray[np.uint64], values: Floats, threads: int) -> bytes:
    return KERNEL.print_members(values, keys=keys, num_bits=64, threads=threads)


def shots(rows: NDArray[np.uint8], threads: int) -> bytes:
    return KERNEL.print_shots(b",[" + b"0," * 15 + b"0]", [(2, 16, rows)], threads=threads)


def test_other_threads_run_meanwhile() -> None:
    values = np.random.default_rng(7).random(2**21)
    printer = threading.Thread(target=KERNEL.print_members, args=(values,))

    printer.start()
    turns = 0
    while printer.is_alive():
        printer.join(0.001)
        turns += 1

    assert turns > 5


ROWS = np.zeros((2, 1), np.uint8)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: KERNEL.print_members(np.ones(2), digits=6), "digits are 7 or 15"),
        (lambda: KERNEL.print_members(np.ones(2), num_bits=65), "bits are 0 to 64"),
        (lambda: KERNEL.print_members(np.ones(2), keys=np.ones(3, np.uint64)), "one key for each"),
        (lambda: KERNEL.print_members(np.ones(2), threads=0), "threads are 1 to 1024"),
        (lambda: KERNEL.print_shots(b"[0]", [(1, 2, ROWS)]), "do not fit"),
        (lambda: KERNEL.print_shots(b"[0]", [(2**63, 1, ROWS)]), "do not fit"),
        (lambda: KERNEL.print_shots(b"0" * 30, [(0, 9, ROWS)]), "not as wide as its bits"),
        (lambda: KERNEL.print_shots(b"000", [(0, 1, ROWS), (2, 1, ROWS[:1])]), "differ in shots"),
        (lambda: KERNEL.survey(np.ones(0), 0.1), "no weight"),
        (lambda: gather([1.0, 1.0], 1), "not as long as what is kept"),
        (lambda: gather([1.0, 1.0], 3), "not as long as what is kept"),
        (lambda: KERNEL.locate(np.ones(0), np.ones(1), np.ones(1, np.uint64)), "no weight"),
        (lambda: KERNEL.locate(np.ones(1), np.ones(2), np.ones(1, np.uint64)), "for each uniform"),
    ],
)
def test_arrays_that_do_not_fit_together_are_an_error(
    call: Callable[[], object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def gather(weights: Sequence[float], size: int) -> None:
    columns = np.empty(size, np.uint64), np.empty(size)
    KERNEL.gather(np.array(weights), 0.5, 2.0, *columns)

"""Random programs of branches and loops, against an interpreter of a few lines."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any, TypeAlias

import pytest
from tests.unit.formats.test_openqasm import execute

from ionbox.formats.openqasm import read_openqasm

Block: TypeAlias = "list[tuple[Any, ...]]"


class Left(Exception):  # noqa: N818 - a way out of a block, no error
    """A break, a continue or an end."""


def make(rng: random.Random, depth: int, *, in_loop: bool) -> Block:
    """Return statements: what they do, and on which bit or with which blocks."""
    return [statement(rng, depth, in_loop=in_loop) for _ in range(rng.randint(1, 4))]


def statement(rng: random.Random, depth: int, *, in_loop: bool) -> tuple[Any, ...]:
    kinds = ["set", "flip", "flip", "end"]
    kinds += ["break", "continue"] * in_loop + ["if", "if", "for"] * (depth > 0)
    kind, bit = rng.choice(kinds), rng.randrange(3)
    if kind == "if":
        return kind, bit, *(make(rng, depth - 1, in_loop=in_loop) for _ in range(2))
    if kind == "for":
        return kind, bit, make(rng, depth - 1, in_loop=True)
    return kind, bit


def text_of(block: Block) -> str:
    return " ".join(map(text_of_one, block))


def text_of_one(one: tuple[Any, ...]) -> str:
    kind, bit, *blocks = one
    bodies = [f"{{ {text_of(block)} }}" for block in blocks]
    match kind:
        case "set":
            return f"c[{bit}] = 1;"
        case "flip":
            return f"c[{bit}] = !c[{bit}];"
        case "if":
            return f"if (c[{bit}]) {bodies[0]} else {bodies[1]}"
        case "for":
            return f"for int i in [0:{bit}] {bodies[0]}"
    return f"{kind};"


def interpret(block: Block, bits: list[int]) -> None:
    for kind, bit, *blocks in block:
        match kind:
            case "set":
                bits[bit] = 1
            case "flip":
                bits[bit] ^= 1
            case "if":
                interpret(blocks[0] if bits[bit] else blocks[1], bits)
            case "for":
                loop(blocks[0], bits, bit + 1)
            case _:
                raise Left(kind)


def loop(block: Block, bits: list[int], turns: int) -> None:
    for _ in range(turns):
        try:
            interpret(block, bits)
        except Left as left:
            if str(left) == "end":
                raise
            if str(left) == "break":
                return


@pytest.mark.parametrize("seed", range(150))
def test_branches_and_loops_do_what_they_say(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - a test's choice
    block, start = make(rng, 3, in_loop=False), rng.randrange(8)
    bits = [start >> k & 1 for k in range(3)]
    with suppress(Left):
        interpret(block, bits)

    text = f"OPENQASM 3; qubit q; bit[3] c; c = {start}; {text_of(block)}"
    result = execute(read_openqasm(text.encode()))

    assert result == "".join(map(str, bits)), text

"""Plain gates, such as `rz(pi/2) q[3];`, read without the parser, which takes 200 us for each.

Nearly every line of a large program is one. They are recognised only where a statement of the
whole program starts; all else is left to the parser, with every line break in its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from math import pi
from typing import Final, NamedTuple, TypeAlias

# Possessive (*+), so that no hostile text makes a pattern try again and again.
_SPACE: Final = re.compile(r"(?:\s|//[^\n]*+|/\*.*?\*/)++", re.DOTALL)
# To the end of the line; the parser does not see `inv @x` as a modifier either.
_REMARK: Final = r"(?:#?\bpragma\b|@\w)[^\n]*+"
_PRAGMA: Final = re.compile(_REMARK)
_OPAQUE: Final = re.compile(r"opaque\s++(?P<name>[A-Za-z_]\w*+)[^;{}]*+;", re.ASCII)
_DEFINITION: Final = re.compile(r"(?:gate|def)\b")
_OPERAND: Final = r"[A-Za-z_]\w*+\s*+\[\s*+[0-9]{1,9}+\s*+\]"
_GATE: Final = re.compile(
    r"(?P<name>[A-Za-z_]\w*+)\s*+(?:\((?P<params>[^()\"';{}]*+)\)\s*+)?"
    rf"(?P<operands>{_OPERAND}(?:\s*+,\s*+{_OPERAND})*+)\s*+;",
    re.ASCII,
)
_INDEXED: Final = re.compile(r"(\w++)\s*+\[\s*+([0-9]++)", re.ASCII)
_DECIMAL: Final = r"(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][-+]?[0-9]++)?"
_NUMBER: Final = re.compile(rf"\s*+(-?+)\s*+({_DECIMAL})\s*+", re.ASCII)
_PI: Final = re.compile(
    rf"\s*+(-?+)\s*+(?:({_DECIMAL})\s*+\*\s*+)?pi\s*+(?:/\s*+({_DECIMAL})\s*+)?", re.ASCII
)
# A comment that nothing closes ends the search, which would else start again at the next one.
_TOKEN: Final = re.compile(
    rf"//[^\n]*+|/\*.*?(?:\*/|\Z)|\"[^\"\n]*+\"|'[^'\n]*+'|{_REMARK}|(?P<mark>[;{{}}])", re.DOTALL
)


class PlainGate(NamedTuple):
    """A gate with numbers as params, on qubits that are each an element of a register."""

    line: int
    name: str
    params: tuple[float, ...]
    operands: tuple[tuple[str, int], ...]


class Opaque(NamedTuple):
    """The declaration of a gate without a body, which only OpenQASM 2 has."""

    line: int
    name: str


Taken: TypeAlias = PlainGate | Opaque
Place: TypeAlias = tuple[int, int]  # the line, from 1, and the column, from 0


def split(text: str, keywords: AbstractSet[str]) -> tuple[str, list[tuple[Place, Taken]]]:
    """Take the plain gates out of a text.

    Args:
        keywords: Words that are no gates.

    Returns:
        What is left to the parser, and what was taken, each with its place in that.
    """
    pieces: list[str] = []
    taken: list[tuple[Place, Taken]] = []
    line, column = 1, 0
    for piece, is_statement in _pieces(text):
        found = _recognise(piece, line, keywords) if is_statement else None
        if found is not None:
            taken.append(((line, column), found))
        breaks = piece.count("\n")
        kept = "\n" * breaks if found is not None or not is_statement else piece
        pieces.append(kept)
        line += breaks
        column = len(kept) - kept.rindex("\n") - 1 if breaks else column + len(kept)
    return "".join(pieces), taken


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """Yield all of the text in order, with whether a piece is a statement."""
    place = 0
    while place < len(text):
        between = _SPACE.match(text, place) or _PRAGMA.match(text, place)
        end = between.end() if between else _end_of_statement(text, place)
        yield text[place:end], not between
        place = end


def _end_of_statement(text: str, place: int) -> int:
    """Return where the next semicolon outside braces ends.

    That may be two statements on: behind a brace, only a definition is surely over.
    """
    last = "}" if _DEFINITION.match(text, place) else ";"
    depth = 0
    for token in _TOKEN.finditer(text, place):
        mark = token["mark"]
        depth += (mark == "{") - (mark == "}")
        if mark == last and depth <= 0:
            return token.end()
    return len(text)


def _recognise(statement: str, line: int, keywords: AbstractSet[str]) -> Taken | None:
    gate = _GATE.fullmatch(statement)
    if gate is None:
        opaque = _OPAQUE.fullmatch(statement)
        return None if opaque is None else Opaque(line, opaque["name"])
    params = _numbers(gate["params"])
    if params is None or gate["name"] in keywords:
        return None
    operands = tuple([(name, int(index)) for name, index in _INDEXED.findall(gate["operands"])])
    return PlainGate(line, gate["name"], params, operands)


def _numbers(params: str | None) -> tuple[float, ...] | None:
    """Return what the params are, or None if one is more than a multiple of pi."""
    if not params:
        return ()
    numbers = [_number(param) for param in params.split(",")]
    return (
        tuple([number for number in numbers if number is not None]) if None not in numbers else None
    )


def _number(param: str) -> float | None:
    if found := _NUMBER.fullmatch(param):
        sign, digits = found.groups()
        return -float(digits) if sign else float(digits)
    if found := _PI.fullmatch(param):
        sign, factor, divisor = found.groups()
        number = (-1 if sign else 1) * float(factor or 1) * pi
        return None if divisor and not float(divisor) else number / float(divisor or 1)
    return None

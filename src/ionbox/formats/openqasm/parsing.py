"""Text to statements; the one place that knows the parser."""

from __future__ import annotations

import re
from typing import Any, Final, NoReturn, TypeAlias

from antlr4 import CommonTokenStream, InputStream
from antlr4.error.ErrorListener import ErrorListener
from openqasm3 import ast
from openqasm3.parser import (  # type: ignore[attr-defined]
    QASM3ParsingError,
    QASMNodeVisitor,
    qasm3Lexer,
    qasm3Parser,
)

from ionbox.errors import InvalidCircuitError
from ionbox.formats.openqasm.plain import Opaque, PlainGate, split

Statement: TypeAlias = ast.Statement | ast.Pragma | PlainGate | Opaque

_KEYWORDS: Final = frozenset(name.strip("'") for name in qasm3Lexer.literalNames)
_VERSION_2: Final = re.compile(r"(?:\s|//[^\n]*+|/\*.*?\*/)*+OPENQASM\s++2\b", re.DOTALL)
# What the parser's own code raises where a text gets it off its path.
_CRASHES: Final = (ValueError, TypeError, AttributeError, LookupError)


def parse(text: str) -> tuple[str | None, list[Statement]]:
    """Return the version that a text names, if any, and its statements.

    Raises:
        InvalidCircuitError: If the text is not OpenQASM.
    """
    if _VERSION_2.match(text):
        text = text.replace("^", "**")  # a power there, exclusive or in OpenQASM 3
    rest, taken = split(text, _KEYWORDS)
    # Without any statement the parser fails.
    program = _parse(rest) if rest.strip() else ast.Program([])
    placed: list[tuple[tuple[int, int], Statement]] = [*taken]
    for statement in program.statements:
        span = statement.span
        assert span is not None  # noqa: S101 - the parser notes where each statement starts
        placed.append(((span.start_line, span.start_column), statement))
    placed.sort(key=lambda pair: pair[0])  # what was taken comes first where places are equal
    return program.version, [statement for _, statement in placed]


def _parse(text: str) -> ast.Program:
    listener = _RefusingListener()
    lexer = qasm3Lexer(InputStream(text))
    parser = qasm3Parser(CommonTokenStream(lexer))
    for recognizer in (lexer, parser):
        recognizer.removeErrorListeners()  # they print
        recognizer.addErrorListener(listener)
    try:
        visitor = QASMNodeVisitor()  # type: ignore[no-untyped-call]
        program = visitor.visitProgram(parser.program())
    except QASM3ParsingError as error:  # such as `L3:C7: ...`
        place, _, message = str(error).partition(": ")
        line = place.partition(":")[0].removeprefix("L")
        raise InvalidCircuitError(f"line {line}", message) from error
    except RecursionError as error:
        line = lexer.line
        raise InvalidCircuitError(f"line {line}", "nested too deeply") from error
    except _CRASHES as error:
        raise InvalidCircuitError("data", f"the parser cannot read this: {error}") from error
    assert isinstance(program, ast.Program)  # noqa: S101 - as the parser's annotations say
    return program


class _RefusingListener(ErrorListener):  # type: ignore[misc]  # the runtime has no types
    """Raises the first error with the parser's own words."""

    def syntaxError(  # noqa: N802, PLR0913, PLR0917 - the runtime's port
        self,
        recognizer: Any,  # noqa: ANN401, ARG002
        offendingSymbol: Any,  # noqa: ANN401, ARG002, N803
        line: int,
        column: int,  # noqa: ARG002
        msg: str,
        e: Any,  # noqa: ANN401, ARG002
    ) -> NoReturn:
        message = " ".join(msg.split()).partition(" expecting {")[0]  # a list of all keywords
        if len(message) > 200:
            message = f"{message[:200]} …"
        raise InvalidCircuitError(f"line {line}", message)

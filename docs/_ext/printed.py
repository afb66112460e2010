"""The parts of the reference that the code knows, printed from the code as MyST text."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from importlib import resources
from math import pi
from typing import Final

import click
import msgspec
from lifecycle_picture import svg
from msgspec.inspect import (
    DictType,
    Field,
    ListType,
    LiteralType,
    Metadata,
    StructType,
    TupleType,
    Type,
    UnionType,
    type_info,
)

from ionbox import cli, errors
from ionbox.api.endpoints import Endpoint
from ionbox.api.extensions import backends as loaded
from ionbox.api.extensions import events, exact, keys, plans, testing, waits
from ionbox.api.problems import PROBLEMS, SERVER_ERROR
from ionbox.api.results import artifact_id
from ionbox.api.v03 import routes as v03
from ionbox.api.v03 import wire
from ionbox.api.v04 import routes as v04
from ionbox.assembly import catalog
from ionbox.backends import noise_file
from ionbox.backends.backend import Backend
from ionbox.backends.noise import NOISE_MODELS
from ionbox.backends.pricing import read_price_book, to_amount
from ionbox.backends.twins import Imperfections
from ionbox.circuits.circuit import Circuit
from ionbox.circuits.gates import GATES, GATESETS, Gate, Param
from ionbox.circuits.program import program_of
from ionbox.config import Settings
from ionbox.engines.engine import Estimate, Workload
from ionbox.engines.planner import engine_named
from ionbox.formats.rendering import FORMATS
from ionbox.formats.results import Exact, Sampled
from ionbox.jobs.job import JobStatus
from ionbox.jobs.lifecycle import TERMINAL, TRANSITIONS, diagram
from ionbox.service.scenarios import FAILURE_CODES

_NONE = "-"


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table."""
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *([cell.replace("|", "\\|") for cell in r] for r in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def code(word: object) -> str:
    return f"`{word}`"


def codes(words: Iterable[object]) -> str:
    return ", ".join(map(code, words)) or _NONE


# --- gates -----------------------------------------------------------------------------------


def gates(gateset: str) -> str:
    """Return the rows of GATES of one gateset."""
    heads = ("Gate", "Targets", "Controls", "Parameters", "Undone by", "Definition")
    return table(heads, (_gate(gate) for gate in GATES if gate.gateset == gateset))


def _gate(gate: Gate) -> tuple[str, ...]:
    also = f" (also {codes(gate.aliases)})" if gate.aliases else ""
    targets = "as long as the terms" if gate.num_targets is None else str(gate.num_targets)
    terms = ["`terms`: words over I, X, Y, Z"] if gate.num_targets is None else []
    params = "; ".join([*terms, *map(_param, gate.params)]) or _NONE
    return code(gate.name) + also, targets, _controls(gate), params, _undone_by(gate), gate.source


def _controls(gate: Gate) -> str:
    if not gate.controllable:
        return "none"
    return f"at least {gate.min_controls}" if gate.min_controls else "any"


def _param(param: Param) -> str:
    size = {None: "one for each term", 1: ""}.get(param.size, f"list of {param.size}")
    facts = [
        "" if param.unit == "1" else param.unit,
        size,
        "" if param.minimum is None else f"at least {param.minimum:g}",
        "required" if param.default is None else f"default {_number(param.default)}",
        f"also as {codes(param.aliases)}" if param.aliases else "",
    ]
    return f"`{param.name}`: {', '.join(filter(None, facts))}"


def _number(value: float) -> str:
    return "π" if value == pi else f"{value:g}"


def _undone_by(gate: Gate) -> str:
    """Name the gate that undoes this one; its parameters are shown where they are simple."""
    one_each = [0.125] * sum(param.size or 1 for param in gate.params)
    name, params = gate.inverse(tuple(one_each))
    if list(params) == one_each:
        return code(name)
    if list(params) == [-value for value in one_each]:
        return f"`{name}` with the opposite {gate.params[0].name}"
    if gate.num_targets is None:
        return f"`{name}` with the opposite coefficients"
    return f"`{name}` with the first phase moved by half a turn"


def peak_memory() -> str:
    """Return what the engine with all amplitudes says it takes for circuits of some widths."""
    engine = engine_named("kernel")
    circuits = [Circuit.from_operations(n, "qis", []) for n in (20, 24, 26, 28, 30, 32)]
    answers = [engine.assess(Workload(program_of(c), shots=100, seed=1)) for c in circuits]
    rows = (
        (str(c.num_qubits), answer.precision, f"{answer.memory_bytes / 2**20:,.0f} MiB")
        for c, answer in zip(circuits, answers, strict=True)
        if isinstance(answer, Estimate)
    )
    return table(("Qubits", "Computed in", "Peak memory"), rows)


# --- settings and commands -------------------------------------------------------------------


def settings() -> str:
    """Return every field of Settings."""
    heads = ("Option", "Environment variable", "Default", "Meaning")
    return table(heads, map(_setting, dataclasses.fields(Settings)))


def _setting(field: dataclasses.Field[object]) -> tuple[str, ...]:
    default = _NONE if field.default in (None, ()) else code(field.default)
    name, variable = field.name.replace("_", "-"), f"IONBOX_{field.name.upper()}"
    options = [f"--{name}", *([f"--no-{name}"] if isinstance(field.default, bool) else [])]
    return codes(options), code(variable), default, field.metadata["help"]


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yield each command with its full name, groups before their members."""
    yield "ionbox", cli.main
    for name in cli.COMMANDS:
        command: click.Command = getattr(importlib.import_module(f"ionbox.cli.{name}"), name)
        yield f"ionbox {name}", command
        if isinstance(command, click.Group):
            yield from ((f"ionbox {name} {sub}", row) for sub, row in command.commands.items())


def help_texts() -> str:
    """Return what `--help` says of every command."""
    sections = []
    for name, command in commands():
        context = click.Context(
            command,
            info_name=name,
            terminal_width=80,
            help_option_names=["-h", "--help"],
        )
        sections.append(f"## `{name}`\n\n```text\n{command.get_help(context)}\n```")
    return "\n\n".join(sections)


# --- HTTP ------------------------------------------------------------------------------------


def routes(endpoints: Iterable[Endpoint], who: str) -> str:
    """Return the rows of a face; `who` shows the key."""
    heads = ("Request", "Does", "Key", "Query", "Errors")
    return table(heads, (_route(endpoint, who) for endpoint in endpoints))


def _route(endpoint: Endpoint, who: str) -> tuple[str, ...]:
    return (
        code(f"{endpoint.method} {endpoint.path}"),
        endpoint.summary,
        who if endpoint.needs_key else "none",
        codes(query.name for query in endpoint.query),
        codes(sorted({*endpoint.errors, *([401] if endpoint.needs_key else [])})),
    )


def queries(endpoints: Iterable[Endpoint]) -> str:
    """Return every parameter of a query of a face, once with all its requests."""
    used: dict[tuple[str, str], list[str]] = {}
    for endpoint in endpoints:
        for query in endpoint.query:
            request = f"{endpoint.method} {endpoint.path}"
            used.setdefault((query.name, query.description), []).append(request)
    rows = ((code(name), meaning, codes(of)) for (name, meaning), of in used.items())
    return table(("Parameter", "Meaning", "Of"), rows)


def bodies(endpoints: Iterable[Endpoint]) -> str:
    """Return the fields of every object that a face reads or writes."""
    return objects(structs(endpoints))


def objects(kinds: Iterable[type[msgspec.Struct]]) -> str:
    """Return the fields of some objects."""
    sections = []
    for kind in kinds:
        about = " ".join(inspect.cleandoc(kind.__doc__ or "").split())
        fields = table(("Field", "Type", "May be absent"), map(_field, type_info(kind).fields))
        sections.append(f"### {kind.__name__}\n\n{about}\n\n{fields}")
    return "\n\n".join(sections)


def structs(endpoints: Iterable[Endpoint]) -> list[type[msgspec.Struct]]:
    """Return the objects of a face's bodies, and those within them, by name."""
    given = (body for endpoint in endpoints for body in (endpoint.body, endpoint.answer))
    # A dict is a schema, of a payload that is no object of ours.
    return structs_within(body for body in given if body is not None and type(body) is not dict)


def structs_within(kinds: Iterable[object]) -> list[type[msgspec.Struct]]:
    """Return the objects that types are or hold, and those within them, by name."""
    found: set[type[msgspec.Struct]] = set()
    waiting = [type_info(kind) for kind in kinds]
    while waiting:
        for info in _structs_in(waiting.pop()):
            if info.cls not in found:
                found.add(info.cls)
                waiting += [field.type for field in info.fields]
    return sorted(found, key=lambda kind: kind.__name__)


def _structs_in(info: Type) -> Iterator[StructType]:
    """Yield the objects that a type is, or holds."""
    if isinstance(info, StructType):
        yield info
    within = [getattr(info, name, None) for name in ("item_type", "key_type", "value_type", "type")]
    for inner in (*within, *getattr(info, "types", ()), *getattr(info, "item_types", ())):
        if isinstance(inner, Type):
            yield from _structs_in(inner)


def _field(field: Field) -> tuple[str, ...]:
    return code(field.encode_name), type_text(field.type), "no" if field.required else "yes"


# How the simple types are called in JSON.
_TYPE_NAMES: Final[Mapping[str, str]] = {
    "StrType": "text",
    "IntType": "integer",
    "FloatType": "number",
    "BoolType": "true or false",
    "NoneType": "null",
    "DateTimeType": "time",
    "AnyType": "anything",
    "RawType": "object",
}


def type_text(info: Type) -> str:
    """Return what a type is called."""
    match info:
        case StructType():
            text = info.cls.__name__
        case UnionType():
            parts = [one for one in info.types if type(one).__name__ != "UnsetType"]
            text = " or ".join(map(type_text, parts))
        case ListType():
            text = f"list of {type_text(info.item_type)}"
        case TupleType():
            text = f"list of {len(info.item_types)}"
        case DictType():
            text = f"object of {type_text(info.value_type)}"
        case LiteralType():
            text = " or ".join(map(code, info.values))
        case Metadata():
            text = type_text(info.type)
        case _:
            text = _TYPE_NAMES[type(info).__name__]
    return text


def statuses() -> str:
    """Return the words for where a job stands."""
    heads = ("Status", "In v0.3", "Ended")
    rows = (
        (code(status), code(wire.STATUS_TO_WIRE[status]), "yes" if status in TERMINAL else "no")
        for status in JobStatus
    )
    return table(heads, rows)


# --- backends, noise, formats -----------------------------------------------------------------


def backends() -> str:
    """Return what the catalog announces."""
    heads = ("Backend", "Status", "Qubits", "Native gates", "Characterizations")
    rows = (
        (code(b.name), code(b.status), str(b.num_qubits), codes(b.native_gates),
         str(len(b.characterizations)))
        for b in catalog()
    )  # fmt: skip
    return table(heads, rows)


def twins() -> str:
    """Return what the newest twin of each device is made of."""
    heads = ("Backend", "1q", "2q", "SPAM", "T1", "T2", "1q gate", "2q gate", *_IMPERFECTIONS)
    return table(heads, (_twin(backend) for backend in catalog() if backend.characterizations))


# How the fields of Imperfections are called.
_IMPERFECTIONS: Final = tuple(code(name) for name in Imperfections.__struct_fields__)


def _twin(backend: Backend) -> tuple[str, ...]:
    newest, flaws = backend.characterizations[0], backend.imperfections
    timing = newest.timing
    return (
        code(backend.name),
        *(f"{one.median:.5g}" for one in (newest.gate_1q, newest.gate_2q, newest.spam)),
        *(_NONE if time is None else f"{time:g} s" for time in (timing.t1, timing.t2)),
        *(
            _NONE if time is None else f"{time * 1e6:g} µs"
            for time in (timing.gate_1q, timing.gate_2q)
        ),
        *(str(flaw).lower() for flaw in msgspec.structs.astuple(flaws)),
    )


def prices() -> str:
    """Return the prices that ionbox comes with."""
    names = [backend.name for backend in catalog()]
    text = (resources.files("ionbox.backends") / "prices.toml").read_text()
    book = read_price_book(text, names)
    heads = ("Backend", "1q gate", "2q gate", "Minimum", "Minimum with error mitigation")
    rows = (
        (code(name), *(f"{to_amount(amount):g}" for amount in dataclasses.astuple(price)))
        for name, price in book.prices.items()
    )
    return table(heads, rows)


def noise_models() -> str:
    """Return the rates of every noise model."""
    heads = ("Model", "Qubits", "r, one qubit", "r, two qubits", "Rates")
    rows = (
        (code(m.name), str(m.num_qubits), f"{m.r1q:.10g}", f"{m.r2q:.10g}", m.source)
        for m in NOISE_MODELS.values()
    )
    return table(heads, rows)


def noise_file_keys() -> str:
    """Return the TOML that stands at the top of `ionbox.backends.noise_file`."""
    _, _, text = inspect.cleandoc(noise_file.__doc__ or "").partition("\n\n")
    return f"```toml\n{text}\n```"


def formats() -> str:
    """Return every format of a result."""
    heads = ("Format", "Artifact", "Of jobs that are")
    kinds = {Exact: "exact", Sampled: "sampled"}
    rows = (
        (code(row.id), code(artifact_id(row)),
         " or ".join(kinds[kind] for kind in row.serves) or "of many circuits")
        for row in FORMATS.values()
    )  # fmt: skip
    return table(heads, rows)


# --- errors ----------------------------------------------------------------------------------


def error_tree() -> str:
    """Return the tree that stands at the top of `ionbox.errors`."""
    _, _, tree = inspect.cleandoc(errors.__doc__ or "").partition("\n\n")
    return f"```text\n{tree}\n```"


def problems() -> str:
    """Return which error becomes which HTTP answer."""
    heads = ("HTTP", "`error`", "Raised as")
    rows = [(str(http), word, code(kind.__name__)) for kind, (http, word) in PROBLEMS.items()]
    server = (str(SERVER_ERROR.status_code), SERVER_ERROR.error, "anything else")
    return table(heads, [*rows, server])


# --- the life of a job -----------------------------------------------------------------------


def transitions() -> str:
    """Return the table TRANSITIONS."""
    heads = ("Status", "Event", "New status", "Then")
    rows = (
        (code(status), code(event), code(after.to), ", ".join(after.effects) or _NONE)
        for (status, event), after in TRANSITIONS.items()
    )
    return table(heads, rows)


def lifecycle() -> str:
    """Return the life of a job as Mermaid source, which some viewers draw."""
    return f"```text\n{diagram()}\n```"


def lifecycle_picture() -> str:
    """Return the life of a job as a picture."""
    return f"```{{raw}} html\n{svg()}\n```"


PARTS: Final[Mapping[str, Callable[[], str]]] = {
    **{f"gates-{gateset}": partial(gates, gateset) for gateset in GATESETS},
    "peak-memory": peak_memory,
    "settings": settings,
    "commands": help_texts,
    "routes-v03": lambda: routes(v03.ENDPOINTS, "yes"),
    "routes-v04": lambda: routes(v04.ENDPOINTS, "yes"),
    "routes-operator": lambda: routes((*keys.ENDPOINTS, *loaded.ENDPOINTS), "operator"),
    "bodies-operator": lambda: bodies((*keys.ENDPOINTS, *loaded.ENDPOINTS)),
    "routes-waits": lambda: routes(waits.ENDPOINTS, "yes"),
    "bodies-waits": lambda: bodies(waits.ENDPOINTS),
    "routes-testing": lambda: routes(testing.ENDPOINTS, "yes"),
    "bodies-testing": lambda: bodies(testing.ENDPOINTS),
    "failures-testing": lambda: codes(FAILURE_CODES),
    "routes-plans": lambda: routes(plans.ENDPOINTS, "yes"),
    "bodies-plans": lambda: bodies(plans.ENDPOINTS),
    "routes-events": lambda: routes(events.ENDPOINTS, "yes"),
    "bodies-events": lambda: objects((events.EventBody, events.ProgressBody)),
    "routes-exact": lambda: routes(exact.ENDPOINTS, "yes"),
    "queries-v03": lambda: queries(v03.ENDPOINTS),
    "queries-v04": lambda: queries(v04.ENDPOINTS),
    "bodies-v03": lambda: bodies(v03.ENDPOINTS),
    "bodies-v04": lambda: bodies(v04.ENDPOINTS),
    "backends": backends,
    "twins": twins,
    "prices": prices,
    "noise-models": noise_models,
    "noise-file": noise_file_keys,
    "formats": formats,
    "statuses": statuses,
    "error-tree": error_tree,
    "problems": problems,
    "transitions": transitions,
    "lifecycle": lifecycle,
    "lifecycle-picture": lifecycle_picture,
}

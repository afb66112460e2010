"""The `output` of a job in API v0.4: what compiling and error mitigation made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

import msgspec
from starlette.requests import Request

from ionbox.api.artifacts import HISTOGRAM, aggregation_id, variant_artifact_id
from ionbox.api.requests import caller_of, service_of
from ionbox.backends.mitigation import AGGREGATIONS, DEFAULT_AGGREGATION
from ionbox.circuits.program import program_of
from ionbox.formats.ionq import read_circuit
from ionbox.formats.native import write_openqasm
from ionbox.formats.schemas import NATIVE_CIRCUIT
from ionbox.jobs.job import Job
from ionbox.jobs.output import Output, SymmetryOutput, VariantOutput, variant_id

# What IonQ calls its compiler of today; an older one published no compiled circuits.
_SERVICE_VERSION: Final = "v0.4"


class ArtifactBody(msgspec.Struct):
    """Where a result is: by id for newer clients, by URL for older ones."""

    id: str
    format: str
    media_type: str
    url: str


@dataclass(frozen=True, slots=True)
class Language:
    """A language in which a compiled circuit can be had.

    Args:
        is_there: Whether the language can say it.
        write: Returns the text.
    """

    artifact: str
    format: str
    media_type: str
    is_there: Callable[[Output], bool]
    write: Callable[[Output], str]


def _openqasm(output: Output) -> str:
    if output.openqasm:
        return output.openqasm
    text = write_openqasm(program_of(read_circuit(output.native.encode())))
    assert text is not None  # noqa: S101 - a circuit alone neither branches nor names anything
    return text


# By the word in the path `/circuits/{language}`.
COMPILED: Final[Mapping[str, Language]] = MappingProxyType(
    {
        "native": Language(
            "circuit-native",
            NATIVE_CIRCUIT,
            "application/json",
            is_there=lambda output: bool(output.native),
            write=lambda output: output.native,
        ),
        "qasm3": Language(
            "circuit-qasm3",
            "ionq.qasm3.v1",
            "text/plain",
            is_there=lambda output: bool(output.native or output.openqasm),
            write=_openqasm,
        ),
    }
)


def output_of(request: Request, job: Job) -> Output | None:
    """Return what was made of a job; None where nothing was."""
    return service_of(request).jobs.output(caller_of(request), job)


def write_output(job_id: str, output: Output, *, has_results: bool) -> dict[str, Any]:
    """Return the `output` of a job as v0.4 writes it.

    Args:
        has_results: Whether there are histograms to be had: a dry run has none.
    """
    return {
        "compilation": _write_compilation(job_id, output),
        "error_mitigation": _write_mitigation(job_id, output, has_results=has_results),
    }


def _write_compilation(job_id: str, output: Output) -> dict[str, Any]:
    return {
        "opt": output.opt,
        "precision": precision_text(output.precision),
        "gate_basis": output.gate_basis,
        "service_version": _SERVICE_VERSION,
        "compiled_circuits": {
            language.format: _artifact(
                job_id, language.artifact, language.format, language.media_type
            )
            for language in COMPILED.values()
            if language.is_there(output)
        },
    }


def precision_text(precision: float) -> str:
    """Return a precision as clients see it: `1E-3`."""
    return f"{Decimal(repr(precision)).normalize():E}"


def _write_mitigation(job_id: str, output: Output, *, has_results: bool) -> dict[str, Any]:
    written: dict[str, Any] = {
        "debiasing": False,
        "symmetry_verification": _write_symmetry(output.symmetry),
    }
    if output.variants:
        written["debiasing"] = {
            "variants": [
                _write_variant(job_id, number, one, has_results=has_results)
                for number, one in enumerate(output.variants)
            ],
            "aggregation_method": DEFAULT_AGGREGATION,
        }
    if output.variants and has_results:
        written["aggregations"] = {
            word: _histogram(job_id, aggregation_id(word)) for word in AGGREGATIONS
        }
    return written


def _write_symmetry(symmetry: SymmetryOutput | None) -> dict[str, Any] | None:
    if symmetry is None:
        return None
    return {"num_allowed_states": symmetry.num_allowed_states, "applied": symmetry.is_applied}


def _write_variant(
    job_id: str, number: int, variant: VariantOutput, *, has_results: bool
) -> dict[str, Any]:
    written: dict[str, Any] = {
        "variant_id": variant_id(job_id, number),
        "qubit_map": list(variant.qubit_map),
        "shots": variant.shots,
    }
    if has_results:
        written["results"] = {HISTOGRAM.id: _histogram(job_id, variant_artifact_id(number))}
    return written


def _histogram(job_id: str, artifact: str) -> ArtifactBody:
    return _artifact(job_id, artifact, HISTOGRAM.id, HISTOGRAM.media_type)


def _artifact(job_id: str, artifact: str, format_id: str, media_type: str) -> ArtifactBody:
    url = f"/v0.4/jobs/{job_id}/artifacts/{artifact}"
    return ArtifactBody(artifact, format_id, media_type, url)

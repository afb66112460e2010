"""Backends, characterizations and estimates, as API v0.4 writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from ionbox.api.backends import PAGE_QUERY, Timings, backend_of, characterizations_of, write_timing
from ionbox.api.endpoints import Endpoint, Link, Query, Time, Uuid, json_response, within
from ionbox.api.requests import (
    caller_of,
    context_of,
    integer_of,
    is_true,
    service_of,
    time_of,
)
from ionbox.api.v04.wire import time_text
from ionbox.backends.backend import Backend
from ionbox.backends.characterization import Characterization, Fidelity
from ionbox.backends.pricing import to_amount
from ionbox.errors import InvalidInputError, NotFoundError
from ionbox.service.access import Project
from ionbox.service.catalog import JobEstimate, JobSize
from ionbox.service.submission import MAX_SHOTS

_QUBITS = range(1, 10_001)
_SHOTS = range(1, MAX_SHOTS + 1)
_GATES = range(10_000_001)
_DEFAULT_QUBITS, _DEFAULT_SHOTS = 25, 1000


class BackendBody(msgspec.Struct, omit_defaults=True):
    """A backend; `average_queue_time` in milliseconds, `kw` in kilowatts."""

    backend: str
    status: str
    qubits: int
    average_queue_time: int
    last_updated: Time
    degraded: bool
    has_access: bool
    supported_gates: list[str]
    supported_native_gates: list[str]
    supported_error_mitigations: list[str]
    connectivity: str
    characterization_id: Uuid | UnsetType = UNSET
    noise_models: list[str] | UnsetType = UNSET
    location: str | UnsetType = UNSET
    kw: float | UnsetType = UNSET


class FidelityBody(msgspec.Struct):
    """A fidelity, a ratio; some clients read the median under the name of the mean."""

    median: float
    mean: float
    stderr: float | None


class Fidelities(msgspec.Struct):
    """Fidelities of preparation and measurement, and of operations on one qubit and two."""

    spam: FidelityBody
    one_qubit: FidelityBody = msgspec.field(name="1q")
    two_qubit: FidelityBody = msgspec.field(name="2q")


class CharacterizationBody(msgspec.Struct):
    """What is known of a backend at a date."""

    id: Uuid
    backend: str
    date: Time
    qubits: int
    connectivity: list[tuple[int, int]]
    fidelity: Fidelities
    timing: Timings


class Characterizations(msgspec.Struct):
    """A page of characterizations, newest first, and how many pages follow."""

    characterizations: list[CharacterizationBody]
    pages: int


class JobInputs(msgspec.Struct):
    """What an estimate is of."""

    backend: str
    type: str
    qubits: int
    shots: int
    one_qubit_gates: int = msgspec.field(name="1q_gates")
    two_qubit_gates: int = msgspec.field(name="2q_gates")
    error_mitigation: bool


class EstimateContext(JobInputs):
    """What an estimate is of, and for whom."""

    organization: str | None
    project: str | None


class Rate(msgspec.Struct):
    """The prices of gates, and the least that a job costs."""

    sku: str
    unit: str
    cost_1q_gate: float
    cost_2q_gate: float
    job_cost_minimum: float


class RateCard(msgspec.Struct):
    """The prices that an estimate is made with."""

    id: str
    rates: list[Rate]


class RateInformation(msgspec.Struct):
    """The prices, as clients of before autumn 2026 read them."""

    organization: str
    cost_1q_gate: float
    cost_2q_gate: float
    job_cost_minimum: float


class EstimateBody(msgspec.Struct):
    """What a job would cost, in both shapes that clients know; times in milliseconds."""

    estimate_context: EstimateContext
    estimated_at: Time
    estimated_unit: str
    rate_card: RateCard
    estimated_total_cost: float
    estimated_execution_time: int
    current_predicted_queue_time: int
    input_values: JobInputs
    cost_unit: str
    rate_information: RateInformation
    estimated_cost: float


async def list_backends(request: Request) -> Response:
    """GET /backends."""
    started_at = context_of(request).started_at
    backends = service_of(request).catalog.backends()
    return json_response([write_backend(backend, started_at) for backend in backends])


async def get_backend(request: Request) -> Response:
    """GET /backends/{backend}."""
    return json_response(write_backend(backend_of(request), context_of(request).started_at))


async def list_characterizations(request: Request) -> Response:
    """GET /backends/{backend}/characterizations."""
    page = characterizations_of(request, time_of(request, "start"), time_of(request, "end"))
    records = list(map(write_characterization, page.records))
    return json_response(Characterizations(records, page.num_remaining))


async def get_characterization(request: Request) -> Response:
    """GET /backends/{backend}/characterizations/{id}."""
    backend, record_id = backend_of(request), request.path_params["id"]
    record = service_of(request).catalog.characterization(record_id)
    if record.backend != backend.name:
        raise NotFoundError("characterization", record_id)
    return json_response(write_characterization(record))


async def get_estimate(request: Request) -> Response:
    """GET /jobs/estimate."""
    caller, service = caller_of(request), service_of(request)
    name = request.query_params.get("backend")
    if name is None:
        raise InvalidInputError("backend", "missing; it names a backend", source="query")
    name = name.replace("ionq_", "", 1) if name.startswith("ionq_") else name  # as qiskit-ionq says
    size = JobSize(
        num_qubits=integer_of(request, "qubits", default=_DEFAULT_QUBITS, allowed=_QUBITS),
        shots=integer_of(request, "shots", default=_DEFAULT_SHOTS, allowed=_SHOTS),
        gate_counts=(
            integer_of(request, "1q_gates", default=0, allowed=_GATES),
            integer_of(request, "2q_gates", default=0, allowed=_GATES),
        ),
        error_mitigation=is_true(request, "error_mitigation"),
    )
    inputs = JobInputs(
        backend=name,
        type=request.query_params.get("type", "ionq.circuit.v1"),
        qubits=size.num_qubits,
        shots=size.shots,
        one_qubit_gates=size.gate_counts[0],
        two_qubit_gates=size.gate_counts[1],
        error_mitigation=size.error_mitigation,
    )
    estimate = service.catalog.estimate(name, size)
    project = service.accounts.project(caller)
    return json_response(write_estimate(inputs, estimate, project, datetime.now(UTC)))


def write_backend(backend: Backend, last_updated: datetime) -> BackendBody:
    """Return a backend as v0.4 writes it."""
    return BackendBody(
        backend=backend.name,
        status=backend.status.value,
        qubits=backend.num_qubits,
        average_queue_time=0,
        last_updated=time_text(last_updated),
        degraded=backend.is_degraded,
        has_access=True,
        supported_gates=list(backend.gates),
        supported_native_gates=list(backend.native_gates),
        supported_error_mitigations=list(backend.error_mitigations),
        connectivity=backend.connectivity,
        characterization_id=backend.characterization_id or UNSET,
        noise_models=list(backend.noise_models) if backend.is_simulator else UNSET,
        location=backend.location or UNSET,
        kw=UNSET if backend.kw is None else backend.kw,
    )


def write_characterization(record: Characterization) -> CharacterizationBody:
    """Return a characterization as v0.4 writes it."""
    return CharacterizationBody(
        id=record.id,
        backend=record.backend,
        date=time_text(record.date),
        qubits=record.num_qubits,
        connectivity=list(record.pairs),
        fidelity=Fidelities(
            _fidelity(record.spam), _fidelity(record.gate_1q), _fidelity(record.gate_2q)
        ),
        timing=write_timing(record.timing),
    )


def _fidelity(fidelity: Fidelity) -> FidelityBody:
    return FidelityBody(fidelity.median, fidelity.median, fidelity.stderr)


def write_estimate(
    inputs: JobInputs, estimate: JobEstimate, project: Project, now: datetime
) -> EstimateBody:
    """Return an estimate as v0.4 writes it, and wrote it before."""
    cost = estimate.cost
    prices = {
        "cost_1q_gate": to_amount(cost.price.cost_1q_gate),
        "cost_2q_gate": to_amount(cost.price.cost_2q_gate),
        "job_cost_minimum": to_amount(cost.minimum_micros),
    }
    context = EstimateContext(
        **msgspec.structs.asdict(inputs),
        organization=project.organization_id,
        project=project.id,
    )
    total = to_amount(cost.total_micros)
    return EstimateBody(
        estimate_context=context,
        estimated_at=time_text(now),
        estimated_unit=cost.currency,
        rate_card=RateCard(estimate.book_id, [Rate(inputs.backend, "gates", **prices)]),
        estimated_total_cost=total,
        estimated_execution_time=round(estimate.seconds * 1000),
        current_predicted_queue_time=0,
        input_values=inputs,
        cost_unit=cost.currency,
        rate_information=RateInformation(organization=project.organization_id, **prices),
        estimated_cost=total,
    )


_HISTORY_QUERY = (
    Query("start", Time, "From then on; also a day."),
    Query("end", Time, "Until then, included; also a day."),
    *PAGE_QUERY,
)
_ESTIMATE_QUERY = (
    Query("backend", str, "Which backend.", is_required=True),
    Query("type", str, "The type of the job; it has no influence."),
    Query("qubits", Annotated[int, within(_QUBITS)], f"{_DEFAULT_QUBITS} by default."),
    Query("shots", Annotated[int, within(_SHOTS)], f"{_DEFAULT_SHOTS} by default."),
    Query("1q_gates", Annotated[int, within(_GATES)], "Operations on one qubit; 0 by default."),
    Query("2q_gates", Annotated[int, within(_GATES)], "Operations on two qubits; 0 by default."),
    Query("error_mitigation", bool, "Whether errors are mitigated."),
    Query("session", str, "Accepted; a session has no price of its own."),
)

_BACKEND_LINKS = (
    Link("/v0.4/backends/{backend}", {"backend": "$response.body#/0/backend"}),
    Link("/v0.4/jobs/estimate", {"backend": "$response.body#/0/backend"}),
)

ENDPOINTS = (
    Endpoint("GET", "/v0.4/backends", list_backends, "List the backends.", list[BackendBody],
             needs_key=False, links=_BACKEND_LINKS),
    Endpoint("GET", "/v0.4/backends/{backend}", get_backend, "Get a backend.", BackendBody,
             needs_key=False, errors=(404,)),
    Endpoint("GET", "/v0.4/backends/{backend}/characterizations", list_characterizations,
             "List what is known of a backend, newest first.", Characterizations,
             query=_HISTORY_QUERY, needs_key=False, errors=(400, 404)),
    Endpoint("GET", "/v0.4/backends/{backend}/characterizations/{id}", get_characterization,
             "Get a characterization.", CharacterizationBody, needs_key=False, errors=(404,)),
    Endpoint("GET", "/v0.4/jobs/estimate", get_estimate, "Get what a job would cost.",
             EstimateBody, query=_ESTIMATE_QUERY, errors=(400, 404)),
)  # fmt: skip

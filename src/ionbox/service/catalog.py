"""The use cases of backends: what there is, what is known of it, what a job would cost."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from ionbox.backends.backend import Backend, find_characterization, with_older
from ionbox.backends.characterization import (
    MAX_PAGE,
    Characterization,
    Page,
    between,
    execution_seconds,
    page_of,
)
from ionbox.backends.documents import read_document
from ionbox.backends.pricing import Estimate, PriceBook, estimate
from ionbox.errors import NotFoundError, SettingsError
from ionbox.service.ports import BackendDocument, Store

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JobSize:
    """What a job would consist of, for an estimate.

    Args:
        gate_counts: Operations on one qubit, and on two.
    """

    num_qubits: int
    shots: int
    gate_counts: tuple[int, int]
    error_mitigation: bool = False


@dataclass(frozen=True, slots=True)
class JobEstimate:
    """What a job would cost, and how long it would run.

    Args:
        seconds: On a device, as characterized; 0 on a simulator.
    """

    cost: Estimate
    seconds: float
    book_id: str


class Catalog:
    """Every use case of backends.

    Args:
        backends: By name, as all of the core sees them: those that are loaded are put in.
        store: What remembers documents.
    """

    def __init__(self, backends: dict[str, Backend], prices: PriceBook, store: Store) -> None:
        self._own = dict(backends)
        self._backends = backends
        self._prices = prices
        self._store = store
        for document in store.backend_documents():
            try:
                self._take(read_document(document.document, document.additions))
            except SettingsError as error:  # an ionbox before took it
                _log.error("%s is not as it was loaded: %s", document.backend, error)

    @property
    def currency(self) -> str:
        """The currency of all amounts, as on the wire."""
        return self._prices.currency

    def backends(self) -> list[Backend]:
        """Return every backend."""
        return list(self._backends.values())

    def backend(self, name: str) -> Backend:
        """Return one backend."""
        if name not in self._backends:
            raise NotFoundError("backend", name, known=tuple(self._backends))
        return self._backends[name]

    def load(self, document: bytes, additions: str | None = None) -> Backend:
        """Take a backend from its characterizations, as `documents.read_document` reads them.

        A backend of ionbox's own of that name is replaced; one that was loaded before keeps its
        older records, which jobs may run with.

        Args:
            additions: None for what was said of the backend before.

        Raises:
            SettingsError: If the document cannot be read, or tells something else of a record that
                is known.
        """
        backend = read_document(document, additions or "")
        if additions is None and (before := self._documents_of(backend.name)):
            additions = before[-1].additions
            backend = read_document(document, additions)
        self._refuse_other_pasts(backend)
        row = BackendDocument(backend.name, document, additions or "")
        if row not in self._documents_of(backend.name)[-1:]:
            self._store.insert_backend_document(row).result()
        return self._take(backend)

    def _documents_of(self, name: str) -> list[BackendDocument]:
        documents = self._store.backend_documents()
        return [document for document in documents if document.backend == name]

    def _refuse_other_pasts(self, backend: Backend) -> None:
        """Refuse what is known otherwise: jobs have run with it."""
        known = {
            record.id: record
            for other in self._backends.values()
            for record in (*other.characterizations, *(twin.record for twin in other.older))
        }
        loaded = self._documents_of(backend.name) and self._backends[backend.name]
        if loaded and loaded.num_qubits != backend.num_qubits:
            text = (
                f"{backend.num_qubits} qubits; {backend.name} was loaded with {loaded.num_qubits}"
            )
            raise SettingsError(f"characterization: qubits: {text}")
        for record in backend.characterizations:
            if known.get(record.id, record) != record:
                text = f"record {record.id} is known with other figures; give it an id of its own"
                raise SettingsError(f"characterization: {text}")

    def unload(self, name: str) -> None:
        """Forget what was loaded of a backend; one of ionbox's own is again as it was.

        Raises:
            NotFoundError: If nothing of it was loaded.
        """
        if not self._store.delete_backend_documents(name).result():
            loaded = dict.fromkeys(known.backend for known in self._store.backend_documents())
            raise NotFoundError("loaded backend", name, known=tuple(loaded))
        if name in self._own:
            self._backends[name] = self._own[name]
        else:
            del self._backends[name]

    def _take(self, backend: Backend) -> Backend:
        before = self._backends.get(backend.name)
        if before is not None:
            is_own = before is self._own.get(backend.name)
            backend = with_older(backend, before, is_shown=not is_own)
        self._backends[backend.name] = backend
        return backend

    def characterizations(
        self,
        name: str,
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        limit: int = MAX_PAGE,
        page: int = 1,
    ) -> Page:
        """Return a page of what is known of a backend, newest first."""
        records = between(self.backend(name).characterizations, start, end)
        return page_of(records, limit=limit, page=page)

    def characterization(self, record_id: str) -> Characterization:
        """Return one record, of whichever backend."""
        return find_characterization(self._backends.values(), record_id)

    def newest_characterization(self, name: str) -> Characterization:
        """Return the newest record of a backend.

        Raises:
            NotFoundError: If it has none, as a simulator.
        """
        records = self.backend(name).characterizations
        if not records:
            raise NotFoundError("characterization", "current")
        return records[0]

    def estimate(self, name: str, size: JobSize) -> JobEstimate:
        """Return what a job would cost on a backend, and how long it would run."""
        backend = self.backend(name)
        cost = estimate(
            self._prices,
            name,
            gate_counts=size.gate_counts,
            shots=size.shots,
            error_mitigation=size.error_mitigation,
        )
        seconds = 0.0
        if backend.characterizations:
            newest = backend.characterizations[0]
            seconds = execution_seconds(newest, size.gate_counts, size.shots)
        return JobEstimate(cost, seconds, self._prices.id)

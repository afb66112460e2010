"""Puts the house together: the only module that names concrete adapters."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import gc
import logging
import os
import resource
import secrets
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import msgspec
import uvicorn
from starlette.applications import Starlette

from ionbox import calibration
from ionbox._kernel import kernel, why_not
from ionbox.api.app import make_app
from ionbox.api.connections import ConnectionLimits, connection_class
from ionbox.api.dropping import dropping_class
from ionbox.api.requests import Context
from ionbox.backends.backend import Backend, read_backend
from ionbox.backends.noise import IDEAL, NOISE_MODELS, NoiseModel
from ionbox.backends.noise_file import read_noise_model
from ionbox.backends.pricing import PriceBook, read_price_book
from ionbox.config import Settings, is_loopback, key_from_environment
from ionbox.engines.calibration import REFERENCE, Machine
from ionbox.errors import DataDirectoryError, SettingsError, StoreError
from ionbox.executors.processes import ProcessExecutor
from ionbox.machine import memory_for_jobs, num_cores
from ionbox.results.filesystem import FilesystemResults
from ionbox.service.acceptance import Acceptance
from ionbox.service.access import Caller, new_secret
from ionbox.service.accounts import Accounts
from ionbox.service.admission import Limits
from ionbox.service.catalog import Catalog
from ionbox.service.dispatcher import Dispatcher, memory_for_reading
from ionbox.service.events import Events
from ionbox.service.jobs import Jobs
from ionbox.service.planning import Rulebook, Rules
from ionbox.service.rehearsal import Rehearsal
from ionbox.service.service import Service
from ionbox.service.sessions import Sessions
from ionbox.service.stage import Stage
from ionbox.service.targets import Targets
from ionbox.service.usage import Usage
from ionbox.store.sqlite import SqliteStore

DATABASE = "ionbox.sqlite"
KEY_FILE = "api-key"
_EXIT_THREAD_DIED = 70
# A client that comes back within this long finds its connection open.
_KEEP_ALIVE_SECONDS = 75

_log = logging.getLogger(__name__)


class Running(msgspec.Struct, frozen=True):
    """What `server.json` in the data directory tells of the server that uses it."""

    pid: int
    url: str
    operator_token: str


@dataclass(frozen=True, slots=True)
class House:
    """The core with its adapters, on one data directory."""

    service: Service
    dispatcher: Dispatcher
    rulebook: Rulebook
    rehearsal: Rehearsal | None


@dataclass(frozen=True, slots=True)
class Welcome:
    """What the banner says of a server that is ready."""

    url: str
    key: str
    directory: Path
    address: str
    kernel: str


class Server(uvicorn.Server):
    """Stops what waits for events before it waits for answers to end.

    Args:
        stop_waiting: Has answers that are held for something to happen end.
    """

    def __init__(self, config: uvicorn.Config, stop_waiting: Callable[[], None]) -> None:
        super().__init__(config)
        self._stop_waiting = stop_waiting

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop."""
        self._stop_waiting()
        await super().shutdown(sockets)


@contextlib.contextmanager
def open_house(settings: Settings) -> Iterator[House]:
    """Lock a data directory and put the core together on it. No worker runs yet.

    Raises:
        DataDirectoryError: If another server uses the directory, or a newer ionbox wrote it.
    """
    directory = settings.directory
    os.umask(0o077)  # jobs and keys are this user's alone, whoever made the directory
    with _locked(directory):
        store = SqliteStore(directory / DATABASE)
        with contextlib.closing(store):
            results = FilesystemResults(directory / "results")
            results.sweep(set(store.blobs()))
            _purge(store)
            yield _house(settings, store, results)


def _house(settings: Settings, store: SqliteStore, results: FilesystemResults) -> House:
    """Return the core, put together on a store and a place for results."""
    rulebook = Rulebook(_rules(settings))
    noise_models = _noise_models(settings)
    backends = _backends(settings, noise_models)
    prices = _price_book(settings, backends)
    targets = Targets(backends, noise_models)
    acceptance = Acceptance(backends, prices, is_strict=settings.limits == "ionq")
    events = Events(store)
    # The dispatcher is made below: it and the stage hand jobs to each other.
    stage = Stage(store, lambda job: dispatcher.queue(job), _now) if settings.testing else None  # noqa: PLW0108
    if stage is not None:
        events.tell_ends(stage.forget)
    dispatcher = Dispatcher(
        store,
        results,
        # One worker a core; one is kept for short jobs, and one for inputs.
        ProcessExecutor(settings.workers or rulebook.rules.machine.cores + 2),
        acceptance,
        targets=targets,
        rulebook=rulebook,
        clock=_now,
        limits=_queue_limits(settings),
        tell=events.progress,
        keeps=None if stage is None else stage.keeps,
    )
    jobs = Jobs(
        store,
        results,
        dispatcher,
        acceptance,
        targets=targets,
        rulebook=rulebook,
        clock=_now,
        seed=settings.seed,
        hold=None if stage is None else stage.hold,
        holds=None if stage is None else stage.holds,
    )
    service = Service(
        jobs,
        Sessions(store, backends, _now, prices.currency),
        Catalog(backends, prices, store),
        Accounts(store, _now),
        Usage(store),
        events,
    )
    return House(service, dispatcher, rulebook, None if stage is None else Rehearsal(stage))


def _queue_limits(settings: Settings) -> Limits:
    return Limits(
        key_running=settings.key_running,
        project_running=settings.project_running,
        key_waiting=settings.key_waiting,
        project_waiting=settings.project_waiting,
    )


def serve(settings: Settings, announce: Callable[[Welcome], None]) -> None:
    """Serve until a signal says to stop.

    Args:
        announce: Called once requests are answered.

    Raises:
        SettingsError: If the address cannot be listened on.
        DataDirectoryError: As `open_house`.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    threading.excepthook = _die
    with open_house(settings) as house, _listening(settings) as listener:
        key = _first_start(house.service, settings.directory, os.environ)
        running = Running(os.getpid(), _url(listener), secrets.token_urlsafe(32))
        welcome = Welcome(
            running.url, key, settings.directory, settings.host, _kernel_text(num_cores())
        )

        @contextlib.asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            house.dispatcher.start()
            _tune_garbage_collection()
            with _described(settings.directory, running), _calibrating(settings, house):
                announce(welcome)
                yield
            if house.rehearsal is not None:
                house.rehearsal.stage.close()
            house.dispatcher.stop()

        app = make_app(
            Context(
                service=house.service,
                started_at=_now(),
                key_hint=_key_hint(settings, running.url),
                operator_token=running.operator_token,
                anyone=_anyone(house.service) if settings.auth == "none" else None,
                rehearsal=house.rehearsal,
            ),
            lifespan,
            (settings.host, socket.gethostname(), *settings.allow_host),
        )
        connections = connection_class(ConnectionLimits(connections=_most_connections()))
        config = uvicorn.Config(
            app,
            http=connections if house.rehearsal is None else dropping_class(connections),
            ws="none",
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=5,
        )
        # uvicorn stops gracefully, then raises the signal again: it must not skip what is left.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        with contextlib.suppress(KeyboardInterrupt):
            Server(config, house.service.events.close).run(sockets=[listener])


def is_in_use(directory: Path) -> bool:
    """Return whether a server has ever kept its data in a directory."""
    return (directory / DATABASE).exists()


def running_server(directory: Path) -> Running | None:
    """Return the server that uses a data directory now, if one does and it is ready."""
    running = read_running(directory)
    if running is None:
        return None
    try:
        with _locked(directory):
            return None  # a killed server left the file
    except DataDirectoryError:
        return running


def read_running(directory: Path) -> Running | None:
    """Return what `server.json` tells, if it is there."""
    try:
        return msgspec.json.decode((directory / "server.json").read_bytes(), type=Running)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def catalog() -> list[Backend]:
    """Return the backends that ionbox comes with, by name."""
    folder = resources.files("ionbox.backends") / "catalog"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return [read_backend(file.read_text()) for file in files if file.name.endswith(".toml")]


def _purge(store: SqliteStore) -> None:
    """Forget keys of submissions that have expired; where that cannot be, the next start does."""
    try:
        store.purge_keys_of_submissions(_now()).result()
    except StoreError as error:
        _log.warning("Idempotency-Keys that have expired are kept for now: %s", error)


def _backends(settings: Settings, noise_models: Iterable[str]) -> dict[str, Backend]:
    """Return the backends by name; the simulator is as the settings say."""
    known = {backend.name: backend for backend in catalog()}
    for name, backend in known.items():
        if backend.is_simulator:
            known[name] = dataclasses.replace(
                backend,
                num_qubits=settings.simulator_qubits,
                noise_models=(IDEAL, *noise_models),
            )
    return known


def _noise_models(settings: Settings) -> dict[str, NoiseModel]:
    """Return the noise models by name: ionbox's own, and the operator's."""
    models = dict(NOISE_MODELS)
    for path in settings.noise_model:
        try:
            model = read_noise_model(path.read_text())
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"noise_model: {path}: {error}") from error
        except SettingsError as error:
            raise SettingsError(f"{path}: {error}") from error
        if model.name in models:
            raise SettingsError(f"noise_model: {path}: another file is named '{model.name}', too")
        models[model.name] = model
    return models


def _rules(settings: Settings) -> Rules:
    known = calibration.remembered() if settings.calibrate else None
    memory_bytes = memory_for_jobs()
    return Rules(
        memory_bytes=memory_bytes - memory_for_reading(memory_bytes),
        machine=Machine(num_cores(), known or REFERENCE),
        precision=settings.precision,
        max_outcomes=settings.max_outcomes,
    )


def _kernel_text(threads: int) -> str:
    """Return what the banner says of the kernel."""
    if kernel is None:
        return f"none ({why_not}); NumPy runs instead, many times slower"
    return f"{kernel.variants()[0]}, {threads} thread{'s' if threads > 1 else ''}"


def _price_book(settings: Settings, backends: Mapping[str, Backend]) -> PriceBook:
    """Return the operator's prices, or those that ionbox comes with."""
    if settings.prices is None:
        text = (resources.files("ionbox.backends") / "prices.toml").read_text()
        return read_price_book(text, backends)
    try:
        return read_price_book(settings.prices.read_text(), backends)
    except OSError as error:
        raise SettingsError(f"prices: {settings.prices}: {error.strerror}") from error


def _most_connections() -> int:
    """Return how many connections leave a quarter of the files that this process may open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = ConnectionLimits().connections
    return most if files == resource.RLIM_INFINITY else min(most, files * 3 // 4)


def _tune_garbage_collection() -> None:
    """Leave what start-up made alone, and look for circles less often: requests make none."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def _now() -> datetime:
    return datetime.now(UTC)


def _die(death: threading.ExceptHookArgs) -> None:
    """End the process: without its writer or its workers' threads it must not accept jobs.

    Nothing is lost: the next start recovers from the store.
    """
    thread = death.thread.name if death.thread else "a thread"
    _log.critical("%s died, and the server with it", thread, exc_info=death.exc_value)
    os._exit(_EXIT_THREAD_DIED)


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Hold the exclusive lock of a data directory, which is made where there is none."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise DataDirectoryError(f"cannot keep data in {directory}: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        other = read_running(directory)
        who = f"by the server at {other.url} (process {other.pid})" if other else "by another one"
        raise DataDirectoryError(f"the data directory {directory} is in use {who}") from error
    else:
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as error:
            raise SettingsError(
                f"cannot listen on {settings.host} port {settings.port}: {error.strerror}; "
                "--port 0 takes a free one"
            ) from error
        listener.listen(2048)
        yield listener


@contextlib.contextmanager
def _calibrating(settings: Settings, house: House) -> Iterator[None]:
    """Have the machine measured meanwhile, if that was not done before."""
    if not settings.calibrate or calibration.remembered() is not None:
        yield
        return
    background = calibration.Background(lambda: house.dispatcher.is_idle, house.rulebook.calibrate)
    background.start()
    try:
        yield
    finally:
        background.stop()


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - read, not bound
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextlib.contextmanager
def _described(directory: Path, running: Running) -> Iterator[None]:
    """Keep `server.json`, for who reads the data directory, as long as the server runs."""
    path = directory / "server.json"
    _write_private(path, msgspec.json.encode(running))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _write_private(path: Path, data: bytes) -> None:
    """Write a file that only this user reads, whole or not at all."""
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)


def _first_start(service: Service, directory: Path, environment: Mapping[str, str]) -> str:
    """Make sure that a key exists, and return what the banner says of it.

    A key that the user brings is remembered by its hash alone. IONQ_API_KEY is taken at the very
    first start only; IONBOX_API_KEY says what it wants, so it is taken whenever it is new.
    """
    path = directory / KEY_FILE
    given = key_from_environment(environment)
    is_first = not service.accounts.keys()
    if given is not None and (is_first or given[0] == "IONBOX_API_KEY"):
        key = service.accounts.add_key(*given)
        return f"your {given[0]}{'' if key.revoked_at is None else ', which is revoked'}"
    if is_first:
        secret = new_secret()
        _write_private(path, f"{secret}\n".encode())
        return f"{service.accounts.add_key('first', secret).prefix}…, in {path}"
    known = (
        f"{service.accounts.keys()[0].prefix}…, in {path}"
        if path.exists()
        else "yours, of the first start"
    )
    if given is not None and not service.accounts.is_key(given[1]):
        return f"{known} (your {given[0]} is another one)"
    return known


def _key_hint(settings: Settings, url: str) -> str:
    """Return what a 401 says; where the key lies is for callers on this machine only."""
    if not is_loopback(settings.host):
        return f"This is ionbox at {url}, not IonQ's cloud; ask its operator for a key."
    where = settings.directory / KEY_FILE
    if where.exists():
        place = f"lies in {where} (see 'ionbox env')"
    else:
        place = "is the one of yours that it first started with; 'ionbox keys create' makes another"
    return f"This is ionbox at {url}, not IonQ's cloud; its key {place}."


def _anyone(service: Service) -> Caller:
    key = service.accounts.keys()[0]
    return Caller(key.id, key.project_id, key.submitter_id)

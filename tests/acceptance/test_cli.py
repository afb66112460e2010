from __future__ import annotations

import os
import re
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.acceptance.client import Api, until
from tests.acceptance.test_plans import plan_of
from tests.builders import BELL

import ionbox
from ionbox import LocalServer
from ionbox._kernel import kernel

SCRIPT = [str(Path(sys.executable).with_name("ionbox"))]
MODULE = [sys.executable, "-m", "ionbox"]
BANNER_WITH_KERNEL = (
    r"  kernel   none \(.+\); NumPy runs instead, .* slower"
    if kernel is None
    else rf"  kernel   {kernel.variants()[0]}, \d+ threads?"
)
NAMES = [
    "IONQ_API_KEY", "IONBOX_URL", "IONQ_API_URL", "IONQ_BASE_URL", "IONQ_REMOTE_HOST",
    "CIRQ_IONQ_REMOTE_HOST",
]  # fmt: skip


@pytest.fixture(scope="module")
def own_server() -> Iterator[LocalServer]:
    with LocalServer(workers=2) as server:
        yield server


def run(*arguments: object, program: list[str] = MODULE) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*program, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )


def output_of(*arguments: object, program: list[str] = MODULE) -> str:
    done = run(*arguments, program=program)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refusal_of(*arguments: object) -> str:
    """Return the one line that a command ends with."""
    done = run(*arguments)
    assert done.returncode == 1, done
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


def opens(server: LocalServer, key: str) -> bool:
    return bool(Api(server.url, key, server.pid).call("GET", "/v0.3/jobs").status_code == 200)


@pytest.mark.parametrize("program", [SCRIPT, MODULE])
def test_the_version_is_that_of_the_package(program: list[str]) -> None:
    assert output_of("--version", program=program) == f"ionbox, version {ionbox.__version__}\n"


def test_help_names_every_command() -> None:
    _, commands = output_of("-h", program=SCRIPT).split("Commands:\n")

    named = [line.split()[0] for line in commands.splitlines()]
    assert named == ["backends", "demo", "env", "explain", "keys", "serve"]


def test_demo_prints_the_results_of_the_notebook_and_a_histogram() -> None:
    lines = output_of("demo").splitlines()

    assert "{'0': 0.5, '3': 0.5}" in lines
    bar = "\u2588" * 40
    assert lines[-2:] == [f"  |00\u27e9 {bar} 0.5000", f"  |11\u27e9 {bar} 0.5000"]
    assert any(line.startswith("POST http://127.0.0.1:") for line in lines)


# --- env ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ("sh", lambda name, value: f"export {name}={value}"),
        ("fish", lambda name, value: f"set -gx {name} {value}"),
        ("powershell", lambda name, value: f"$env:{name} = '{value}'"),
        ("dotenv", lambda name, value: f"{name}={value}"),
    ],
)
def test_env_points_every_sdk_to_the_server_that_runs(
    own_server: LocalServer, shell: str, line: Callable[[str, str], str]
) -> None:
    versioned = f"{own_server.url}/v0.4"
    url = own_server.url
    values = [own_server.key, url, versioned, versioned, url, url]

    lines = output_of("env", "--shell", shell, "--data", own_server.data).splitlines()

    assert lines == [line(name, value) for name, value in zip(NAMES, values, strict=True)]


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ("sh", "unset {}"),
        ("fish", "set -e {}"),
        ("powershell", "Remove-Item Env:{} -ErrorAction SilentlyContinue"),
        ("dotenv", "# {}="),
    ],
)
def test_env_is_taken_back_with_unset(shell: str, line: str) -> None:
    lines = output_of("env", "--shell", shell, "--unset").splitlines()

    assert lines == [line.format(name) for name in NAMES]


def test_a_shell_takes_what_env_prints(own_server: LocalServer) -> None:
    env = f"{sys.executable} -m ionbox env --shell sh"
    script = (
        f'eval "$({env} --data {own_server.data})"; echo "$IONQ_API_KEY $IONQ_REMOTE_HOST"; '
        f'eval "$({env} --unset)"; echo "left: ${{IONQ_API_KEY-}} ${{IONQ_REMOTE_HOST-}}"'
    )

    done = subprocess.run(
        ["sh", "-eu", "-c", script], capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout == f"{own_server.key} {own_server.url}\nleft:  \n"


def test_env_without_a_server_ever_started_says_what_to_do(tmp_path: Path) -> None:
    done = run("env", "--data", tmp_path / "data")

    assert done.returncode == 1
    assert done.stdout == ""
    assert f"no key in {tmp_path / 'data' / 'api-key'}; start 'ionbox serve' first" in done.stderr


# --- keys --------------------------------------------------------------------------------


def test_keys_are_made_listed_and_revoked_while_a_server_runs(own_server: LocalServer) -> None:
    key = output_of("keys", "create", "laptop", "--data", own_server.data).strip()
    assert opens(own_server, key)

    listed = output_of("keys", "list", "--data", own_server.data).splitlines()
    (line,) = [line for line in listed if line.endswith("laptop")]
    key_id, status, prefix, _ = line.split()
    assert (status, prefix) == ("valid", key[: len(prefix)])
    assert key not in "".join(listed)

    output_of("keys", "revoke", key_id, "--data", own_server.data)
    assert not opens(own_server, key)
    assert opens(own_server, own_server.key)
    assert "revoked" in output_of("keys", "list", "--data", own_server.data)


def test_keys_are_made_and_revoked_while_no_server_runs(tmp_path: Path) -> None:
    with LocalServer(data=tmp_path, workers=2):
        pass
    kept = output_of("keys", "create", "kept", "--data", tmp_path).strip()
    lost = output_of("keys", "create", "lost", "--data", tmp_path).strip()
    rows = [line.split() for line in output_of("keys", "list", "--data", tmp_path).splitlines()]
    ids = {row[-1]: row[0] for row in rows}
    output_of("keys", "revoke", ids["lost"], "--data", tmp_path)

    assert set(ids) == {"first", "kept", "lost"}
    with LocalServer(data=tmp_path, workers=2) as server:
        assert opens(server, kept)
        assert not opens(server, lost)


def test_keys_of_a_directory_that_no_server_used_are_not_made_up(tmp_path: Path) -> None:
    data = tmp_path / "mistyped"
    for command in (["list"], ["create", "x"], ["revoke", "x"]):
        line = refusal_of("keys", *command, "--data", data)
        assert line == f"Error: {data} holds nothing yet; 'ionbox serve' makes the first key"
    assert not data.exists()


def test_a_key_that_is_not_there_cannot_be_revoked(own_server: LocalServer, tmp_path: Path) -> None:
    with LocalServer(data=tmp_path, workers=2):
        pass
    for data in (own_server.data, tmp_path):
        line = refusal_of("keys", "revoke", "nobody", "--data", data)
        assert line == "Error: key 'nobody' not found"


# --- serve -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kernel_setting", "line"),
    [
        ("1", BANNER_WITH_KERNEL),
        (
            "0",
            r"  kernel   none \(the environment says IONBOX_KERNEL=0\); NumPy runs instead.*",
        ),
    ],
)
def test_the_banner_says_where_the_server_is_and_what_it_computes_with(
    tmp_path: Path, kernel_setting: str, line: str
) -> None:
    with subprocess.Popen(
        [*MODULE, "serve", "--port", "0", "--until-eof", "--workers", "2", "--data", tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"IONBOX_KERNEL": kernel_setting},
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().removesuffix("\n") for _ in range(6)]
        process.communicate()

    assert re.fullmatch(r"ionbox is ready at http://127\.0\.0\.1:\d+", lines[0])
    assert lines[2:4] == [f"  data     {tmp_path}", "  address  127.0.0.1"]
    assert re.fullmatch(line, lines[4])


def test_a_server_measures_the_machine_while_nothing_else_is_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))  # where macOS has its caches
    circuit = {"qubits": 4, "circuit": [{"gate": "h", "target": 0}] * 40}

    with LocalServer(workers=2, calibrate=True) as server:
        api = Api.of(server)
        before = plan_of(api, api.completed(circuit)["id"])["chosen"]["predicted_seconds"]
        (cached,) = until(lambda: list(tmp_path.rglob("calibration-*.json")), bool)
        predictions = until(
            lambda: plan_of(api, api.completed(circuit)["id"])["chosen"]["predicted_seconds"],
            lambda predicted: predicted != before,
        )
        measured_at = cached.stat().st_mtime_ns

    with LocalServer(workers=2, calibrate=True) as server:
        api = Api.of(server)
        again = plan_of(api, api.completed(circuit)["id"])["chosen"]["predicted_seconds"]

    assert again == predictions
    assert cached.stat().st_mtime_ns == measured_at


def test_a_port_in_use_is_refused_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        line = refusal_of("serve", "--port", port, "--data", tmp_path)

    assert line == (
        f"Error: cannot listen on 127.0.0.1 port {port}: Address already in use; "
        "--port 0 takes a free one"
    )


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (
            ["--auth", "none", "--host", "0.0.0.0"],  # noqa: S104 - it is refused
            "Error: auth: 'none' is for loopback addresses, not for 0.0.0.0",
        ),
        (["--workers", "1"], "Error: workers: 1 given; 2 or more are needed"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_one_line(
    tmp_path: Path, options: list[str], line: str
) -> None:
    assert refusal_of("serve", *options, "--data", tmp_path / "data") == line
    assert not (tmp_path / "data").exists()


def test_a_second_server_on_the_same_data_is_refused_in_one_line(own_server: LocalServer) -> None:
    line = refusal_of("serve", "--port", 0, "--data", own_server.data)

    assert line == (
        f"Error: the data directory {own_server.data} is in use by the server at "
        f"{own_server.url} (process {own_server.pid})"
    )


def test_without_authentication_every_key_is_accepted() -> None:
    with LocalServer(auth="none", workers=2) as server:
        nobody = Api(server.url, "anything", server.pid)
        answer = nobody.call("GET", "/v0.3/jobs", headers={"Authorization": None})

        assert answer.status_code == 200
        assert nobody.probabilities(BELL) == {"0": 0.5, "3": 0.5}


def test_a_host_that_is_allowed_is_served() -> None:
    with LocalServer(allow_host="quantum.example", workers=2) as server:
        headers = {"Host": "Quantum.Example:8000"}

        assert Api.of(server).call("GET", "/", headers=headers).status_code == 200


@pytest.mark.parametrize("name", ["IONBOX_API_KEY", "IONQ_API_KEY"])
def test_a_key_of_the_user_opens_the_server_and_is_written_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    key = "a-key-that-somebody-else-made"
    monkeypatch.setenv(name, key)

    with LocalServer(data=tmp_path, workers=2) as server:
        assert opens(server, key)
        assert not opens(server, f"{key}!")
        assert key in output_of("env", "--shell", "dotenv", "--data", tmp_path)
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        written = b"".join(path.read_bytes() for path in files)

    assert tmp_path / "ionbox.sqlite-wal" in files
    assert b"first" not in written
    assert key.encode() not in written
    assert not (tmp_path / "api-key").exists()


def test_the_data_is_for_its_owner_alone(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    previous = os.umask(0)
    try:
        with LocalServer(data=data, workers=2) as server:
            modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (data, *data.iterdir())}
            key = server.key
    finally:
        os.umask(previous)

    assert modes[data] == 0o700
    assert modes[data / "results"] == 0o700
    assert modes[data / "api-key"] == 0o600
    assert modes[data / "server.json"] == 0o600
    assert key.startswith("ionbox_")
    assert len(key) >= 40


def test_a_new_ionbox_api_key_is_taken_after_an_earlier_one_was_revoked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IONBOX_API_KEY", "leaked")
    with LocalServer(data=tmp_path, workers=2):
        listed = output_of("keys", "list", "--data", tmp_path)
        output_of("keys", "revoke", listed.split()[0], "--data", tmp_path)
    monkeypatch.setenv("IONBOX_API_KEY", "  rotated \r")

    with LocalServer(data=tmp_path, workers=2) as server:
        assert opens(server, "rotated")
        assert not opens(server, "leaked")


def test_a_local_server_takes_no_settings_from_around(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IONBOX_HOST", "0.0.0.0")  # noqa: S104 - must not be used
    monkeypatch.setenv("IONBOX_PORT", "1")

    with LocalServer(workers=2) as server:
        assert server.url.startswith("http://127.0.0.1:")


def test_a_file_in_the_current_directory_is_none_of_our_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("numpy", "queue", "random"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('mine')\n")
    monkeypatch.chdir(tmp_path)

    assert "{'0': 0.5, '3': 0.5}" in output_of("demo", program=SCRIPT)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--port", "99999"], "Error: port: 99999 is not within 0 to 65535"),
        (["--data", "/proc/ionbox"], "Error: cannot keep data in /proc/ionbox: "),
    ],
)
def test_a_setting_that_cannot_be_is_refused_in_one_line(options: list[str], line: str) -> None:
    assert refusal_of("serve", *options).startswith(line)

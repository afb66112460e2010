from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.acceptance.client import Api
from tests.builders import BELL

from ionbox import LocalServer
from ionbox.assembly import catalog
from ionbox.backends.noise import NOISE_MODELS

QIS = (
    "x, not, y, z, h, s, si, t, ti, v, vi, rx, ry, rz, cnot, swap, xx, yy, zz, pauliexp"
)  # fmt: skip
DEEP = b"[" * 100_000 + b"]" * 100_000
MEBIBYTE = 2**20


def with_gate(**gate: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"input": {"qubits": 2, "circuit": [gate]}}


def with_angle(text: bytes) -> bytes:
    return b'{"input":{"qubits":1,"circuit":[{"gate":"rx","target":0,"rotation":' + text + b"}]}}"


# Body of POST /v0.3/jobs → the key that is named, and the rest of the message.
BACKENDS = [backend.name for backend in catalog()]
REFUSED: dict[str, tuple[object, str, str]] = {
    "nothing": (b"", "body", "Input data was truncated"),
    "half of it": (b'{"input": ', "body", "Input data was truncated"),
    "not JSON": (b"hello", "body", "JSON is malformed: invalid character (byte 0)"),
    "a list": ([], "body", "Expected `object`, got `array`"),
    "a text": ("job", "body", "Expected `object`, got `str`"),
    "target a list": (
        {"target": ["simulator"], "input": BELL},
        "target",
        "Expected `str | null`, got `array`",
    ),
    "target unknown": (
        {"target": "qpu.surprise", "input": BELL},
        "target",
        f"'qpu.surprise' is not one of: {', '.join(BACKENDS)}",
    ),
    "shots a word": ({"shots": "many", "input": BELL}, "shots", "'many' is not an integer"),
    "shots infinite": ({"shots": "inf", "input": BELL}, "shots", "'inf' is not an integer"),
    "shots a fraction": ({"shots": 1.5, "input": BELL}, "shots", "'1.5' is not an integer"),
    "shots a truth": (
        {"shots": True, "input": BELL},
        "shots",
        "Expected `int | float | str | null`, got `bool`",
    ),
    "shots 0": ({"shots": 0, "input": BELL}, "shots", "0 is not within 1 to 1000000"),
    "shots 10**7": (
        {"shots": 10**7, "input": BELL},
        "shots",
        "10000000 is not within 1 to 1000000",
    ),
    "shots 1e999": (b'{"shots":1e999,"input":{}}', "shots", "Number out of range"),
    "name a number": ({"name": 3, "input": BELL}, "name", "Expected `str | null`, got `int`"),
    "name not UTF-8": (
        b'{"name":"\xff","input":{}}',
        "body",
        "JSON is malformed: a string is not UTF-8",
    ),
    "metadata a number": (
        {"metadata": {"a": 1}, "input": BELL},
        "metadata[...]",
        "Expected `str`, got `int`",
    ),
    "noise a name": (
        {"noise": "ideal", "input": BELL},
        "noise",
        "Expected `object | null`, got `str`",
    ),
    "seed negative": (
        {"noise": {"seed": -1}, "input": BELL},
        "noise.seed",
        "-1 is not within 0 to 2147483647",
    ),
    "no input": ({"target": "simulator"}, "input", "missing; it holds the circuit"),
    "input null": ({"input": None}, "input", "Expected `object`, got `null`"),
    "input a text": ({"input": "h q[0]"}, "input", "Expected `object`, got `str`"),
    "format unknown": (
        {"input": {**BELL, "format": "quipper"}},
        "format",
        "'quipper' is not one of: ionq.circuit.v0, qasm, openqasm, qir",
    ),
    "format a number": (
        {"input": {**BELL, "format": 3}},
        "format",
        "Expected `str | null`, got `int`",
    ),
    "noise model unknown": (
        {"noise": {"model": "surprise"}, "input": BELL},
        "noise.model",
        f"'surprise' is not one of: {', '.join(('ideal', *NOISE_MODELS))}",
    ),
    "registers a list": (
        {"registers": {"c": [0, "1"]}, "input": BELL},
        "registers.c",
        "a register is a list of qubits, or of null for a bit without one",
    ),
    "a register of a qubit that is not there": (
        {"registers": {"c": [0, 2]}, "input": BELL},
        "registers.c[1]",
        "qubit 2 of a 2-qubit circuit",
    ),
    "a register with the name of all qubits": (
        {"registers": {"output_all": [0]}, "input": BELL},
        "registers.output_all",
        "this name is kept for the register of all qubits",
    ),
    "settings too long": (
        {"settings": {"a": "b" * 5000}, "input": BELL},
        "settings",
        "more than 4096 bytes",
    ),
    "one circuit and many": (
        {"input": {"qubits": 2, "circuit": [], "circuits": [{"circuit": []}]}},
        "circuit",
        "given together with circuits",
    ),
    "no circuits at all": (
        {"input": {"qubits": 2, "circuits": []}},
        "circuits",
        "0 circuits; 1 to 5000 are allowed",
    ),
    "too many circuits": (
        {"input": {"qubits": 2, "circuits": [{"circuit": []}] * 5001}},
        "circuits",
        "5001 circuits; 1 to 5000 are allowed",
    ),
    "too many gates": (
        {"input": {"qubits": 2, "circuits": [{"circuit": [0] * 75_001}] * 2}},
        "circuits",
        "150002 gates in all; at most 150000 are allowed",
    ),
    "one bad circuit of many": (
        {"input": {"qubits": 2, "circuits": [{"circuit": []}, {"circuit": [{"gate": "x"}]}]}},
        "circuits[1].circuit[0].targets",
        "gate x acts on 1 target, not 0",
    ),
    "no circuit": ({"input": {"qubits": 2}}, "input", "Object missing required field `circuit`"),
    "circuit an object": (
        {"input": {"qubits": 2, "circuit": {}}},
        "circuit",
        "Expected `array`, got `object`",
    ),
    "gateset unknown": (
        {"input": {**BELL, "gateset": "clifford"}},
        "gateset",
        "unknown gateset 'clifford'; known: qis, native",
    ),
    "gate unknown": (
        with_gate(gate="frob", target=0),
        "circuit[0].gate",
        f"unknown gate 'frob'; qis knows {QIS}",
    ),
    "gate not UTF-8": (
        b'{"input":{"qubits":1,"circuit":[{"gate":"\xff","target":0}]}}',
        "input",
        "JSON is malformed: a string is not UTF-8",
    ),
    "gate of the other gateset": (
        with_gate(gate="gpi", target=0, phase=0),
        "circuit[0].gate",
        "gate gpi belongs to gateset native, this circuit to qis; gatesets are never mixed",
    ),
    "qubit out of range": (
        with_gate(gate="h", target=2),
        "circuit[0].target",
        "qubit 2 of a 2-qubit circuit",
    ),
    "qubit in a list out of range": (
        with_gate(gate="h", targets=[0, 7]),
        "circuit[0].targets[1]",
        "qubit 7 of a 2-qubit circuit",
    ),
    "qubit negative": (
        with_gate(gate="h", target=-1),
        "circuit[0].target",
        "qubit -1; qubits are counted from 0",
    ),
    "target equal to control": (
        with_gate(gate="cnot", control=1, target=1),
        "circuit[0].control",
        "qubit 1 is already a target of this gate",
    ),
    "no target": (
        with_gate(gate="h"),
        "circuit[0].targets",
        "gate h acts on 1 target, not 0",
    ),
    "no angle": (
        with_gate(gate="rx", target=0),
        "circuit[0].rotation",
        "gate rx needs rotation in radians",
    ),
    "angle NaN": (
        with_angle(b"NaN"),
        "body",
        "JSON is malformed: invalid character (byte 67)",
    ),
    "angle Infinity": (
        with_angle(b"Infinity"),
        "body",
        "JSON is malformed: invalid character (byte 67)",
    ),
    "angle 1e999": (with_angle(b"1e999"), "circuit[0].rotation", "Number out of range"),
    "angle a text": (
        with_angle(b'"pi"'),
        "circuit[0].rotation",
        "Expected `float | null`, got `str`",
    ),
    "0 qubits": (
        {"input": {"qubits": 0, "circuit": []}},
        "qubits",
        "0 qubits; a circuit has at least 1",
    ),
    "1e999 qubits": (
        b'{"input":{"qubits":1e999,"circuit":[]}}',
        "qubits",
        "Number out of range",
    ),
    "1e30 qubits": (
        {"input": {"qubits": 10**30, "circuit": []}},
        "qubits",
        f"{10**30} qubits; a circuit has at most 10000",
    ),
    "no qubits and no gates": (
        {"input": {"circuit": []}},
        "qubits",
        "needed for a circuit without gates",
    ),
    "deep body": (b'{"a":' + DEEP + b"}", "body", "JSON is nested too deeply"),
    "deep settings": (
        b'{"settings":{"a":' + DEEP + b'},"input":{}}',
        "body",
        "JSON is nested too deeply",
    ),
    "settings that could not be written back": (
        b'{"settings":{"a":' + b"[" * 40 + b"]" * 40 + b'},"input":{}}',
        "settings",
        "nested more than 32 deep",
    ),
    "deep input": (b'{"input":' + DEEP + b"}", "body", "JSON is nested too deeply"),
    "deep circuit": (b'{"input":{"circuit":' + DEEP + b"}}", "body", "JSON is nested too deeply"),
}


@pytest.fixture(scope="module")
def fresh_api() -> Iterator[Api]:
    with LocalServer(workers=2) as server:
        yield Api.of(server)


@pytest.mark.parametrize("what", REFUSED)
def test_a_bad_job_is_refused_with_the_place_and_what_is_allowed(api: Api, what: str) -> None:
    body, key, message = REFUSED[what]

    answer = api.call("POST", "/v0.3/jobs", body)

    assert answer.status_code == 400
    assert answer.json() == {
        "statusCode": 400,
        "error": "Bad Request",
        "message": f"{key}: {message}",
        "validation": {"keys": [key], "source": "payload"},
    }


def test_a_refused_job_leaves_nothing_and_harms_nothing(fresh_api: Api) -> None:
    bodies = [body for body, _, _ in REFUSED.values()]
    bodies += [b"[" * 11 * MEBIBYTE, b"\xff" * 1000]

    answers = [fresh_api.call("POST", "/v0.3/jobs", body) for body in bodies]

    assert {answer.status_code for answer in answers} == {400, 413}
    assert fresh_api.get("/v0.3/jobs") == {"jobs": []}
    assert fresh_api.probabilities(BELL) == {"0": 0.5, "3": 0.5}


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (b'{"shots":%s,"input":{}}', "shots"),
        (b'{"shots":"%s","input":{}}', "shots"),
        (b'{"noise":{"seed":%s},"input":{}}', "noise.seed"),
        (b'{"input":{"qubits":%s,"circuit":[]}}', "qubits"),
        (b'{"input":{"circuit":[{"gate":"h","target":%s}]}}', "circuit[0].target"),
    ],
)
def test_a_number_of_hundreds_of_digits_is_out_of_range(api: Api, body: bytes, key: str) -> None:
    answer = api.call("POST", "/v0.3/jobs", body % (b"9" * 400))

    assert answer.status_code == 400, answer.text
    assert answer.json()["validation"] == {"keys": [key], "source": "payload"}


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "x", "", "1.0", "1e3", "\u0663", "9" * 5000])
def test_a_limit_out_of_range_is_refused(api: Api, limit: str) -> None:
    answer = api.call("GET", "/v0.3/jobs", params={"limit": limit})

    assert answer.status_code == 400, answer.text
    assert answer.json()["validation"] == {"keys": ["limit"], "source": "query"}
    assert answer.json()["message"].endswith("is not an integer from 1 to 1000")


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("PUT", "/v0.3/jobs/status/cancel", {}, "body: Object missing required field `ids`"),
        ("PUT", "/v0.3/jobs/status/cancel", {"ids": "x"}, "ids: Expected `array`, got `str`"),
        ("PUT", "/v0.3/jobs/status/cancel", {"ids": [1]}, "ids[0]: Expected `str`, got `int`"),
        ("DELETE", "/v0.3/jobs", {"ids": [1]}, "ids[0]: Expected `str`, got `int`"),
        ("DELETE", "/v0.3/jobs", None, "ids: missing; send them in the body or in the query"),
    ],
)
def test_many_jobs_without_good_ids_are_refused(
    api: Api, method: str, path: str, body: object, message: str
) -> None:
    answer = api.call(method, path, body)

    assert (answer.status_code, answer.json()["message"]) == (400, message)


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_of_more_than_10_mebibytes_is_too_large(api: Api, is_chunked: bool) -> None:
    body = b" " * (10 * MEBIBYTE + 1)
    if is_chunked:
        answer = api.call("POST", "/v0.3/jobs", data=iter([body[:MEBIBYTE], body[MEBIBYTE:]]))
    else:
        answer = api.call("POST", "/v0.3/jobs", body)

    assert answer.json() == {
        "statusCode": 413,
        "error": "Request Entity Too Large",
        "message": "the request body is larger than 10485760 bytes",
    }
    assert api.call("POST", "/v0.3/jobs", body[:-1]).status_code == 400


@pytest.mark.parametrize(
    ("authorization", "problem"),
    [
        (None, "no key: send the header 'Authorization: apiKey <key>'"),
        ("", "no key: send the header 'Authorization: apiKey <key>'"),
        ("apiKey", "no key: send the header 'Authorization: apiKey <key>'"),
        (
            "Bearer {key}",
            "the scheme 'Bearer' is not 'apiKey': send the header 'Authorization: apiKey <key>'",
        ),
        ("{key} ", "no key: send the header 'Authorization: apiKey <key>'"),
        ("{key}", "no key: send the header 'Authorization: apiKey <key>'"),
        ("apiKey wrong", "invalid key"),
        ("apiKey {key}x", "invalid key"),
        ("apiKey \u00e9", "invalid key"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_without_a_key_the_answer_says_where_one_lies(
    server: LocalServer, method: str, authorization: str | None, problem: str
) -> None:
    api = Api.of(server)
    value = authorization and authorization.format(key=api.key).encode("latin-1")

    answer = api.call(method, "/v0.3/jobs", headers={"Authorization": value})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "apiKey"
    assert answer.json() == {
        "statusCode": 401,
        "error": "Unauthorized Error",
        "message": f"{problem}. This is ionbox at {server.url}, not IonQ's cloud; "
        f"its key lies in {server.data / 'api-key'} (see 'ionbox env').",
    }


def test_a_large_body_with_a_wrong_key_gets_its_answer(api: Api) -> None:
    stranger = Api(api.url, "wrong", api.pid)

    assert stranger.call("POST", "/v0.3/jobs", b" " * 20 * MEBIBYTE).status_code == 401


@pytest.mark.parametrize("scheme", ["apiKey", "apikey", "APIKEY"])
def test_the_scheme_of_the_key_is_read_in_any_case(api: Api, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {api.key}"}

    assert api.call("GET", "/v0.3/jobs", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        ("GET", "/v0.3/jobs/x", "job 'x' not found"),
        ("DELETE", "/v0.3/jobs/x", "job 'x' not found"),
        ("GET", "/v0.3/jobs/x/results", "job 'x' not found"),
        ("PUT", "/v0.3/jobs/x/status/cancel", "job 'x' not found"),
        ("GET", "/v0.3/surprise", None),
        ("GET", "/v0.3/jobs/", None),
        ("GET", "/jobs", None),
        ("POST", "/v9/jobs", None),
    ],
)
def test_what_is_not_there_is_not_found(
    api: Api, method: str, path: str, message: str | None
) -> None:
    hint = "no path ends with a slash" if path.endswith("/") else "there is no such path"
    where = "/v0.3/api-docs and /v0.4/api-docs list what is served"
    unknown = f"{method} {path}: Not Found; {hint}; {where}"

    answer = api.call(method, path)

    assert answer.json() == {
        "statusCode": 404,
        "error": "Not Found Error",
        "message": message or unknown,
    }


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "/v0.3/jobs", {"GET", "HEAD", "POST", "DELETE"}),
        ("POST", "/v0.3/jobs/x", {"GET", "HEAD", "DELETE"}),
        ("GET", "/v0.3/jobs/status/cancel", {"PUT"}),
        ("DELETE", "/v0.3/backends", {"GET", "HEAD"}),
    ],
)
def test_a_method_that_a_path_lacks_is_not_allowed(
    api: Api, method: str, path: str, allowed: set[str]
) -> None:
    answer = api.call(method, path)

    assert answer.json() == {
        "statusCode": 405,
        "error": "Method Not Allowed",
        "message": f"{method} {path}: Method Not Allowed",
    }
    assert set(answer.headers["allow"].split(", ")) == allowed


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        (
            {"Host": "ionbox.evil.example"},
            "host 'ionbox.evil.example' is not known here; allow it with --allow-host",
        ),
        ({"Host": "["}, "host '[' is not known here; allow it with --allow-host"),
        (
            {"Origin": "http://evil.example"},
            "requests from pages of 'http://evil.example' are not served",
        ),
        ({"Origin": "null"}, "requests from pages of 'null' are not served"),
        ({"Origin": "http://["}, "requests from pages of 'http://[' are not served"),
    ],
)
@pytest.mark.parametrize("path", ["/", "/v0.3/backends", "/v0.3/jobs", "/nowhere"])
def test_requests_of_foreign_pages_are_forbidden(
    api: Api, path: str, headers: dict[str, str], message: str
) -> None:
    answer = api.call("GET", path, headers=headers)

    assert answer.status_code == 403, answer.text
    assert answer.json() == {"statusCode": 403, "error": "Forbidden", "message": message}
    assert "access-control-allow-origin" not in answer.headers


def test_every_answer_has_a_number_of_its_own(api: Api) -> None:
    answers = [
        api.call("GET", "/"),
        api.call("GET", "/v0.3/jobs"),
        api.call("GET", "/v0.3/jobs"),
        api.call("POST", "/v0.3/jobs", b"bad"),
        api.call("GET", "/v0.3/jobs", headers={"Authorization": "none"}),
        api.call("GET", "/v0.3/jobs", headers={"Origin": "null"}),
        api.call("GET", "/nowhere"),
        api.call("PATCH", "/v0.3/jobs"),
        api.call("GET", api.completed(BELL)["results_url"]),
    ]

    assert {answer.status_code for answer in answers} == {200, 400, 401, 403, 404, 405}
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)


def test_an_error_is_json_whatever_the_client_accepts(api: Api) -> None:
    answer = api.call("GET", "/nowhere", headers={"Accept": "text/html"})

    assert answer.headers["content-type"] == "application/json"
    assert set(json.loads(answer.content)) == {"statusCode", "error", "message"}

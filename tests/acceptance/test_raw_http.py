"""What no library sends: every byte of it is answered rightly or not at all, and never with 500."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.acceptance.client import Api
from tests.acceptance.raw import connected, rest_of, said
from tests.builders import BELL

from ionbox import LocalServer

KIBIBYTE = 1024
JOB = json.dumps({"target": "simulator", "input": BELL}).encode()


def request(api: Api, line: str, *headers: str, body: bytes = b"") -> bytes:
    """Return a request of the caller's, with nothing in it but what is given and what must be."""
    key = f"Authorization: apiKey {api.key}"
    head = "\r\n".join([f"{line} HTTP/1.1", "Host: localhost", key, *headers, "", ""])
    return head.encode("latin-1") + body


def posted(api: Api, *headers: str, body: bytes = b"") -> bytes:
    return request(api, "POST /v0.3/jobs", *headers, body=body)


def sized(body: bytes) -> str:
    return f"Content-Length: {len(body)}"


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in [*chunks, b""])


# Headers of a POST, its body, and what is answered.
BROKEN: dict[str, tuple[list[str], bytes, str]] = {
    "a length and chunks": (
        ["Content-Length: 5", "Transfer-Encoding: chunked"],
        chunked(JOB),
        "Transfer-Encoding can't be present with Content-Length",
    ),
    "chunks and a length": (
        ["Transfer-Encoding: chunked", "Content-Length: 5"],
        chunked(JOB),
        "Content-Length can't be present with Transfer-Encoding",
    ),
    "two lengths": (["Content-Length: 2", "Content-Length: 3"], b"{}", "Duplicate Content-Length"),
    "a negative length": (["Content-Length: -2"], b"{}", "Invalid character in Content-Length"),
    "a length with a sign": (["Content-Length: +2"], b"{}", "Invalid character in Content-Length"),
    "a length of 30 digits": ([f"Content-Length: {'9' * 30}"], b"{}", "Content-Length overflow"),
    "an unknown coding": (["Transfer-Encoding: zip"], b"", "Request has invalid"),
    "a chunk without a size": (
        ["Transfer-Encoding: chunked"],
        b"zz\r\n{}\r\n",
        "Invalid character in chunk size",
    ),
    "a chunk longer than it says": (
        ["Transfer-Encoding: chunked"],
        b"1\r\n{}\r\n0\r\n\r\n",
        "Expected LF after chunk data",
    ),
    "a chunk without end": (["Transfer-Encoding: chunked"], b"f" * 17, "Chunk size overflow"),
    "NUL in a header": (["X: a\0b"], b"", "Invalid header value char"),
    "a control character in a header": (["X: a\x01b"], b"", "Invalid header value char"),
    "NUL in a header's name": (["X\0: a"], b"", "Invalid header token"),
    "a space before the colon": (["X : a"], b"", "Invalid header token"),
    "a header without a colon": (["X"], b"", "Invalid header token"),
    "a header of two lines": (["X: a", " b"], b"", "Unexpected whitespace after header value"),
}
# What is sent in place of a request, and what is answered.
STRANGE: dict[str, tuple[bytes, str]] = {
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "this is not HTTP/1.1"),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "this is not HTTP/1.1"),
    "SSH": (b"SSH-2.0-OpenSSH_9.6\r\n", "this is not HTTP/1.1"),
    "no method": (b"BREW / HTTP/1.1\r\n\r\n", "Invalid method encountered"),
    "a method without end": (b"A" * 100_000, "Invalid method encountered"),
    "NUL in the path": (b"GET /\0 HTTP/1.1\r\n\r\n", "Invalid char in url path"),
    "a path that is not ASCII": (b"GET /\xff HTTP/1.1\r\n\r\n", "Invalid char in url path"),
    "lines without CR": (b"GET / HTTP/1.1\nHost: localhost\n\n", "Expected CRLF after version"),
    "a proxy's method": (b"CONNECT a.example:443 HTTP/1.1\r\n\r\n", "target is not a path"),
    "a server without a path": (b"GET http://localhost HTTP/1.1\r\n\r\n", "target is not a path"),
}


@pytest.mark.parametrize("what", BROKEN)
@pytest.mark.parametrize("is_split", [False, True])
def test_a_broken_request_is_refused_and_the_connection_closed(
    api: Api, what: str, is_split: bool
) -> None:
    headers, body, message = BROKEN[what]
    pieces = [posted(api, *headers), body] if is_split else [posted(api, *headers, body=body)]

    (answer,) = said(api.url, *pieces, count=2)

    assert (answer.status, answer.headers["connection"]) == (400, "close")
    assert message in answer.message


@pytest.mark.parametrize("what", STRANGE)
def test_what_is_no_request_is_refused_and_the_connection_closed(api: Api, what: str) -> None:
    data, message = STRANGE[what]

    (answer,) = said(api.url, data, count=2)

    assert (answer.status, answer.headers["connection"]) == (400, "close")
    assert message in answer.message


@pytest.mark.parametrize(
    ("line", "headers", "status", "message"),
    [
        (f"GET /{'a' * 32 * KIBIBYTE}", [], 414, "longer than 32768 bytes"),
        (f"GET /{'a' * 5000 * KIBIBYTE}", [], 414, "longer than 32768 bytes"),
        ("GET /", [f"X: {'a' * 64 * KIBIBYTE}"], 431, "more than 65536 bytes"),
        ("GET /", [f"X: {'a' * 5000 * KIBIBYTE}"], 431, "more than 65536 bytes"),
        ("GET /", [f"X{'a' * 5000 * KIBIBYTE}: a"], 431, "more than 65536 bytes"),
        ("GET /", [f"X: {'a' * 1000}"] * 90, 431, "more than 65536 bytes"),
        ("GET /", ["X: a"] * 99, 431, "more than 100 headers"),
        ("GET /", ["X: a"] * 100_000, 431, "more than"),
    ],
    ids=range(8),
)
def test_a_head_over_the_limits_is_refused(
    api: Api, line: str, headers: list[str], status: int, message: str
) -> None:
    (answer,) = said(api.url, request(api, line, *headers), count=2)

    assert (answer.status, answer.headers["connection"]) == (status, "close")
    assert message in answer.message


def test_a_head_within_the_limits_is_read(api: Api) -> None:
    path = f"/{'a' * (32 * KIBIBYTE - 1)}"
    headers = [f"X: {'a' * 300}"] * 98

    (answer,) = said(api.url, request(api, f"GET {path}", *headers))

    assert answer.status == 404


@pytest.mark.parametrize("path", ["%00", "%0d%0aX:%20y", "%ff%fe", "%ed%a0%80", "%zz", "..%2f.."])
def test_a_path_of_any_bytes_leads_nowhere(api: Api, path: str) -> None:
    (answer,) = said(api.url, request(api, f"GET /v0.3/jobs/{path}?next={path}"))

    assert answer.status == 404
    assert "x" not in answer.headers


def test_chunks_are_put_together(api: Api) -> None:
    pieces = [posted(api, "Transfer-Encoding: chunked"), chunked(*(b"%c" % byte for byte in JOB))]

    (answer,) = said(api.url, *pieces)

    assert answer.status == 200


def test_http_1_0_is_spoken(api: Api) -> None:
    (answer,) = said(api.url, b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n", count=2)

    assert (answer.status, answer.headers["connection"]) == (200, "close")


def test_requests_at_once_are_answered_in_their_order(api: Api) -> None:
    paths = ["/v0.3/jobs", "/nowhere", "/v0.3/backends", "/"] * 5

    answers = said(api.url, b"".join(request(api, f"GET {path}") for path in paths), count=20)

    assert [answer.status for answer in answers] == [200, 404, 200, 200] * 5


def test_what_comes_before_a_broken_request_is_answered_first(api: Api) -> None:
    good, broken = request(api, "GET /"), posted(api, "Transfer-Encoding: chunked", body=b"zz")

    for bad in (b"rubbish\r\n\r\n", broken):
        answers = said(api.url, good * 3 + bad, count=5)
        assert [answer.status for answer in answers] == [200, 200, 200, 400]


def test_hundreds_of_requests_at_once_are_too_many(api: Api) -> None:
    answers = said(api.url, request(api, "GET /") * 500, count=500)

    assert [answer.status for answer in answers] == [200] * 101 + [429]


def test_a_body_that_waits_for_leave_gets_it(api: Api) -> None:
    head = posted(api, sized(JOB), "Expect: 100-continue")

    first, answer = said(api.url, head, JOB, count=2)

    assert (first.status, answer.status) == (100, 200)
    assert answer.headers["connection"] == "close"


def test_a_body_that_waits_for_leave_without_a_key_is_refused_unsent(api: Api) -> None:
    stranger = Api(api.url, "wrong", api.pid)

    (answer,) = said(api.url, posted(stranger, sized(JOB), "Expect: 100-continue"), count=2)

    assert (answer.status, answer.headers["connection"]) == (401, "close")


def test_who_would_rather_speak_something_else_is_answered_all_the_same(api: Api) -> None:
    wish = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
    together = posted(api, *wish, sized(JOB), body=JOB) + request(api, "GET /", *wish)

    for pieces in ([together], [posted(api, *wish, sized(JOB)), JOB + request(api, "GET /")]):
        assert [answer.status for answer in said(api.url, *pieces, count=2)] == [200, 200]


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, identity", "\xff"])
def test_a_compressed_body_is_refused_unread(api: Api, encoding: str) -> None:
    head = posted(api, "Content-Length: 1000000", f"Content-Encoding: {encoding}")

    (answer,) = said(api.url, head)

    assert (answer.status, answer.headers["accept-encoding"]) == (415, "identity")
    assert answer.message == (
        f"Content-Encoding '{encoding}' is not read here; send the body as it is"
    )


@pytest.mark.parametrize("encoding", ["identity", "Identity", ""])
def test_a_body_that_says_it_is_not_compressed_is_read(api: Api, encoding: str) -> None:
    (answer,) = said(api.url, posted(api, sized(JOB), f"Content-Encoding: {encoding}", body=JOB))

    assert answer.status == 200


@pytest.mark.parametrize(
    "header", ["Host: localhost", "Authorization: apiKey x", "Content-Encoding: identity"]
)
def test_a_header_that_is_one_may_not_be_two(api: Api, header: str) -> None:
    (answer,) = said(api.url, request(api, "GET /", header, header))

    name = header.partition(":")[0].lower()
    assert (answer.status, answer.message) == (400, f"header '{name}': given more than once")


def test_a_body_without_end_is_cut_off(api: Api) -> None:
    mebibyte = b"100000\r\n" + b" " * 2**20 + b"\r\n"
    sent = 0

    with connected(api.url) as connection:
        connection.sendall(posted(Api(api.url, "wrong", 0), "Transfer-Encoding: chunked"))
        try:
            for sent in range(200):  # noqa: B007 - how far it came
                connection.sendall(mebibyte)
        except OSError:
            pass

    assert 80 <= sent < 120


def test_a_client_that_leaves_in_the_middle_harms_nobody(api: Api) -> None:
    address = urlsplit(api.url)
    pieces = [b"", b"GET", request(api, "GET /")[:-2], posted(api, sized(JOB), body=JOB[:9])]

    for data in pieces * 10:
        with socket.create_connection((address.hostname, address.port)) as connection:
            connection.sendall(data)

    assert api.probabilities(BELL) == {"0": 0.5, "3": 0.5}


def test_nothing_of_it_is_worth_a_line_in_the_log(tmp_path: Path) -> None:
    with LocalServer(workers=2, data=tmp_path) as server:
        api = Api.of(server)
        before = Path(server._log.name).read_text()
        for headers, body, _ in BROKEN.values():
            said(api.url, posted(api, *headers, body=body), count=2)
        for data, _ in STRANGE.values():
            said(api.url, data, count=2)
        test_who_would_rather_speak_something_else_is_answered_all_the_same(api)
        test_a_client_that_leaves_in_the_middle_harms_nobody(api)

        assert Path(server._log.name).read_text() == before


def test_what_is_left_open_is_closed_by_the_client(api: Api) -> None:
    with connected(api.url) as connection:
        connection.sendall(request(api, "GET /"))
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
        connection.shutdown(socket.SHUT_WR)

        assert rest_of(connection).endswith(b"\n")

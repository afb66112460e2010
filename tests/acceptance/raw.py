"""A caller who writes bytes and no HTTP, or HTTP that no library would write."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Answer:
    """One answer of many on a connection."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def message(self) -> str:
        """The message of an error; every error has IonQ's body."""
        problem: dict[str, Any] = json.loads(self.body)
        assert problem["statusCode"] == self.status
        assert {"statusCode", "error", "message"} <= set(problem)
        return str(problem["message"])


@contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    """Open a connection for the length of a `with` block."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.settimeout(PATIENCE_SECONDS)
        yield connection


def said(url: str, *pieces: bytes, count: int = 1) -> list[Answer]:
    """Send pieces and return what is answered: so many answers, or until the server closes."""
    with connected(url) as connection:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.02 if len(pieces) > 1 else 0)
        return answers_of(connection, count=count)


def answers_of(connection: socket.socket, *, count: int = 1) -> list[Answer]:
    """Return so many answers, or those until the server closes."""
    received = b""
    while len(answers_in(received)) < count and (piece := received_by(connection)):
        received += piece
    return answers_in(received)


def received_by(connection: socket.socket) -> bytes:
    """Return what comes next; nothing once the server has closed."""
    try:
        return connection.recv(65536)
    except ConnectionResetError:
        return b""


def rest_of(connection: socket.socket) -> bytes:
    """Return all that comes until the server closes."""
    return b"".join(iter(lambda: received_by(connection), b""))


def answers_in(data: bytes) -> list[Answer]:
    """Return the whole answers that stand one after another; 100 Continue is one, too."""
    answers = []
    while b"\r\n\r\n" in data:
        head, _, data = data.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (row.partition(": ") for row in lines)}
        length = int(headers.get("content-length", "0"))
        if len(data) < length:
            break
        answers.append(Answer(int(line.split()[1]), headers, data[:length]))
        data = data[length:]
    return answers

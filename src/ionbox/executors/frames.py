"""How server and worker talk over a socket: a length, then as many bytes of MessagePack."""

from __future__ import annotations

import socket
import struct

_LENGTH = struct.Struct("<Q")


def send(connection: socket.socket, payload: bytes) -> None:
    """Send one frame."""
    connection.sendall(_LENGTH.pack(len(payload)) + payload)


def receive(connection: socket.socket) -> bytes:
    """Return the next frame.

    Raises:
        EOFError: If the other side is gone.
    """
    (length,) = _LENGTH.unpack(_receive_exactly(connection, _LENGTH.size))
    return bytes(_receive_exactly(connection, length))


def _receive_exactly(connection: socket.socket, length: int) -> bytearray:
    buffer = bytearray(length)
    rest = memoryview(buffer)
    while rest:
        count = connection.recv_into(rest)
        if not count:
            raise EOFError
        rest = rest[count:]
    return buffer

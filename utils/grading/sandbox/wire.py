"""Messages between the trusted side and a child: a JSON header and a body of bytes, both with a size cap.

Arrays travel as safetensors. Nothing that arrives is unpickled or evaluated, and no size is believed before it has
been compared with its cap.
"""

import json
import socket
import struct
import time

import numpy as np

LENGTHS = struct.Struct("!II")
HEADER_MOST = 1 << 20
REPLY_MOST = 32 << 20  # bytes of arrays that a child may send; outputs of exercises are far smaller


class WireError(Exception):
    """The other side sent something that is no message."""


def send(connection: socket.socket, header: dict, body: bytes = b""):
    """One message; blocks until it is handed over."""
    text = json.dumps(header).encode()
    connection.sendall(LENGTHS.pack(len(text), len(body)) + text)
    if body:
        connection.sendall(body)


def receive(connection: socket.socket, until: float | None = None, most: int = REPLY_MOST) -> tuple[dict, bytes]:
    """The next message: (header, body).

    until: the `time.monotonic()` at which to give up. Raises EOFError when the other side is gone, TimeoutError when
    it is late, WireError when what it sent is no message or larger than allowed.
    """
    sizes = LENGTHS.unpack(_exactly(connection, LENGTHS.size, until))
    if sizes[0] > HEADER_MOST or sizes[1] > most:
        raise WireError(f"a message of {sizes[0]} + {sizes[1]} bytes, more than is allowed")
    text, body = (_exactly(connection, size, until) for size in sizes)
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WireError("a message whose header is not JSON") from error
    if not isinstance(header, dict):
        raise WireError("a message whose header is not an object")
    return header, body


def _exactly(connection: socket.socket, size: int, until: float | None) -> bytes:
    found = bytearray()
    while len(found) < size:
        if until is not None:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            connection.settimeout(left)
        try:
            part = connection.recv(min(1 << 20, size - len(found)))
        except ConnectionError as error:
            raise EOFError from error
        if not part:
            raise EOFError
        found += part
    return bytes(found)


def pack(arrays: dict[str, np.ndarray]) -> bytes:
    """Arrays as the body of a message. Raises ValueError, with a sentence, for a dtype that cannot travel."""
    from safetensors import SafetensorError
    from safetensors.numpy import save

    try:
        return save({name: np.ascontiguousarray(a).reshape(a.shape) for name, a in arrays.items()})
    except (SafetensorError, KeyError, TypeError) as error:
        kinds = ", ".join(sorted({str(a.dtype) for a in arrays.values()}))
        raise ValueError(f"outputs of dtype {kinds} are not expected") from error


def unpack(body: bytes, order) -> dict[str, np.ndarray]:
    """The arrays in a body, in the order that the header tells (safetensors has its own). Raises WireError."""
    from safetensors.numpy import load

    try:
        found = load(body)
        return {name: found[name] for name in order if name in found} | found
    except Exception as error:  # damaged or hostile bytes, dtypes that numpy does not know
        raise WireError("a message whose arrays cannot be read") from error

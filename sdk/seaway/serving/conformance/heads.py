"""Bytes that are wrong before there is any JSON: heads, lengths, encodings. Each ends its own request, and no other."""

import contextlib
import gzip
import json
import re
import socket
from collections.abc import Iterator

from seaway.serving.conformance.check import Check, answered, require
from seaway.serving.conformance.target import Target

LARGE = 1 << 20  # bytes of a head
MANY = 5000  # lines of one
BOMB_BYTES, MEMBERS = 1 << 30, 64  # of a compressed body, once it is not
STATUS = re.compile(rb"HTTP/1\.[01] ([2-5]\d\d)")
NOT_TAKEN = (b"501", b"505")  # what is no fault of the server: a coding or a version that it does not have
OK, REFUSED, CLOSED = b"200", b"4", b""
READ = 1 << 16


def wrong_heads_are_refused_or_cut_off(target: Target) -> None:
    for what, sent in _wrong(target).items():
        status = _status(target, sent)
        taken = status in (CLOSED, *NOT_TAKEN) or status.startswith(REFUSED)
        require(taken, f"{what} is answered {status.decode()}")
        answered(target.infer(target.request()))


def what_may_be_read_in_two_ways_is_read_in_one(target: Target) -> None:
    """Either as the right request that it holds, or not at all."""
    for what, sent in _odd(target).items():
        status = _status(target, sent)
        known = status in (OK, CLOSED, *NOT_TAKEN) or status.startswith(REFUSED)
        require(known, f"{what} is answered {status.decode()}")
        answered(target.infer(target.request()))


def a_bad_request_in_a_pipeline_is_the_only_one_that_is_refused(target: Target) -> None:
    """Several requests at once on a connection: of a bad body the others know nothing, of a bad head those before."""
    right, last = _request(target), _request(target, b"connection: close")
    bad = _request(target, body=b"{")
    require(_statuses(target, right + bad + right + last) == [OK, b"400", OK, OK], "a bad body is not refused alone")
    begun = _statuses(target, right + b"NO HTTP\r\n\r\n" + last)
    require(begun[:1] == [OK] and OK not in begun[1:], f"around a bad head there is {begun}")


def _wrong(target: Target) -> dict[str, bytes]:
    body, post = _body(target), _line(target)
    length = f"content-length: {len(body)}".encode()
    return {
        "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(300) + b"\r\n\r\n",
        "a line of one word": b"POST\r\n\r\n",
        "another protocol": _bare(target, post.replace(b"HTTP/1.1", b"SMTP/1.1"), length) + body,
        "a later HTTP": _bare(target, post.replace(b"HTTP/1.1", b"HTTP/9.1"), length) + body,
        "a path with a NUL": _bare(target, post.replace(b"/infer", b"/infer\0"), length) + body,
        "a path of bytes": _bare(target, post.replace(b"/infer", b"/\xff\xfe"), length) + body,
        "a path that climbs": _bare(target, post.replace(b"/infer", b"/../../../etc/passwd"), length) + body,
        "a header without a colon": _bare(target, post, b"nonsense", length) + body,
        "a header with a NUL": _bare(target, post, b"x-a: b\0c", length) + body,
        "a name with a blank": _bare(target, post, b"content-length : 3", length) + body,
        "two lengths": _bare(target, post, length, b"content-length: 3") + body,
        "a list of lengths": _bare(target, post, length + b", 3") + body,
        "a negative length": _bare(target, post, b"content-length: -1") + body,
        "a signed length": _bare(target, post, length.replace(b": ", b": +")) + body,
        "a hexadecimal length": _bare(target, post, b"content-length: 0x10") + body,
        "a length beyond numbers": _bare(target, post, b"content-length: " + b"9" * 30) + body,
        "a chunk of words": _chunked(target, b"zz\r\nab\r\n0\r\n\r\n"),
        "a chunk beyond numbers": _chunked(target, b"f" * 30 + b"\r\n" + body),
        "a chunk longer than it says": _chunked(target, b"2\r\n" + body + b"\r\n0\r\n\r\n"),
        "an unknown coding": _bare(target, post, b"transfer-encoding: morse") + body,
        "a large header": _bare(target, post, b"x-a: " + b"a" * LARGE, length) + body,
        "many headers": _bare(target, post, *[b"x-%d: a" % number for number in range(MANY)], length) + body,
        "a compressed bomb": _request(target, b"content-encoding: gzip", body=_bomb()),
        "a body that is said to be compressed": _request(target, b"content-encoding: gzip", body=b"\x1f\x8b" + body),
    }


def _odd(target: Target) -> dict[str, bytes]:
    body, post = _body(target), _line(target)
    chunk = b"%x\r\n%s\r\n" % (len(body), body)
    length = f"content-length: {len(body)}".encode()
    return {
        "a body in chunks": _chunked(target, chunk + b"0\r\n\r\n"),
        "a chunk with an extension": _chunked(target, chunk.replace(b"\r\n", b";a=b\r\n", 1) + b"0\r\n\r\n"),
        "trailers": _chunked(target, chunk + b"0\r\nx-a: b\r\n\r\n"),
        "trailers that are a head's": _chunked(target, chunk + b"0\r\ncontent-length: 3\r\nauthorization: a\r\n\r\n"),
        "a length and chunks": _chunked(target, chunk + b"0\r\n\r\n", b"content-length: 3"),
        "the same length twice": _bare(target, post, length, length) + body,
        "a folded header": _bare(target, post, b"x-a: b\r\n c", length) + body,
        "an older HTTP": _bare(target, post.replace(b"HTTP/1.1", b"HTTP/1.0"), length) + body,
        "a coding that is none": _request(target, b"content-encoding: identity"),
        "an unknown content coding": _request(target, b"content-encoding: morse"),
        "a compressed body": _request(target, b"content-encoding: gzip", body=gzip.compress(body)),
        "another content type": _request(target, b"content-type: multipart/form-data; boundary=x"),
        "an expectation": _request(target, b"expect: 100-continue"),
        "an upgrade": _request(target, b"connection: upgrade", b"upgrade: websocket"),
    }


def _body(target: Target) -> bytes:
    return json.dumps(target.request()).encode()


def _line(target: Target) -> bytes:
    return f"POST {target.address.path}{target.infer_path} HTTP/1.1".encode()


def _bare(target: Target, line: bytes, *lines: bytes) -> bytes:
    """A head, with what tells the server who asks."""
    told = {"host": f"{target.address.host}:{target.address.port}", **target.headers}
    return b"\r\n".join([line, *(f"{name}: {value}".encode() for name, value in told.items()), *lines, b"", b""])


def _request(target: Target, *lines: bytes, body: bytes | None = None) -> bytes:
    content = _body(target) if body is None else body
    return _bare(target, _line(target), b"content-length: %d" % len(content), *lines) + content


def _chunked(target: Target, content: bytes, *lines: bytes) -> bytes:
    return _bare(target, _line(target), *lines, b"transfer-encoding: chunked") + content


def _bomb() -> bytes:
    """Members of gzip one after another, which are read as one."""
    return gzip.compress(bytes(BOMB_BYTES // MEMBERS)) * MEMBERS


def _status(target: Target, sent: bytes) -> bytes:
    """Of the answer, as its head has it; empty where the connection is closed without one."""
    return next(iter(_statuses(target, sent, most=1)), CLOSED)


def _statuses(target: Target, sent: bytes, most: int = 4) -> list[bytes]:
    """Of the answers on one connection, until there are so many or it is closed. Raises: OSError: neither in time."""
    told = b""
    with target.open() as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused before its end
            connection.sendall(sent)
        for part in _parts(connection):
            told += part
            if len(STATUS.findall(told)) >= most:
                break
    return STATUS.findall(told)


def _parts(connection: socket.socket) -> Iterator[bytes]:
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(READ):
            yield part


CHECKS: tuple[Check, ...] = (
    wrong_heads_are_refused_or_cut_off,
    what_may_be_read_in_two_ways_is_read_in_one,
    a_bad_request_in_a_pipeline_is_the_only_one_that_is_refused,
)

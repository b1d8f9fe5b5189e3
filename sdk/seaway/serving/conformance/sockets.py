"""Callers that are slow, leave, or are many: none of them costs another its answer."""

import asyncio
import contextlib
import socket
from concurrent.futures import ThreadPoolExecutor

from seaway.serving.clients.address import Address
from seaway.serving.conformance.check import Check, answered, require
from seaway.serving.conformance.target import Target

TAIL = 20  # bytes of a request that are held back
STATUS = b"HTTP/1.1 200"
BESIDE = 20  # requests meanwhile


def a_slow_caller_holds_up_nobody(target: Target) -> None:
    request = target.bare()
    with target.open() as slow:
        slow.sendall(request[:-TAIL])
        for _ in range(BESIDE):
            answered(target.infer(target.request()))
        slow.sendall(request[-TAIL:])
        begin = slow.makefile("rb").read(len(STATUS))
        require(begin == STATUS, f"a slow request is answered {begin!r}")


def who_leaves_in_the_middle_costs_nobody_an_answer(target: Target) -> None:
    request = target.bare()
    for cut in (1, len(request) // 2, len(request) - 1, len(request)):
        with target.open() as one:
            one.sendall(request[:cut])
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_WR)
        answered(target.infer(target.request()))


def many_connections_at_once_are_answered(target: Target) -> None:
    address, request = Address.of(target.url), target.bare()
    trusted = target.trust.context() if address.tls else None

    async def one() -> bytes:
        reader, writer = await asyncio.open_connection(address.host, address.port, ssl=trusted)
        writer.write(request)
        begin = await reader.readexactly(len(STATUS))
        writer.close()
        return begin

    async def every() -> set[bytes]:
        async with asyncio.timeout(10 * target.timeout_s):
            return set(await asyncio.gather(*(one() for _ in range(target.connections))))

    with ThreadPoolExecutor(1) as pool:  # whoever asks may have a loop of its own
        found = pool.submit(lambda: asyncio.run(every())).result()
    require(found == {STATUS}, f"of {target.connections} connections some are answered {found - {STATUS}}")


CHECKS: tuple[Check, ...] = (
    a_slow_caller_holds_up_nobody,
    who_leaves_in_the_middle_costs_nobody_an_answer,
    many_connections_at_once_are_answered,
)

"""A proxy before a model server that misbehaves as it is told: `python -m seaway.model_server.fault_proxy SETTINGS`.

Envoy in front of it sees what it would see of a server that fails, is slow, hangs up or answers wrong. SETTINGS is
JSON: the socket to listen on (`front`), the server's (`behind`), and `faults` as `seaway.model_server.faults` has them.
"""

import asyncio
import json
import random
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import ClientSession, UnixConnector, web

LARGEST = 1 << 30  # bytes of a request; the server behind has the say
OF_THE_HOP = frozenset(("connection", "content-length", "keep-alive", "transfer-encoding"))
CONCERNED = "/infer"  # how the paths end that faults concern: all else, such as readiness, is passed on


class Proxy:
    """Passes requests on to the server by `session`, but for what the faults do to them."""

    def __init__(self, session: ClientSession, faults: Sequence[Mapping[str, Any]]) -> None:
        self._session, self._faults = session, faults
        self._random = random.Random(0)  # noqa: S311  # a rehearsal is to be the same again
        self._before: bytes | None = None

    async def handle(self, request: web.Request) -> web.Response:
        """One request, whole."""
        body = await request.read()
        drawn = {fault["kind"]: fault for fault in self._faults if self._random.random() < fault["share"]}
        if not request.path.endswith(CONCERNED):
            drawn = {}
        if "latency" in drawn:
            await asyncio.sleep(drawn["latency"]["delay_ms"] / 1000)
        if "drops" in drawn and request.transport:
            request.transport.abort()
        if "errors" in drawn:
            return web.json_response({"error": "a fault that was asked for"}, status=500)
        return await self._answer(request, body, mixed_up="answers" in drawn)

    async def _answer(self, request: web.Request, body: bytes, mixed_up: bool) -> web.Response:
        address, headers = f"http://server{request.path_qs}", _kept(request.headers)
        async with self._session.request(request.method, address, headers=headers, data=body) as given:
            content = await given.read()
        answer, self._before = (self._before or content) if mixed_up else content, content
        return web.Response(status=given.status, headers=_kept(given.headers), body=answer)


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in OF_THE_HOP}


async def serve(front: str, behind: str, faults: Sequence[Mapping[str, Any]]) -> None:
    """Until the process is ended."""
    async with ClientSession(connector=UnixConnector(behind, limit=0), auto_decompress=False) as session:
        served = web.Application(client_max_size=LARGEST)
        served.router.add_route("*", "/{path:.*}", Proxy(session, faults).handle)
        runner = web.AppRunner(served, access_log=None)
        await runner.setup()
        await web.UnixSite(runner, front).start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(**json.loads(sys.argv[1])))

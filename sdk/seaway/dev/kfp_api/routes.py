"""Which path of KFP's API is which call."""

import email.policy
import json
from collections.abc import Awaitable, Callable
from email import message_from_bytes
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from seaway.dev.kfp_api.calls import Calls
from seaway.dev.kfp_api.refusal import INVALID_ARGUMENT, NOT_FOUND, Refusal
from seaway.dev.kfp_api.store import Store
from seaway.platforms.home import home

API = "/apis/v2beta1"
MOST_BYTES = 32 << 20  # as KFP has it
View = Callable[[Request], Awaitable[Response]]


def routes() -> list[Route]:
    """All of the API; what it does not have is answered in its words."""
    calls = Calls(Store(home() / "dev" / "kfp"))
    later = calls.not_here("There is no scheduler on a laptop.")
    return [
        *_of("/healthz", GET=_query(calls.health)),
        *_of("/pipelines/upload", POST=_file(calls.upload_pipeline)),
        *_of("/pipelines/upload_version", POST=_file(calls.upload_version)),
        *_of("/pipelines", GET=_query(calls.list_pipelines), POST=_body(calls.create_pipeline)),
        *_of("/pipelines/names/{name}", GET=_path(calls.pipeline_by_name)),
        *_of("/pipelines/{pipeline_id}", GET=_path(calls.get_pipeline), DELETE=_path(calls.delete_pipeline)),
        *_of("/pipelines/{pipeline_id}/versions", GET=_path_and_query(calls.list_versions)),
        *_of(
            "/pipelines/{pipeline_id}/versions/{pipeline_version_id}",
            GET=_path(calls.get_version), DELETE=_path(calls.delete_version),
        ),
        *_of("/experiments", GET=_query(calls.list_experiments), POST=_body(calls.create_experiment)),
        *_of("/experiments/{experiment_id}:archive", POST=_path(calls.archive_experiment, "ARCHIVED")),
        *_of("/experiments/{experiment_id}:unarchive", POST=_path(calls.archive_experiment, "AVAILABLE")),
        *_of("/experiments/{experiment_id}", GET=_path(calls.get_experiment), DELETE=_path(calls.delete_experiment)),
        *_of("/runs", GET=_query(calls.list_runs), POST=_body(calls.create_run)),
        *_of("/runs/{run_id}:terminate", POST=_path(calls.terminate_run)),
        *_of("/runs/{run_id}:archive", POST=_path(calls.archive_run, "ARCHIVED")),
        *_of("/runs/{run_id}:unarchive", POST=_path(calls.archive_run, "AVAILABLE")),
        *_of("/runs/{run_id}:retry", POST=_path(calls.not_here("A local run is begun anew, not retried."))),
        *_of("/runs/{run_id}", GET=_path(calls.get_run), DELETE=_path(calls.delete_run)),
        *_of("/recurringruns", GET=_query(calls.no_recurring_runs), POST=_body(later)),
        Route("/apis/{rest:path}", _told(_unknown), methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
    ]  # fmt: skip


def _of(path: str, **views: View) -> list[Route]:
    return [Route(f"{API}{path}", view, methods=[method]) for method, view in views.items()]


async def _unknown(request: Request) -> Any:
    raise Refusal(NOT_FOUND, f"{request.method} {request.url.path} is no call that this server answers.")


def _told(call: Callable[[Request], Awaitable[Any]]) -> View:
    """The answer of a call as JSON, a refusal too."""

    async def view(request: Request) -> Response:
        try:
            return JSONResponse(await call(request))
        except Refusal as refusal:
            return refusal.response()

    return view


def _query(call: Callable[..., Any]) -> View:
    return _told(lambda request: run_in_threadpool(call, dict(request.query_params)))


def _path(call: Callable[..., Any], *more: str) -> View:
    return _told(lambda request: run_in_threadpool(call, *request.path_params.values(), *more))


def _path_and_query(call: Callable[..., Any]) -> View:
    return _told(lambda request: run_in_threadpool(call, *request.path_params.values(), dict(request.query_params)))


def _body(call: Callable[..., Any]) -> View:
    async def read(request: Request) -> Any:
        return await run_in_threadpool(call, _document(await _content(request)))

    return _told(read)


def _file(call: Callable[..., Any]) -> View:
    async def read(request: Request) -> Any:
        text = _uploaded(request.headers.get("content-type", ""), await _content(request))
        return await run_in_threadpool(call, dict(request.query_params), text)

    return _told(read)


async def _content(request: Request) -> bytes:
    found = b""
    async for chunk in request.stream():
        found += chunk
        if len(found) > MOST_BYTES:
            raise Refusal(INVALID_ARGUMENT, f"The request has more than {MOST_BYTES:,} bytes.")
    return found


def _document(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError as error:
        raise Refusal(INVALID_ARGUMENT, f"The request is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise Refusal(INVALID_ARGUMENT, "The request is no JSON object.")
    return found


def _uploaded(kind: str, content: bytes) -> str:
    """The file of a multipart form, as the client's upload sends it."""
    message = message_from_bytes(f"content-type: {kind}\r\n\r\n".encode() + content, policy=email.policy.HTTP)
    for part in message.iter_parts() if message.is_multipart() else ():
        payload = part.get_payload(decode=True)
        if part.get_param("name", header="content-disposition") == "uploadfile" and isinstance(payload, bytes):
            try:
                return payload.decode()
            except UnicodeDecodeError as error:
                raise Refusal(INVALID_ARGUMENT, "The file is no text; upload the YAML, not an archive.") from error
    raise Refusal(INVALID_ARGUMENT, "The request brings no file: its form has no part uploadfile.")

"""The pages of endpoints: what serves, a form to ask it, and its rollout as it goes."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from seaway import platforms
from seaway.dev import forms
from seaway.dev.live import Watched, changes, stream
from seaway.dev.pages import moment, page, part
from seaway.errors import DataUnreadable, InvalidSpec, SeawayError
from seaway.models.signature import Signature, TensorSpec
from seaway.reporting.page import Block, Cell, Table
from seaway.reporting.rollout_section import decision_badge, rollout_blocks, rollout_so_far
from seaway.rollout.history import History
from seaway.rollout.state import RolloutStore
from seaway.rollout.traffic import Traffic
from seaway.serving import Client, DeployedEndpoint, Endpoint
from seaway.serving.clients.values import plain_answer

Document = Mapping[str, Any]


def endpoint_list(request: Request) -> Response:
    """All endpoints of this place, the latest first."""
    found = sorted(platforms.current(Endpoint).list(), key=lambda one: one.deployed, reverse=True)
    return page(request, "endpoints.html", title="Endpoints", endpoints=found)


def endpoint_page(request: Request) -> Response:
    """One endpoint: its arms, its rollout as it goes, and a form to ask it."""
    return _page(request, endpoint_of(request))


async def ask(request: Request) -> Response:
    """Ask an endpoint what the form says, and show the answer."""
    given = await forms.read(request)
    return await run_in_threadpool(_ask, request, given)


def live_rollout(request: Request) -> StreamingResponse:
    """The rollout of an endpoint, anew after each look, until it is decided."""
    endpoint, store = endpoint_of(request), platforms.current(RolloutStore)

    def looks() -> tuple[int, str]:
        kept = store.read(endpoint) or {"ticks": [], "decision": ""}
        return len(kept["ticks"]), kept["decision"] or ""

    return stream(changes(Watched(looks, lambda: _rollout_part(endpoint), lambda: bool(looks()[1]))))


def endpoint_of(request: Request) -> DeployedEndpoint:
    """The endpoint that a path names. Raises: HTTPException: there is none."""
    name, run = request.path_params["name"], request.path_params["run"]
    for endpoint in platforms.current(Endpoint).list():
        if (endpoint.name, endpoint.run) == (name, run):
            return endpoint
    raise HTTPException(404, f"There is no endpoint {name} of run {run}: it was ended, or never was.")


def _page(request: Request, endpoint: DeployedEndpoint, given: Document | None = None, **told: Any) -> Response:
    signature = _signature(endpoint)
    values = {
        "endpoint": endpoint,
        "weights": _weights(endpoint),
        "fields": _fields(signature, given or {}) if signature else [],
        "rollout": _rollout_part(endpoint),
        "stream": f"/live/endpoints/{endpoint.name}/{endpoint.run}",
        "earlier": _earlier(endpoint.name),
        **{"answer": None, "arm": "", "problem": "", **told},
    }
    return page(request, "endpoint.html", title=endpoint.name, **values)


def _signature(endpoint: DeployedEndpoint) -> Signature | None:
    """Of the first arm whose package is on this machine."""
    for arm in endpoint.arms.values():
        try:
            return Signature.read(Path(arm.package))
        except (SeawayError, OSError):
            continue
    return None


def _weights(endpoint: DeployedEndpoint) -> Mapping[str, int]:
    try:
        return platforms.current(Traffic).weights(endpoint)
    except SeawayError:
        return {}


def _fields(signature: Signature, given: Document) -> list[forms.Field]:
    """One an input, with the first value of the sample."""
    return [_field(spec, signature, given) for spec in signature.inputs]


def _field(spec: TensorSpec, signature: Signature, given: Document) -> forms.Field:
    sample = signature.sample.get(spec.name) or [None]
    first = plain_answer(sample[0])
    text = first if isinstance(first, str) else json.dumps(first)
    kind = " x ".join([spec.datatype, *map(str, spec.shape[1:])])
    told = "base64 of the file" if spec.preprocessing.get("kind") == "image" else spec.unit
    return forms.Field(spec.name, kind, given.get(f"i.{spec.name}", text), required=True, help=told)


def _ask(request: Request, given: Mapping[str, str]) -> Response:
    endpoint = endpoint_of(request)
    try:
        arm, answer = _answer(endpoint, given)
    except SeawayError as error:
        return _page(request, endpoint, given, problem=str(error))
    return _page(request, endpoint, given, answer=answer, arm=arm)


def _answer(endpoint: DeployedEndpoint, given: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """The arm that answered, and its outputs."""
    token = platforms.current(Endpoint).with_token(endpoint).token()
    asked = {name.removeprefix("i."): text for name, text in given.items() if name.startswith("i.")}
    with Client(endpoint.url, token, host=endpoint.host) as client:
        binary = client.binary(endpoint.name)
        columns = {name: [_value(text, name in binary)] for name, text in asked.items()}
        outputs = client.infer(endpoint.name, columns, given.get("arm") or None)
        return client.arm or "", {name: plain_answer(array.tolist()) for name, array in outputs.items()}


def _value(text: str, binary: bool) -> Any:
    """What was written: bytes where the input takes them, else JSON, and a text that is none as it is."""
    try:
        return base64.b64decode(text, validate=True) if binary else json.loads(text)
    except ValueError as error:
        if binary:
            raise InvalidSpec(f"{text[:80]!r} is no base64: {error}.") from error
        return text


def _rollout_part(endpoint: DeployedEndpoint) -> str:
    kept = platforms.current(RolloutStore).read(endpoint)
    if not kept:
        return part("rollout.html", blocks=(), decision=None, told="")
    shown = {**kept, "decision": kept["decision"] or ""}
    blocks = rollout_blocks(shown) if kept["decision"] else rollout_so_far(shown)
    decision = decision_badge(shown) if kept["decision"] else None
    weight = kept["ticks"][-1]["weights"]["candidate"] if kept["ticks"] else 0
    told = f"Candidate at {weight} percent after {len(kept['ticks'])} looks. {decision.text if decision else ''}"
    return part("rollout.html", blocks=blocks, decision=decision, told=told)


def _earlier(name: str) -> Block | None:
    """How the rollouts of all endpoints of that name ended."""
    try:
        past = History.of(platforms.current(RolloutStore).history(name)).rollouts
    except (DataUnreadable, KeyError, TypeError):
        return None
    rows: list[list[Cell]] = [
        [moment(one.ended), decision_badge({"decision": one.decision}), one.usual.requests] for one in past[::-1]
    ]
    return Table(["ended", "decision", "stable's requests"], rows) if rows else None

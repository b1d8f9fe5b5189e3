"""What a run asks people, on its page, and the decision."""

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from seaway import platforms
from seaway.approvals import Approvals, Question
from seaway.dev import forms

WORDS = {"approve": True, "refuse": False}


def asked(run: str) -> list[Question]:
    """What the run waits for."""
    return platforms.current(Approvals).pending(run)


async def decide(request: Request) -> Response:
    """Approve or refuse what a run asks, and show the run.

    Raises:
        HTTPException: it asks nothing such, or the form says neither.
        SeawayError: somebody else has decided meanwhile, or this one may not.
    """
    form = await forms.read(request)
    return await run_in_threadpool(_decided, request.path_params, form)


def _decided(named: dict[str, Any], form: dict[str, str]) -> Response:
    run, gate = named["run"], named["gate"]
    question = next((one for one in asked(run) if one.gate == gate), None)
    if question is None:
        raise HTTPException(404, f"Run {run} asks nothing at gate {gate} that is not decided.")
    if form.get("decision") not in WORDS:
        raise HTTPException(400, f"A decision is {' or '.join(WORDS)}.")
    platforms.current(Approvals).decide(question, approved=WORDS[form["decision"]], why=form.get("why", "").strip())
    return RedirectResponse(f"/runs/{run}", 303)

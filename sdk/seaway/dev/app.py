"""The ASGI application: which path shows what."""

from collections.abc import Awaitable, Callable
from importlib import import_module
from inspect import iscoroutinefunction
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from seaway.dev import approval_views, forms, notebook_views, run_views
from seaway.dev.access import Access, Guard
from seaway.dev.kfp_api.routes import routes as kfp_api
from seaway.dev.pages import page
from seaway.dev.uis.children import Children
from seaway.dev.uis.proxy import ByHost
from seaway.dev.uis.views import routes as uis
from seaway.errors import SeawayError
from seaway.reporting.page import style

HTTP_PORT = 80
HERE = Path(__file__).parent


def application(access: Access, children: Children) -> Starlette:
    """All pages, behind the guard; `children` are the programs that have pages of their own."""

    def open_once(request: Request) -> Response:
        if access.redeem(request.query_params.get("ticket", "")):
            return access.admit(RedirectResponse("/", 303), request.url.port or HTTP_PORT)
        return _sign_in(request, 403, "That link was opened before, or is too old.")

    async def sign_in(request: Request) -> Response:
        if access.is_token((await forms.read(request)).get("token", "")):
            return access.admit(RedirectResponse("/", 303), request.url.port or HTTP_PORT)
        return await run_in_threadpool(_sign_in, request, 403, "That is not the token.")

    def _sign_in(request: Request, status: int = 401, problem: str = "") -> Response:
        return page(request, "sign_in.html", status, title="Sign in", file=access.file, problem=problem)

    routes = [
        Route("/open", open_once),
        Route("/sign-in", _sign_in),
        Route("/sign-in", sign_in, methods=["POST"]),
        Route("/static/style.css", _style),
        Route("/static/live.js", _script),
        *RUNS,
        *_served(),
        *uis(access, children),
        *kfp_api(),
    ]
    handlers = {HTTPException: _refused, SeawayError: _failed}
    layers = [Middleware(ByHost, access=access, children=children), Middleware(Guard, access=access)]
    return Starlette(routes=routes, middleware=layers, exception_handlers=handlers)


RUNS = [
    Route("/", run_views.run_list),
    Route("/live/runs", run_views.live_run_list),
    Route("/live/runs/{run}", run_views.live_run),
    Route("/live/runs/{run}/steps/{number:int}", run_views.live_log),
    Route("/runs/{run}", run_views.run_page),
    Route("/runs/{run}/report", run_views.report),
    Route("/runs/{run}/again", run_views.again_page),
    Route("/runs/{run}/end", run_views.end, methods=["POST"]),
    Route("/runs/{run}/approvals/{gate}", approval_views.decide, methods=["POST"]),
    Route("/runs/{run}/steps/{number:int}", run_views.step_page),
    Route("/runs/{run}/steps/{number:int}/outputs/{name}", run_views.output_page),
    Route("/runs/{run}/steps/{number:int}/files/{name}/{path:path}", run_views.output_file),
    Route("/compare", run_views.comparison),
    Route("/pipelines", run_views.pipeline_list),
    Route("/project", run_views.project_page),
    Route("/pipelines/{name}", run_views.pipeline_page),
    Route("/notebooks", notebook_views.notebook_list),
    Route("/notebooks/{path:path}", notebook_views.notebook_page),
    Route("/notebook-frame/{path:path}", notebook_views.notebook_frame),
    Route("/start", run_views.begin, methods=["POST"]),
]


def _served() -> list[Route]:
    """What needs the libraries of rollouts and charts, which the first look at runs does not wait for."""

    def later(module: str, name: str) -> Callable[[Request], Awaitable[Response]]:
        async def view(request: Request) -> Response:
            found = getattr(await run_in_threadpool(import_module, module), name)
            return await (found(request) if iscoroutinefunction(found) else run_in_threadpool(found, request))

        return view

    endpoints, drift = "seaway.dev.endpoint_views", "seaway.dev.drift_views"
    return [
        Route("/endpoints", later(endpoints, "endpoint_list")),
        Route("/endpoints/{name}/{run}", later(endpoints, "endpoint_page")),
        Route("/endpoints/{name}/{run}", later(endpoints, "ask"), methods=["POST"]),
        Route("/live/endpoints/{name}/{run}", later(endpoints, "live_rollout")),
        Route("/drift", later(drift, "drift_page")),
    ]


def _style(_request: Request) -> Response:
    own = (HERE / "static" / "style.css").read_text(encoding="utf-8")
    return Response(style() + own, media_type="text/css")


def _script(_request: Request) -> Response:
    return FileResponse(HERE / "static" / "live.js", media_type="text/javascript")


def _refused(request: Request, error: Exception) -> Response:
    """A page that says what is not there."""
    status, told = (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, "")
    return page(request, "problem.html", status, title=f"Error {status}", problem=told)


def _failed(request: Request, error: Exception) -> Response:
    """A page with the words of an error of ours."""
    return page(request, "problem.html", 400, title=type(error).__name__, problem=str(error))

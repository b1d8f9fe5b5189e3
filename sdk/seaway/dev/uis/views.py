"""The list of programs with pages of their own, and the way to each."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from seaway.dev.access import Access
from seaway.dev.pages import page
from seaway.dev.uis.children import Children
from seaway.dev.uis.known import UIS, Ui
from seaway.dev.uis.proxy import HTTP_PORT, address
from seaway.errors import SeawayError


def routes(access: Access, children: Children) -> list[Route]:
    """The pages."""

    def listed(request: Request) -> Response:
        found = [(ui, bool(children.running(ui.name))) for ui in UIS.values()]
        return page(request, "uis.html", title="Programs", found=found)

    def opened(request: Request) -> Response:
        """The program itself, once it answers; until then a page that asks again each second."""
        ui = UIS.get(request.path_params["name"])
        if ui is None:
            return page(request, "problem.html", 404, title="Error 404", problem="There is no such program.")
        return _opened(request, ui, lambda: address(ui.name, request.url.port or HTTP_PORT, access.ticket(ui.name)))

    def _opened(request: Request, ui: Ui, link: Callable[[], str]) -> Response:
        if ui.absent:
            return page(request, "ui.html", 404, title=ui.title, ui=ui, problem=ui.absent, waits=False)
        try:
            child = children.started(ui.name)
        except SeawayError as error:
            return page(request, "ui.html", 409, title=ui.title, ui=ui, problem=str(error), waits=False)
        if child.answers:
            return RedirectResponse(link(), 303)
        return page(request, "ui.html", title=ui.title, ui=ui, problem="", waits=True)

    return [Route("/uis", listed), Route("/uis/{name}", opened)]

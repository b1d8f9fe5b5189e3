"""The pages of runs: the list, one run, one of its steps, one output of a step, and runs side by side."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response, StreamingResponse

from seaway.dev import approval_views, files, forms, previews, shown_runs, start
from seaway.dev.files import FRAMED, NotShown
from seaway.dev.graph import drawings
from seaway.dev.live import Watched, changes, growth, stream
from seaway.dev.notebook_views import rendered
from seaway.dev.pages import page, part
from seaway.errors import InvalidSpec, RunFailed
from seaway.kfp import catalog, interface
from seaway.kfp.docstring import Docstring
from seaway.kfp.interface import Port
from seaway.kfp.local import records
from seaway.kfp.local.comparison import compare

LOG_BYTES = 256 * 1024  # of a log, its end
COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
PROJECT = "pipeline.py"  # as `seaway init` writes it
GOING = ("running", "retrying")
Document = Mapping[str, Any]


def run_list(request: Request) -> Response:
    """All runs of the folder."""
    return page(request, "runs.html", title="Runs", runs=shown_runs.shown_runs(), stream="/live/runs")


def live_run_list(_request: Request) -> StreamingResponse:
    """The list, anew when a run begins, goes on or ends."""
    return stream(changes(Watched(shown_runs.stamp, lambda: part("run_rows.html", runs=shown_runs.shown_runs()))))


def run_page(request: Request) -> Response:
    """One run: its graph, its steps, what it was given."""
    record = record_of(request)
    return page(request, "run.html", title=record["run"], stream=_stream(record), **_shown(record))


def live_run(request: Request) -> StreamingResponse:
    """What changes of a run until its end."""
    run = record_of(request)["run"]
    file = records.record_file(run)

    def stamp() -> tuple[int, str, tuple[str, ...]]:
        asked = tuple(question.gate for question in approval_views.asked(run))
        return file.stat().st_mtime_ns, records.record(run)["state"], asked

    def over() -> bool:
        return bool(records.record(run)["state"] != "running")

    return stream(changes(Watched(stamp, lambda: part("run_live.html", **_shown(records.record(run))), over)))


def _stream(record: Document) -> str:
    return f"/live/runs/{record['run']}" if record["state"] == "running" else ""


def _shown(record: Document) -> dict[str, Any]:
    report = records.report_file(record["run"]).exists()
    drawn = drawings(record, records.pipeline_of(record["run"]))
    asked = approval_views.asked(record["run"]) if record["state"] == "running" else []
    return {"record": record, "drawings": drawn, "report": report, "asked": asked}


def record_of(request: Request) -> dict[str, Any]:
    """The run that a path names. Raises: HTTPException: there is none."""
    try:
        return records.record(request.path_params["run"])
    except InvalidSpec as error:
        raise HTTPException(404, str(error)) from error


def step_of(request: Request, record: Document) -> dict[str, Any]:
    """The step of a run that a path names by its number. Raises: HTTPException: there is none."""
    for step in record["steps"]:
        if step["number"] == request.path_params["number"]:
            return dict(step)
    raise HTTPException(404, f"Run {record['run']} has no step {request.path_params['number']}.")


def report(request: Request) -> Response:
    """A run's report, as it is."""
    file = records.report_file(record_of(request)["run"])
    if not file.is_file():
        raise HTTPException(404, "This run has no report.")
    return FileResponse(file, media_type="text/html", headers=FRAMED)


def step_page(request: Request) -> Response:
    """One step: why it ran, what it gave, its log as it comes."""
    record = record_of(request)
    step = step_of(request, record)
    log, offset = log_end(Path(step["log"]))
    live = f"/live/runs/{record['run']}/steps/{step['number']}?from={offset}" if step["state"] in GOING else ""
    values: dict[str, Any] = {"record": record, "step": step, "log": log, "stream": live}
    return page(request, "step.html", title=step["title"], **values)


def live_log(request: Request) -> StreamingResponse:
    """What is added to a step's log until the step ends."""
    record = record_of(request)
    run, number, file = record["run"], request.path_params["number"], Path(step_of(request, record)["log"])

    def over() -> bool:
        steps = records.record(run)["steps"]
        return next(step["state"] for step in steps if step["number"] == number) not in GOING

    return stream(growth(lambda at: _read(file, at), int(request.query_params.get("from", 0)), over))


def log_end(file: Path) -> tuple[str, int]:
    """The end of a log, and the offset behind it."""
    size = file.stat().st_size if file.is_file() else 0
    text, offset = _read(file, max(0, size - LOG_BYTES))
    return (f"… the first {size - LOG_BYTES:,} bytes are left out\n{text}" if size > LOG_BYTES else text), offset


def _read(file: Path, offset: int) -> tuple[str, int]:
    if not file.is_file():
        return "", offset
    with file.open("rb") as source:
        source.seek(offset)
        found = source.read(LOG_BYTES)
    return COLOUR.sub("", found.decode(errors="replace")), offset + len(found)


def output_page(request: Request) -> Response:
    """One output of a step: a value, or an artifact as far as it can be shown."""
    record = record_of(request)
    step = step_of(request, record)
    name, found = request.path_params["name"], _output(request, step)
    base = f"/runs/{record['run']}/steps/{step['number']}/files"
    values = {"record": record, "step": step, "name": name, "base": base, "at": request.query_params.get("at", "0")}
    if not _is_artifact(found):
        return page(request, "value.html", title=name, value=found, **values)
    return page(request, "artifact.html", title=name, artifact=found, preview=previews.preview(found), **values)


def output_file(request: Request) -> Response:
    """A file of an artifact: a picture or a page to be shown, anything else to be kept."""
    record = record_of(request)
    found = _output(request, step_of(request, record))
    try:
        file = files.file_of(found, request.path_params["path"]) if _is_artifact(found) else None
    except NotShown as why:
        raise HTTPException(404, str(why)) from why
    if file is None:
        raise HTTPException(404, "It is no artifact.")
    if file.suffix == previews.NOTEBOOK:
        return rendered(file)
    is_page = previews.of_file(file, "" if request.path_params["path"] else found["type"]).frame
    if is_page:
        return FileResponse(file, media_type="text/html", headers=FRAMED)
    if kind := previews.image_type(file):
        return FileResponse(file, media_type=kind)
    return FileResponse(file, media_type="application/octet-stream", filename=file.name)


def _output(request: Request, step: Document) -> Any:
    """An output by its name; of a list of artifacts the one that `at` names. Raises: HTTPException: there is none."""
    name, at = request.path_params["name"], request.query_params.get("at", "0")
    if name not in step["outputs"]:
        raise HTTPException(404, f"Step {step['title']} has no output {name}.")
    value = step["outputs"][name]
    if isinstance(value, list) and value and all(map(_is_artifact, value)):
        if not at.isdecimal() or int(at) >= len(value):
            raise HTTPException(404, f"Output {name} has no part {at}.")
        return value[int(at)]
    return value


def _is_artifact(value: Any) -> bool:
    return isinstance(value, dict) and {"uri", "type", "metadata"} <= value.keys()


def again_page(request: Request) -> Response:
    """The parameters of a run, to be changed for another."""
    record = record_of(request)
    fields = forms.fields(ports_of(record), record["arguments"])
    return _form(request, record["pipeline"], record.get("source", ""), fields, run=record["run"])


def ports_of(record: Document) -> Sequence[Port]:
    """What a run's pipeline takes."""
    compiled = records.pipeline_of(record["run"])
    return interface.parse(compiled, Docstring(), is_component=False).parameters if compiled else ()


def pipeline_list(request: Request) -> Response:
    """What can be run: this folder's project, what was run here before, and the pipelines that come with Seaway."""
    earlier = {run["source"]: run for run in reversed(records.records()) if run.get("source")}
    known = [entry for entry in catalog.pipelines() if entry.name not in earlier]
    shown: dict[str, Any] = {"project": _project(), "earlier": list(earlier.values())[::-1], "known": known}
    return page(request, "pipelines.html", title="Pipelines", **shown)


def _project() -> str:
    """The pipeline of the project that the page was started in; empty where it is none."""
    file = Path(PROJECT).absolute()
    return str(file) if file.is_file() else ""


def project_page(request: Request) -> Response:
    """A form to run this folder's project."""
    if not (source := _project()):
        raise HTTPException(404, f"This folder has no {PROJECT}.")
    return _form(request, Path(source).parent.name, source, forms.fields(_ports(source), {}))


def _ports(source: str) -> Sequence[Port]:
    """What a pipeline takes that has not run here. Raises: InvalidSpec: there is none, or it does not compile."""
    if source == _project():
        return interface.parse(start.describe(source), Docstring(), is_component=False).parameters
    return interface.interface(catalog.pipeline(source)).parameters


def pipeline_page(request: Request) -> Response:
    """A form to run a pipeline that comes with Seaway."""
    try:
        entry = catalog.pipeline(request.path_params["name"])
    except InvalidSpec as error:
        raise HTTPException(404, str(error)) from error
    fields = forms.fields(interface.interface(entry).parameters, {})
    return _form(request, entry.name, entry.name, fields)


def _form(
    request: Request, name: str, source: str, fields: Sequence[forms.Field], run: str = "", problem: str = ""
) -> Response:
    values = {"name": name, "source": source, "fields": fields, "run": run, "problem": problem}
    return page(request, "start.html", 400 if problem else 200, title=f"Run {name}", **values)


async def begin(request: Request) -> Response:
    """Start a run from a form, and show it."""
    from starlette.concurrency import run_in_threadpool

    given = await forms.read(request)
    return await run_in_threadpool(_begin, request, given)


def _begin(request: Request, given: Mapping[str, str]) -> Response:
    source, run = given.get("source", ""), given.get("run", "")
    record = records.record(run) if run else None
    ports = ports_of(record) if record else _ports(source)
    source = record["source"] if record else source
    values = {name.removeprefix("p."): value for name, value in given.items() if name.startswith("p.")}
    try:
        begun = start.start(source, forms.arguments(ports, values))
    except (InvalidSpec, RunFailed) as error:
        name = record["pipeline"] if record else source
        return _form(request, name, source, forms.fields(ports, values), run, str(error))
    return RedirectResponse(f"/runs/{begun}", 303)


def end(request: Request) -> Response:
    """End a run, and show it."""
    run = record_of(request)["run"]
    start.stop(run)
    return RedirectResponse(f"/runs/{run}", 303)


def comparison(request: Request) -> Response:
    """Runs side by side."""
    names = list(dict.fromkeys(request.query_params.getlist("run")))
    try:
        found = [records.record(name) for name in names]
    except InvalidSpec as error:
        raise HTTPException(404, str(error)) from error
    return page(request, "compare.html", title="Compare runs", compared=compare(found))

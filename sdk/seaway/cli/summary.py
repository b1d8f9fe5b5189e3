"""What a person needs at the end of a run: what was decided, on which figures, where it serves, how to end it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from seaway.cli.visible import visible
from seaway.errors import DataUnreadable
from seaway.kfp.fuse.step import origin
from seaway.storage import read_json

Artifacts = dict[str, dict[str, Any]]


def summarise(folder: Path, console: Console, seconds: float) -> None:
    """Print the end of a run that succeeded."""
    record = read_json(folder / "run.json")
    cached = sum(step["state"] == "cached" for step in record["steps"])
    reused = f", {cached} of {len(record['steps'])} steps reused" if cached else ""
    console.print(f"\nRun {record['run']} succeeded in {seconds:.1f} s{reused}.", style="bold", highlight=False)
    for name, text in [*_figures(record), *_endpoint(record), *_pages(folder)]:
        console.print(f"  {name:<10} {visible(text)}", soft_wrap=True, highlight=False)


def explain_failure(folder: Path, console: Console) -> None:
    """Print where the results of a failed run are; the reason follows as the error."""
    record = read_json(folder / "run.json")
    console.print(f"\nRun {record['run']} failed after {record['seconds']:.1f} s.", style="bold", highlight=False)
    evaluations = [("evaluation", str(page)) for page in _evaluation_pages(record)]
    for name, text in [*_figures(record), *evaluations, *_pages(folder), ("logs", str(folder / "steps"))]:
        console.print(f"  {name:<10} {visible(text)}", soft_wrap=True, highlight=False)


def _evaluation_pages(record: dict[str, Any]) -> Iterator[Path]:
    for artifact in _of_kind(record, "evaluation"):
        yield Path(artifact["uri"]) / "evaluation.html"


def _artifacts(record: dict[str, Any]) -> Artifacts:
    """All artifacts of a run as `step--output`."""
    return {
        origin(step["name"], name): value
        for step in record["steps"]
        for name, value in step["outputs"].items()
        if isinstance(value, dict) and "uri" in value
    }


def _of_kind(record: dict[str, Any], output: str) -> Iterator[dict[str, Any]]:
    for name, artifact in _artifacts(record).items():
        if name.rpartition("--")[2] == output:
            yield artifact


def _figures(record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The key figures of what was decided: evaluation, gate, rollout."""
    for output in ("evaluation", "rollout"):
        for artifact in _of_kind(record, output):
            if summary := artifact["metadata"].get("summary"):
                yield output, str(summary)


def _endpoint(record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Where the model serves, and how to call and end it."""
    for artifact in _of_kind(record, "endpoint"):
        try:
            state = read_json(Path(artifact["uri"]) / "endpoint.json")
        except DataUnreadable:
            continue
        yield "endpoint", f"{state['url']} (token in {state['token_file']})"
        yield "end it", f"seaway down {record['run']}"


def _pages(folder: Path) -> Iterator[tuple[str, str]]:
    if (folder / "report.html").exists():
        yield "report", str(folder / "report.html")

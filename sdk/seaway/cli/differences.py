"""`seaway report --diff`: two runs, or two models, beside each other."""

import re
from collections.abc import Sequence
from pathlib import Path

import typer

from seaway.cli.output import print_json, print_table, value_text
from seaway.errors import InvalidSpec
from seaway.kfp.local.comparison import facts
from seaway.kfp.local.records import record, report_file
from seaway.models.lineage import LINEAGE_FILE, Lineage
from seaway.platforms.home import home
from seaway.reporting.difference_report import PARTS, Line, Side, lines, write_differences


def report_differences(names: tuple[str, str], to: Path | None, as_json: bool) -> Path:
    """Print what differs, write the page, and return where it is.

    Raises:
        InvalidSpec: one is neither a run nor a model package, or they are a run and a model.
    """
    before, after = map(_side, names)
    if before.kind != after.kind:
        raise InvalidSpec(
            f"{before.name} is a {before.kind}, and {after.name} a {after.kind}; compare two runs, or two packages."
        )
    page = to or home() / "comparisons" / f"{_file_name(names[0])}--{_file_name(names[1])}.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    write_differences(before, after, page)
    _print(before, after, page, as_json)
    return page


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "this"


def _side(name: str) -> Side:
    if (Path(name) / LINEAGE_FILE).is_file():
        return _model(Path(name))
    return _run(name)


def _run(name: str) -> Side:
    try:
        found = record(name)
    except InvalidSpec as error:
        raise InvalidSpec(f"{error} A model is named by its package's folder, where {LINEAGE_FILE} is.") from error
    page = report_file(name)
    return Side(name, "run", facts(found), page.read_text(encoding="utf-8") if page.is_file() else "")


def _model(package: Path) -> Side:
    told = Lineage.read(package)
    data = {"training rows, sha256": told.data_sha256, **{one["source"]: one["version"] for one in told.origins}}
    made = {"code": told.code_version, "seed": told.seed, "replaces": told.parent, **told.frameworks}
    known = {"parameters": {**told.parameters, **made}, "figures": told.metrics, "data": data}
    return Side(str(package), "model", known)


def _print(before: Side, after: Side, page: Path, as_json: bool) -> None:
    parts = {part: [line for line in lines(before, after, part) if line.differs] for part in PARTS}
    if as_json:
        values = {part: {line.name: [line.before, line.after] for line in found} for part, found in parts.items()}
        print_json({"of": [before.name, after.name], **values, "page": str(page)})
        return
    rows = [_row(line) for found in parts.values() for line in found]
    print_table(("", before.name, after.name, "change"), rows, empty="They do not differ in what is compared.")
    typer.echo(page)


def _row(line: Line) -> Sequence[str]:
    change = "" if line.change is None else f"{line.change:+,.4g}"
    return line.name, value_text(line.before), value_text(line.after), change

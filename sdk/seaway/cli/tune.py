"""`seaway tune`: searches that were written for other tools, and Seaway's for them."""

import json
from pathlib import Path

import typer
import yaml

from seaway.errors import DataUnreadable
from seaway.storage import read_text
from seaway.storage.yaml_text import documents


def import_search(file: Path, dialect: str, to: Path | None) -> None:
    """Tell what is lost, then write the arguments of `tune_model`. Raises: InvalidSpec, DataUnreadable."""
    from seaway.tuning import dialects

    found = dialects.read(file, dialect)
    _write(json.dumps(found.arguments(), indent=2, ensure_ascii=False), found.lost, to)


def export_search(target: str, file: Path, to: Path | None) -> None:
    """Tell what is lost, then write the search for another tool. Raises: InvalidSpec, DataUnreadable."""
    from seaway.tuning import dialects

    try:
        given = documents(read_text(file))  # JSON as well
    except yaml.YAMLError as error:
        raise DataUnreadable(f"{file} cannot be read as YAML or JSON: {' '.join(str(error).split())}") from error
    written = dialects.write(target, given[0] if given else {})
    _write(yaml.safe_dump(written.content, sort_keys=False, allow_unicode=True).rstrip(), written.lost, to)


def _write(text: str, lost: list[str] | tuple[str, ...], to: Path | None) -> None:
    for one in lost:
        typer.echo(f"Lost: {one}.", err=True)
    if to is None:
        typer.echo(text)
        return
    to.write_text(f"{text}\n", encoding="utf-8")
    typer.echo(f"Wrote {to}.")

"""What an artifact looks like: blocks of a page by its type and by what its file is."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seaway.dev import files
from seaway.dev.files import Entry, NotShown
from seaway.errors import DataUnreadable
from seaway.reporting.page import Block, Cell, Code, Table, Text
from seaway.storage import read_json

ROWS = 50  # of a table
NOTEBOOK = ".ipynb"
TEXT_BYTES = 64 * 1024  # of a text
CELL = 200  # characters of a value
IMAGES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif", b"RIFF": "image/webp"}
SIGNATURE, ROLLOUT, CHECK = "signature.json", "rollout.json", "check.json"


@dataclass(frozen=True)
class Preview:
    """How an artifact is shown.

    Attributes:
        blocks: tables, charts and texts.
        frame: whether its file is a page, which is shown in a frame that is closed off.
        image: whether its file is a picture.
        entries: the files in its folder.
    """

    blocks: Sequence[Block] = ()
    frame: bool = False
    image: bool = False
    entries: Sequence[Entry] = ()


def preview(artifact: Mapping[str, Any]) -> Preview:
    """Of an artifact as a run's record has it."""
    told = list(_of_metadata(artifact))
    try:
        place = files.place_of(artifact)
    except NotShown as why:
        quiet = told and artifact["type"] in ("system.Metrics", "system.ClassificationMetrics")  # they have no file
        return Preview([*told, *([] if quiet else [Text(str(why))])])
    if place.is_dir():
        return Preview([*told, *_of_folder(place)], entries=files.listing(place))
    found = of_file(place, artifact["type"])
    return Preview([*told, *found.blocks], found.frame, found.image)


def of_file(file: Path, kind: str = "") -> Preview:
    """Of one file; `kind` is the artifact's type, since a file of Kubeflow Pipelines has no suffix."""
    if kind == "system.HTML" or file.suffix in (".html", NOTEBOOK):
        return Preview(frame=True)
    if image_type(file):
        return Preview(image=True)
    try:
        return Preview(list(_table_or_text(file, _head(file))))
    except (ValueError, OSError, DataUnreadable) as error:
        return Preview([Text(f"It cannot be shown: {' '.join(str(error).split())[:CELL]}")])


def image_type(file: Path) -> str:
    """The media type of a picture by its first bytes; empty for anything else."""
    head = _head(file)
    found = next((kind for start, kind in IMAGES.items() if head.startswith(start)), "")
    return "" if found == "image/webp" and head[8:12] != b"WEBP" else found  # RIFF is sound and film, too


def _head(file: Path) -> bytes:
    with file.open("rb") as source:
        return source.read(16)


def _table_or_text(file: Path, head: bytes) -> Iterator[Block]:
    if head.startswith(b"PAR1"):
        yield from _parquet(file)
    elif file.suffix == ".csv":
        yield from _csv(file)
    elif _is_text(file):
        yield _text(file)
    else:
        yield Text(f"A binary file of {file.stat().st_size:,} bytes.")


def _parquet(file: Path) -> Iterator[Block]:
    from pyarrow import parquet

    source = parquet.ParquetFile(file)
    schema, rows = source.schema_arrow, source.metadata.num_rows
    yield Text(f"{rows:,} rows, {len(schema.names)} columns.")
    batch = next(source.iter_batches(ROWS), None)
    head = batch.to_pylist() if batch is not None else []
    headers = [f"{field.name} ({field.type})" for field in schema]
    yield Table(headers, [[shown(row[name]) for name in schema.names] for row in head], _first(len(head), rows))


def _csv(file: Path) -> Iterator[Block]:
    import pandas as pd

    table = pd.read_csv(file, nrows=ROWS)
    headers = [f"{name} ({kind})" for name, kind in table.dtypes.items()]
    yield Table(headers, [[shown(value) for value in row] for row in table.itertuples(index=False)], "The first rows")


def _first(shown_rows: int, rows: int) -> str:
    return f"The first {shown_rows:,} of {rows:,} rows" if rows > shown_rows else "All rows"


def shown(value: Any) -> Cell:
    """A value in a cell; a long one is cut, a missing one a dash."""
    if value is None or isinstance(value, bool | int | float):
        return str(value) if isinstance(value, bool) else value
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= CELL else f"{text[:CELL]}…"


def _is_text(file: Path) -> bool:
    with file.open("rb") as source:
        start = source.read(TEXT_BYTES)
    try:
        start.decode()
    except UnicodeDecodeError as error:
        return error.start > len(start) - 4 and b"\0" not in start  # a character that the cut went through
    return b"\0" not in start


def _text(file: Path) -> Block:
    with file.open("rb") as source:
        text = source.read(TEXT_BYTES).decode(errors="ignore")
    if file.suffix == ".json":
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False) if file.stat().st_size < TEXT_BYTES else text
    cut = file.stat().st_size > TEXT_BYTES
    return Code(text, f"The first {TEXT_BYTES // 1024} KiB" if cut else "")


def _of_metadata(artifact: Mapping[str, Any]) -> Iterator[Block]:
    """Figures, a ROC curve and a confusion matrix are metadata in Kubeflow Pipelines."""
    metadata = dict(artifact["metadata"])
    yield from _roc(metadata.pop("confidenceMetrics", None))
    yield from _matrix(metadata.pop("confusionMatrix", None))
    rows = [[name, shown(value)] for name, value in metadata.items() if name != "display_name"]
    if rows:
        yield Table(["name", "value"], rows, "Metadata", align="lr" if _all_numbers(rows) else "ll")


def _all_numbers(rows: Sequence[Sequence[Cell]]) -> bool:
    return all(isinstance(value, int | float) for _, value in rows)


def _roc(points: Any) -> Iterator[Block]:
    from seaway.reporting import charts
    from seaway.reporting.page import Figure, Figures

    if not points:
        return
    curve = charts.Series(
        "model", [point["falsePositiveRate"] for point in points], [point["recall"] for point in points]
    )
    yield Figures([Figure(charts.roc([curve], "Receiver operating characteristic."), "ROC curve")])


def _matrix(matrix: Any) -> Iterator[Block]:
    from seaway.reporting import charts
    from seaway.reporting.page import Figure, Figures

    if not matrix:
        return
    names = [spec["displayName"] for spec in matrix["annotationSpecs"]]
    counts = [[int(count) for count in row["row"]] for row in matrix["rows"]]
    yield Figures([Figure(charts.matrix(counts, names, "Confusion matrix."), "Confusion matrix")])


def _of_folder(folder: Path) -> Iterator[Block]:
    """What is told by files that Seaway knows."""
    for name, show in KNOWN.items():
        if (folder / name).is_file():
            try:
                yield from show(read_json(folder / name))
            except (DataUnreadable, KeyError, TypeError, ValueError) as error:
                yield Text(f"{name} cannot be shown: {error!r}")


def signature_blocks(signature: Mapping[str, Any]) -> Iterator[Block]:
    """Inputs, outputs and the sample of a model."""
    yield Text(f"Model {signature['name']}, flavour {signature.get('flavour', 'torch_export')}.")
    rows = [
        [direction, spec["name"], spec["datatype"], " x ".join(map(str, spec["shape"])), spec.get("unit", "")]
        for direction, specs in (("input", signature["inputs"]), ("output", signature["outputs"]))
        for spec in specs
    ]
    yield Table(["", "name", "datatype", "shape", "unit"], rows, "Signature")
    if sample := signature.get("sample"):
        rows = [[shown(value) for value in row] for row in zip(*sample.values(), strict=True)]
        yield Table(list(sample), rows, "Sample")


def _rollout_blocks(rollout: Mapping[str, Any]) -> Iterator[Block]:
    from seaway.reporting.rollout_section import rollout_blocks

    yield from rollout_blocks(rollout)


def _check_blocks(check: Mapping[str, Any]) -> Iterator[Block]:
    yield Code(json.dumps(check, indent=2), CHECK)


KNOWN: dict[str, Callable[[Mapping[str, Any]], Iterator[Block]]] = {
    SIGNATURE: signature_blocks,
    ROLLOUT: _rollout_blocks,
    CHECK: _check_blocks,
}

"""Annotated items as Parquet, and files of other tools fetched from where they lie."""

import tempfile
from pathlib import Path

import pyarrow as pa

from seaway.labeling import tables
from seaway.labeling.formats.annotated import Annotated, Box
from seaway.labeling.formats.convert import export_labels, import_labels, unread
from seaway.storage import storage_for

BOX = pa.struct(
    [
        ("label", pa.string()),
        ("x", pa.float64()),
        ("y", pa.float64()),
        ("width", pa.float64()),
        ("height", pa.float64()),
    ]
)
SCHEMA = pa.schema(
    [
        ("key", pa.string()), ("annotator", pa.string()), ("label", pa.string()), ("seconds", pa.float64()),
        ("text", pa.string()), ("width", pa.int64()), ("height", pa.int64()), ("boxes", pa.list_(BOX)),
    ]
)  # fmt: skip

CARRIED = {field.name for field in SCHEMA} - {"seconds"}


def import_file(uri: str, name: str, target: Path) -> tuple[int, list[str]]:
    """Write the labels of a file or folder as one Parquet file, a row a label.

    Returns:
        How many, and what of them is not read, a sentence each. See `import_labels`.
    """
    with tempfile.TemporaryDirectory(prefix="seaway-labels-") as scratch:
        fetched = Path(scratch) / "labels"
        storage_for(uri).download(uri, fetched)
        rows = import_labels(fetched, name)
    values = [{**vars(row), "seconds": None, "boxes": [vars(box) for box in row.boxes]} for row in rows]
    tables.write(pa.Table.from_pylist(values, SCHEMA), target)
    return len(rows), unread(rows, name)


def export_file(
    labels: Path, name: str, target: Path, text: Path | None = None, key: str = "", column: str = ""
) -> list[str]:
    """Write the labels of a Parquet file in a tool's format; what is lost, a sentence each. See `export_labels`.

    Args:
        labels: With the columns `key` and `label`, and those of `SCHEMA` that there are.
        name: Of the format.
        target: File or folder.
        text: Rows that have the items' texts, in `column`, by their `key`.
    """
    found = tables.read(labels, None)
    tables.require(found, ["key", "label"], str(labels))
    shown = tables.read(text, [key, column]) if text else None
    texts = dict(zip(tables.keys(shown, key, str(text)), shown[column].to_pylist(), strict=True)) if shown else {}
    told = export_labels([_annotated(row, texts) for row in found.to_pylist()], name, target)
    more = [one for one in found.column_names if one not in CARRIED and found[one].null_count < found.num_rows]
    return [*told, *(f"{name} has no place for the column {one}, which is lost." for one in more)]


def _annotated(row: dict[str, object], texts: dict[str, str]) -> Annotated:
    known = {name: value for name in ("annotator", "text", "width", "height") if (value := row.get(name)) is not None}
    boxes: object = row.get("boxes") or ()
    drawn = tuple(Box(**box) for box in boxes) if isinstance(boxes, list) else ()
    said = {"text": texts[str(row["key"])]} if str(row["key"]) in texts else {}
    return Annotated(str(row["key"]), str(row["label"] or ""), boxes=drawn, **(known | said))  # type: ignore[arg-type]

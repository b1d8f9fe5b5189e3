from kfp import dsl
from seaway.kfp import component


@component
def export_labels(
    labels: dsl.Input[dsl.Dataset],
    exported: dsl.Output[dsl.Artifact],
    format: str,
    rows: dsl.Input[dsl.Dataset] = None,
    key: str = "",
    text: str = "",
):
    """Write labels as a file of another tool, and say what it has no place for.

    Args:
        labels: Made by `aggregate_labels` or `import_labels`.
        exported: The tool's file or folder.
        format: `appen`, `coco`, `cvat`, `diffgram`, `label_studio`, `labelbox`, `prodigy`, `scale`, `supervisely` or
            `voc`.
        rows: The labelled rows, where the tool is to have their texts.
        key: Their key.
        text: Their column of texts.

    Raises:
        DataUnreadable: there is no label, or a column is missing.
        InvalidSpec: there is no such format.
    """
    from pathlib import Path

    from seaway.labeling.formats.tables import export_file

    lost = export_file(Path(labels.path), format, Path(exported.path), Path(rows.path) if rows else None, key, text)
    exported.metadata["lost"] = lost
    exported.metadata["summary"] = " ".join(lost) or f"{format}, nothing lost"

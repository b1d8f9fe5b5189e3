from kfp import dsl
from seaway.kfp import component


@component
def import_labels(labels: dsl.Output[dsl.Dataset], source: str, format: str) -> int:
    """Read labels that people made in another tool.

    Args:
        labels: One Parquet file, a row a label: `key`, `annotator`, `label`, `seconds`, `text`, `width`, `height`,
            `boxes`. Its metadata say, a sentence each, what else the file says that is not read (`unread`).
        source: The tool's file or folder: a path or a URI.
        format: `appen`, `coco`, `cvat`, `diffgram`, `label_studio`, `labelbox`, `prodigy`, `scale`, `supervisely` or
            `voc`.

    Returns:
        How many labels there are.

    Raises:
        DataUnreadable: it is not of the format, broken, or without a label.
        InvalidSpec: there is no such format.
    """
    from pathlib import Path

    from seaway.labeling.formats.tables import import_file

    count, unread = import_file(source, format, Path(labels.path))
    labels.metadata["unread"] = unread
    labels.metadata["summary"] = ". ".join([f"{count:,} labels of {format}", *unread])
    return count

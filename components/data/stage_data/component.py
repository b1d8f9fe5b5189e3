from kfp import dsl
from seaway.kfp import component


@component
def stage_data(
    staged: dsl.Output[dsl.Artifact],
    uri: str,
    version: str = "",
    folder: str = "",
    foreign: bool = False,
) -> str:
    """Bring data to a disk near by, by content, once for all steps and pods that share it.

    Args:
        staged: `staged.json`: path, hash of the content, bytes, and whether they were fetched now.
        uri: File or folder: a path, `s3://` or, of one file, `https://`.
        version: Names the content, such as a version of data or a commit: what is staged is taken as it is, if it is
            whole. Empty fetches anew each time.
        folder: That is shared, on a node or a mounted volume; empty takes `SEAWAY_STAGE`.
        foreign: Whether other tools wrote the folder: all that lies below it is taken.

    Returns:
        Where the data lie, for later steps that have the same folder; they may read and not write.

    Raises:
        DataUnreadable: nothing is there, or not all of it.
        InvalidSpec: a pod names no folder that others see.
        StorageUnavailable: the storage does not answer.
    """
    from dataclasses import asdict
    from pathlib import Path

    from seaway.data.staging import stage
    from seaway.platforms.home import stage_folder
    from seaway.storage import write_json

    found = stage(uri, Path(folder or stage_folder()), version, foreign)
    write_json(Path(staged.path) / "staged.json", {**asdict(found), "path": str(found.path)})
    staged.metadata["summary"] = f"{found.bytes:,} bytes, {'fetched' if found.fetched else 'there already'}"
    return str(found.path)

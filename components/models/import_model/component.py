from kfp import dsl
from seaway.kfp import component


@component
def import_model(
    package: dsl.Output[dsl.Model],
    uri: str,
    name: str = "",
    flavour: str = "",
    signature: dict = {},  # noqa: B006
    constants: dict = {},  # noqa: B006
    task: str = "",
    label: str = "",
    classes: list = [],  # noqa: B006
    prediction: str = "",
    sha256: str = "",
    train: dsl.Input[dsl.Dataset] = None,
):
    """Make a signed package of a model file that Seaway did not train, proved in a process of its own.

    Args:
        package: Signed folder without pickles; see docs/reference/model-package.md.
        uri: Of the model's file, with the ending of its kind: `.onnx`, `.pt2`, `.skops`, `.ubj`, `.txt`, `.keras`.
        name: Of the model; empty takes the file's.
        flavour: What the file is; empty goes by its ending.
        signature: Inputs, outputs, sample, target as in `signature.json`; what it leaves out is found.
        constants: Values of inputs that are no rows of data; they become part of the model.
        task: What is predicted, see docs/reference/tasks.md; empty where nobody has to know.
        label: Column of the truth.
        classes: Their names in the order of the model's values.
        prediction: The output that is the prediction; empty takes the first one of numbers.
        sha256: Digest that the file must have.
        train: The rows that it was trained on, where there are any: they give the sample, tell what the task wants to
            know of its labels, and a copy is kept for `monitor_drift`.

    Raises:
        PackageRefused: the file is none of its kind, has another digest, could run code, or does not answer its sample.
        InvalidSpec: something has to be said that the file does not say.
        DataUnreadable: the file or the rows cannot be had.
    """
    import tempfile
    from pathlib import Path

    from seaway import models, monitoring
    from seaway.models import importing
    from seaway.platforms.home import keys, references
    from seaway.storage import storage_for

    rows = Path(train.path) if train else None
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / uri.rstrip("/").rpartition("/")[2]
        storage_for(uri).download(uri, source)
        spec = importing.ImportSpec(
            source, name or source.name.partition(".")[0], flavour, signature,
            importing.sample_of(rows) if rows and not signature.get("sample") else {},
            constants, task, label, classes, prediction, rows, sha256,
        )  # fmt: skip
        made = importing.import_model(spec, Path(package.path), models.signing_keys(keys()).private)
    if rows:
        monitoring.keep_reference(rows, references())
    package.metadata["sha256"] = made.sha256
    package.metadata["code_version"] = made.lineage.code_version
    package.metadata["data_sha256"] = made.lineage.data_sha256
    package.metadata["summary"] = f"{made.signature.flavour}, signed, {made.sha256[:12]}"

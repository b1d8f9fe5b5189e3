from kfp import dsl
from seaway.kfp import component


@component
def package_model(
    model: dsl.Input[dsl.Model],
    train: dsl.Input[dsl.Dataset],
    package: dsl.Output[dsl.Model],
    evaluation: dsl.Input[dsl.Artifact] = None,
    parameters: dict = {},  # noqa: B006 - KFP takes the default from the source text
    seed: int = 0,
    parent: str = "",
):
    """Pack a trained model with its lineage into a signed package, proved on the sample of its signature.

    Args:
        model: Trained model: exported graph, weights, signature, `metrics.json`.
        train: The rows it was trained on; their hash goes into the lineage, and a copy is kept for `monitor_drift`.
        package: Signed folder without pickles; see docs/reference/model-package.md.
        evaluation: Folder with `evaluation.json`, whose figures go into the lineage.
        parameters: What the model was trained with.
        seed: Seed of the training.
        parent: Name and version of the model that this one is to replace.

    Raises:
        PackageRefused: a file is missing or unsafe, weights and graph differ, or the sample fails.
    """
    from pathlib import Path

    from seaway import models, monitoring
    from seaway.data.origin import ORIGINS, origins
    from seaway.model_server.torchscript import kept_script
    from seaway.platforms.home import home, keys, references

    tested = Path(evaluation.path) if evaluation else None
    known = origins(train.metadata)
    lineage = models.trace(
        Path(model.path), Path(train.path), parameters, seed=seed, parent=parent, evaluation=tested, origins=known
    )
    made = models.package(Path(model.path), Path(package.path), lineage, models.signing_keys(keys()).private)
    monitoring.keep_reference(Path(train.path), references())
    kept_script(made.path, home() / "cache" / "scripts")
    package.metadata["sha256"] = made.sha256
    package.metadata["code_version"] = lineage.code_version
    package.metadata["data_sha256"], package.metadata[ORIGINS] = lineage.data_sha256, known
    package.metadata["summary"] = f"signed, {made.sha256[:12]}"

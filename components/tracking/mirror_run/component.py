from kfp import dsl
from seaway.kfp import component


@component
def mirror_run(
    mirrors: dsl.Output[dsl.Artifact],
    told: dsl.Output[dsl.Markdown],
    model: dsl.Input[dsl.Model] = None,
    to: str = "wandb",
    run: str = "",
    files: bool = True,
):
    """Write what was tracked in MLflow as another tracker keeps it. Nothing is sent, and no account is asked for.

    Args:
        mirrors: A folder with the mirrors: offline runs of W&B, archives of Comet, or TensorBoard's events.
        told: The commands that send or show them, to be typed in the folder, and what the other tracker cannot say.
        model: A model whose training was tracked by `track_as`; its run is mirrored, also where it was reused.
        to: `wandb`, `comet` or `tensorboard`.
        run: Without a model: a run of Seaway's or MLflow's id of one; by default all that this run has tracked so far.
        files: Whether the run's files are in the mirror, among them a registered package.

    Raises:
        InvalidSpec: there is no such tracker, or nothing was tracked.
        RegistryUnavailable: MLflow does not answer.
    """
    import shutil
    from pathlib import Path

    from seaway.platforms.mirrored_runs import as_markdown, mirror_all, tracked

    folder = Path(mirrors.path)
    shutil.rmtree(folder, ignore_errors=True)  # of an attempt before
    done = mirror_all(tracked(Path(model.path) if model else None, run), to, folder, files)
    Path(told.path).write_text(as_markdown(done, folder), encoding="utf-8")
    mirrors.metadata["summary"] = f"{', '.join(one.name for one in done[:3])} for {to}"

from kfp import dsl
from seaway.kfp import component


@component
def predict_batch(
    model: dsl.Input[dsl.Model],
    rows: dsl.Input[dsl.Dataset],
    predictions: dsl.Output[dsl.Dataset],
    lineage: dsl.Output[dsl.Artifact],
    keep: list = [],  # noqa: B006
    workers: int = 1,
    threads: int = 1,
    rows_at_once: int = 8192,
    shard: int = 0,
    shards: int = 1,
    pods: int = 1,
    hosting: dict = {},  # noqa: B006
    backend: str = "auto",
):
    """Predict rows by a model package: Parquet in, Parquet out, by the codecs that answer requests.

    Each row group of the rows becomes a Parquet file of answers, written whole or not at all. A step that is tried
    again in the same place goes on where it was ended.

    Args:
        model: Package; it is verified, and what was verified is what answers.
        rows: Parquet file or folder of them, with a column for each input of the model.
        predictions: Folder of Parquet files: the kept columns and the model's outputs, in the order of the rows.
        lineage: `predictions.json`: counts, the content hashes of package, signature and rows, missing answers.
        keep: Columns of the rows that the answers have as well, such as their keys.
        workers: Processes, each with a copy of the model.
        threads: That one pass through the model computes on.
        rows_at_once: Of one pass.
        shard: Which share of the row groups this step predicts, from 0; a `dsl.ParallelFor` over them is a pod each.
        shards: Shares that there are.
        pods: Of a Job that shares the work by itself, with `backend="job"` on a cluster.
        hosting: Settings of those pods, such as `{"cpu": "4", "memory": "8Gi"}`; they win over those of the cluster.
        backend: `process` predicts in this step, `job` in pods of the cluster; `auto` takes SEAWAY_BATCH_PREDICTOR,
            else this step.

    Raises:
        PackageRefused: the package is corrupted or not signed by this installation.
        DataUnreadable: the rows cannot be read, or are not the model's.
        InvalidSpec: a kept column has the name of an output, or there are no pods here.
        JobFailed: a pod could not predict its share; what others have predicted is gone on with by the next attempt.
    """
    from pathlib import Path

    from seaway import platforms
    from seaway.models import verifying_key
    from seaway.platforms.home import keys
    from seaway.serving.batch import BatchPredictor, BatchSpec
    from seaway.storage import write_json

    spec = BatchSpec(
        Path(model.path), Path(rows.path), Path(predictions.path), verifying_key(keys()),
        keep=keep, workers=workers, threads=threads, rows_at_once=rows_at_once,
        shard=shard, shards=shards, hosting=hosting,
    )  # fmt: skip
    result = platforms.current(BatchPredictor, backend).predict(spec, pods)
    write_json(Path(lineage.path) / "predictions.json", result.to_json())
    predictions.metadata["rows"] = result.rows
    predictions.metadata["package"] = result.package
    lineage.metadata["summary"] = f"{result.rows} rows by {result.package[:12]}"

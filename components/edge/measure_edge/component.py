from kfp import dsl
from seaway.kfp import component


@component
def measure_edge(
    package: dsl.Input[dsl.Model],
    model: dsl.Input[dsl.Model],
    rows: dsl.Input[dsl.Dataset],
    measurement: dsl.Output[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
    report: dsl.Output[dsl.HTML],
    gate: dict = {"max_flips": 0.002},  # noqa: B006
    slices: list = [],  # noqa: B006
    limit: int = 1000,
    threads: int = 1,
    stop: bool = False,
    device: str = "",
):
    """Answer real rows by a device's runtime, and hold answers, size, latency and memory against the original model.

    Kubeflow Pipelines keeps no page of a step that fails, so a closed gate is recorded and `check_gate` fails the run;
    with `stop` this step does.

    Args:
        package: Made by `export_edge`.
        model: What it was made of.
        rows: Held-out rows with every input; with the label, the task's figure is compared in pairs.
        measurement: Folder with `evaluation.json`, every figure with its interval, which `check_gate` takes.
        metrics: Size, latency, memory and parity.
        report: The page: gate, parity, the rows and slices that differ most.
        gate: Bounds such as {"max_flips": 0.002, "max_p99_ms": 5}; docs/reference/edge-targets.md lists the rules.
        slices: Columns to look for the slices in that differ most.
        limit: At most so many rows, the first; 0 for all.
        threads: That one answer is computed on.
        stop: Whether a rule that is not met fails this step.
        device: `ssh://[user@]host[:port]` that answers the rows; empty for the step's own machine.

    Raises:
        GateClosed: names each rule that is not met and the rows that differ most.
        InvalidSpec: the gate has no such rule, or the target's runtime does not answer here.
        DataUnreadable: rows lack an input, or the runtime cannot read the package.
        PackageRefused: the package is not signed by the key that signs packages here.
    """
    from pathlib import Path
    from shutil import copyfile

    from seaway import edge, models
    from seaway.evaluation import require_open
    from seaway.platforms.home import keys

    edge.verify(Path(package.path), models.verifying_key(keys()))
    found = edge.measure_edge(
        Path(package.path), Path(model.path), Path(rows.path), Path(measurement.path),
        gate=edge.EdgeGate(gate), slices=slices, limit=limit, threads=threads, device=device,
    )  # fmt: skip
    copyfile(found.path / "edge.html", report.path)
    for name, value in found.metrics.items():
        metrics.log_metric(name, value)
    measurement.metadata["summary"] = found.summary
    if stop:
        require_open(found.outcomes)

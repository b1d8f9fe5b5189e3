from kfp import dsl
from seaway.kfp import component


@component
def write_report(
    model: dsl.Input[dsl.Artifact],
    report: dsl.Output[dsl.HTML],
    package: dsl.Input[dsl.Model] = None,
    endpoint: dsl.Input[dsl.Artifact] = None,
    rollout: dsl.Input[dsl.Artifact] = None,
):
    """Write one self-contained page about a whole run, whatever its rollout ended with.

    What a pipeline does not make is left out, and so is its section.

    Args:
        model: `kept` of `write_model_report`: the page of the model, from its data to its gate.
        report: The page: no script, no network, light, dark and print; how the run ended stands first.
        package: Made by `package_model`.
        endpoint: Made by `deploy_endpoint`.
        rollout: Made by `roll_out`.

    Raises:
        DataUnreadable: an artifact is missing; the message names it.
    """
    from pathlib import Path

    from seaway.reporting import write_report
    from seaway.reporting.run_report import ReportInputs

    artifacts = {"model": model, "package": package, "endpoint": endpoint, "rollout": rollout}
    inputs = ReportInputs(**{name: Path(artifact.path) for name, artifact in artifacts.items() if artifact})
    report.metadata["summary"] = write_report(inputs, Path(report.path))

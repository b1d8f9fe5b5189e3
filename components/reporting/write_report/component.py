from kfp import dsl
from seaway.kfp import component


@component
def write_report(status: dsl.PipelineTaskFinalStatus, report: dsl.Output[dsl.HTML], part: str = ""):
    """Write one self-contained page about a whole run, whatever it ended with, the reason first.

    For use as the exit task of a `dsl.ExitHandler` around all that it tells of, or after each part of a run:
    `write_report(part="data").after(data).ignore_upstream_failure()`, so that the parts are what a graph shows first.
    It takes no artifacts, for the step that would make one may have failed: it shows how the steps ended, why one
    failed, and what `describe_data`, `write_model_report`, `deploy_endpoint` and `roll_out` left for it. A step that
    was reused leaves nothing, so give the last three `set_caching_options(False)`; the page of the model has what is
    told of the data.

    Args:
        status: How the run ended; filled in by Kubeflow Pipelines.
        report: The page: no script, no network, light, dark and print; how the run ended stands first.
        part: What the run has come to, where more of it follows when that went well; empty for the run's end.

    Raises:
        InvalidSpec: this process belongs to no run.
    """
    from pathlib import Path

    from seaway.kfp.states import ended_well
    from seaway.platforms.runs import ending
    from seaway.reporting import write_report

    report.metadata["summary"] = write_report(ending(succeeded=ended_well(status.state), part=part), Path(report.path))

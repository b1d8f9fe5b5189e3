from kfp import dsl
from seaway.kfp import component


@component
def tear_down(
    name: str,
    status: dsl.PipelineTaskFinalStatus,
    backend: str = "auto",
):
    """Clean up after a run: a failed run's endpoint ends, a successful run's replaces those of earlier runs.

    For use as the exit task of `dsl.ExitHandler`. Newer endpoints, those of runs that still go, and those
    deployed by hand stay.

    Args:
        name: Endpoint's name.
        status: How the run ended; filled in by Kubeflow Pipelines.
        backend: What serves; `auto` takes this place's.

    Raises:
        EndpointFailed: an endpoint could not be ended, or a successful run's own is gone.
    """
    from seaway import platforms, serving
    from seaway.platforms.home import run_id

    endpoints = platforms.current(serving.Endpoint, backend)
    serving.settle(endpoints, name, run_id(), succeeded=status.state == "SUCCEEDED")

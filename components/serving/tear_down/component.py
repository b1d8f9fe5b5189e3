from kfp import dsl
from seaway.kfp import component


@component
def tear_down(
    name: str,
    model_name: str,
    status: dsl.PipelineTaskFinalStatus,
    backend: str = "auto",
    registry: str = "auto",
):
    """Clean up after a run: a failed run's endpoint ends; of those of successful runs, the production model's stays.

    For use as the exit task of `dsl.ExitHandler`. Endpoints of runs that still go, and those deployed by hand, stay.

    Args:
        name: Endpoint's name.
        model_name: Registered model's name; the registry says which endpoint serves its production version.
        status: How the run ended; filled in by Kubeflow Pipelines.
        backend: What serves; `auto` takes this place's.
        registry: Model registry; `auto` takes this place's.

    Raises:
        EndpointFailed: an endpoint could not be ended, or a successful run's own is gone.
        RegistryUnavailable: there is a choice, and the registry does not answer; all stay.
    """
    from seaway import models, platforms, serving
    from seaway.kfp.states import ended_well
    from seaway.platforms.home import run_id

    endpoints = platforms.current(serving.Endpoint, backend)
    tracker = platforms.current(models.ModelRegistry, registry)
    serving.clean_up_endpoints(endpoints, tracker, name, model_name, run_id(), succeeded=ended_well(status.state))

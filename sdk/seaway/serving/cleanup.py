"""What becomes of endpoints when a run has ended."""

import logging
from dataclasses import replace

from seaway.errors import EndpointFailed, RegistryUnavailable
from seaway.models import ModelRegistry
from seaway.models.package import content_sha256
from seaway.serving.port import DeployedEndpoint, Endpoint
from seaway.storage import locked

log = logging.getLogger(__name__)


def clean_up_endpoints(
    endpoints: Endpoint, registry: ModelRegistry, name: str, model: str, run: str, succeeded: bool
) -> list[str]:
    """End what a failed run has brought; of a successful one, leave one of the endpoints that runs have settled.

    A failed run's candidate that the registry has in production is first made stable: the run ended between the two.

    Of the settled endpoints of that name the one stays that serves the production version of `model`: the run's own
    where it does or none does. All else stays too: what a run that still goes has deployed, and what was deployed by
    hand, which no run settles. Runs that end at once take turns. A registry that does not say which of several is to
    stay costs none of them, and not the run.

    Returns:
        The runs whose endpoint of that name was ended.

    Raises:
        EndpointFailed: the run succeeded, yet its endpoint is gone; nothing was ended.
    """
    if not succeeded:
        _finish_promotion(endpoints, registry, name, model, run)
        endpoints.remove(name, run)
        return [run]
    with locked(_named(endpoints, name, run).folder.parent / "lock"):
        replace(_named(endpoints, name, run), settled=True).write()
        settled = [endpoint for endpoint in endpoints.list() if endpoint.name == name and endpoint.settled]
        try:
            stays = _in_charge(settled, registry, model, run)
        except RegistryUnavailable as unavailable:
            log.warning("All %d endpoints %s stay: %s", len(settled), name, unavailable)
            return []
        ended = [endpoint.run for endpoint in settled if endpoint.run != stays]
        for each in ended:
            endpoints.remove(name, each)
    return ended


def _finish_promotion(endpoints: Endpoint, registry: ModelRegistry, name: str, model: str, run: str) -> None:
    """Have the endpoint follow the registry; a registry that does not answer is told, and ends no clean-up."""
    arms = next((one.arms for one in endpoints.list() if (one.name, one.run) == (name, run)), {})
    if "candidate" not in arms:
        return
    version = arms["candidate"].version
    try:
        content = _in_production(registry, model)
    except RegistryUnavailable as unavailable:
        log.warning("Candidate %s of endpoint %s ends: %s", version, name, unavailable)
        return
    if content.startswith(version):
        endpoints.promote(name, run)


def _named(endpoints: Endpoint, name: str, run: str) -> DeployedEndpoint:
    for endpoint in endpoints.list():
        if (endpoint.name, endpoint.run) == (name, run) and endpoint.url:
            return endpoint
    raise EndpointFailed(
        f"Endpoint {name} of run {run} is gone: it was ended by hand, or never deployed. What else serves under "
        "that name was left as it is; run the pipeline again."
    )


def _in_charge(settled: list[DeployedEndpoint], registry: ModelRegistry, model: str, run: str) -> str:
    """The run whose endpoint stays; the registry is asked only where there is a choice."""
    if len(settled) <= 1 or not (content := _in_production(registry, model)):
        return run
    serving = [endpoint.run for endpoint in settled if content.startswith(endpoint.arms["stable"].version)]
    return run if run in serving or not serving else serving[0]


def _in_production(registry: ModelRegistry, model: str) -> str:
    """The content of the package that the registry has in production, which begins with its version; empty if none."""
    production = registry.production(model)
    return content_sha256(production.package) if production else ""

"""What becomes of endpoints when a run has ended."""

from dataclasses import replace

from seaway.errors import EndpointFailed
from seaway.serving.endpoint import DeployedEndpoint, Endpoint


def settle(endpoints: Endpoint, name: str, run: str, succeeded: bool) -> list[str]:
    """End the run's endpoint where it failed; where it succeeded, those of earlier runs that it replaces.

    Replaced is what another run has settled and deployed earlier. All else stays: what a run that still goes has
    deployed, what is newer, and what was deployed by hand, which no run settles.

    Returns:
        The runs whose endpoint of that name was ended.

    Raises:
        EndpointFailed: the run succeeded, yet its endpoint is gone; nothing was ended.
    """
    if not succeeded:
        endpoints.remove(name, run)
        return [run]
    named = {endpoint.run: endpoint for endpoint in endpoints.list() if endpoint.name == name and endpoint.url}
    own = named.get(run)
    if own is None:
        raise EndpointFailed(
            f"Endpoint {name} of run {run} is gone: it was ended by hand, or never deployed. What else serves under "
            "that name was left as it is; run the pipeline again."
        )
    replace(own, settled=True).write()
    replaced = [other.run for other in named.values() if _replaces(own, other)]
    for other_run in replaced:
        endpoints.remove(name, other_run)
    return replaced


def _replaces(own: DeployedEndpoint, other: DeployedEndpoint) -> bool:
    return other.settled and other.deployed < own.deployed

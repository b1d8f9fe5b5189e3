"""Who gets how much of an endpoint's traffic."""

from collections.abc import Mapping
from typing import Protocol

from seaway.errors import TrafficFailed
from seaway.rollout.warrant import Warrant
from seaway.serving import DeployedEndpoint

ALL_STABLE: Mapping[str, int] = {"stable": 100, "candidate": 0}


class Traffic(Protocol):
    """Splits an endpoint's requests between its arms by percentage."""

    def present(self, endpoint: DeployedEndpoint, warrant: Warrant) -> None:
        """Show who guards the route, if anybody does, what weights of the candidate are allowed from now on.

        Raises:
            TrafficFailed: there is no route.
        """
        ...

    def presented(self, endpoint: DeployedEndpoint) -> Warrant | None:
        """What the route claims to be allowed; None where nobody guards it, or nothing was presented."""
        ...

    def set_weights(self, endpoint: DeployedEndpoint, weights: Mapping[str, int]) -> None:
        """Return when the traffic follows the weights, which sum to 100.

        Raises:
            TrafficFailed: the weights are impossible or the traffic does not follow them.
        """
        ...

    def mirror(self, endpoint: DeployedEndpoint, percent: int) -> None:
        """Shadow mode: stable answers all requests, and the candidate gets copies of some, whose answers nobody sees.

        New weights end it. Returns when the traffic follows.

        Raises:
            TrafficFailed: the endpoint has no candidate, the per cent is impossible, or the traffic does not follow.
        """
        ...

    def weights(self, endpoint: DeployedEndpoint) -> Mapping[str, int]:
        """Weights by arm, read back from where the traffic flows.

        Raises:
            TrafficFailed: they cannot be read.
        """
        ...


def require_mirrored(endpoint: DeployedEndpoint, percent: int) -> None:
    """Refuse, with TrafficFailed, to mirror without a candidate, or another share than a whole per cent."""
    if "candidate" not in endpoint.arms or not 0 < percent <= sum(ALL_STABLE.values()):
        raise TrafficFailed(
            f"{percent} % of the requests of endpoint {endpoint.name} cannot be mirrored: that takes a candidate, "
            "and a whole per cent from 1 to 100."
        )

"""What becomes of endpoints when a run has ended."""

from seaway.serving.endpoint import Endpoint


def settle(endpoints: Endpoint, name: str, run: str, succeeded: bool) -> list[str]:
    """End the run's endpoint where it failed; where it succeeded, those of other runs that it replaces.

    An endpoint that still has a candidate, or is not up yet, belongs to a run that has not finished: it stays.

    Returns:
        The runs whose endpoint of that name was ended.
    """
    if not succeeded:
        endpoints.remove(name, run)
        return [run]
    replaced = [
        other.run
        for other in endpoints.list()
        if other.name == name and other.run != run and other.url and "candidate" not in other.arms
    ]
    for other_run in replaced:
        endpoints.remove(name, other_run)
    return replaced

"""What follows from a rollout's decision: one arm is left, and the registry says which model is in production."""

import logging
from pathlib import Path

from seaway.errors import EndpointFailed, RolledBack
from seaway.models import Tracker
from seaway.rollout.driving import Rollout
from seaway.rollout.evidence import Decision
from seaway.serving import DeployedEndpoint, Endpoint
from seaway.storage import read_json

log = logging.getLogger(__name__)


def conclude(rollout: Rollout, endpoints: Endpoint, tracker: Tracker, model: str, version: str) -> None:
    """Promote the candidate on the endpoint and in the registry, or end it; doing it twice changes nothing.

    Raises:
        EndpointFailed: the endpoint is gone or refuses.
        RegistryUnavailable: the candidate serves, but the registry could not be told.
    """
    name, run = rollout.endpoint.name, rollout.endpoint.run
    if "candidate" in _current(endpoints, name, run).arms:
        (endpoints.promote if rollout.promoted else endpoints.roll_back)(name, run)
    if rollout.promoted:
        tracker.promote(model, version)
    log.info("rollout of %s version %s: %s", model, version, rollout.decision)


def _current(endpoints: Endpoint, name: str, run: str) -> DeployedEndpoint:
    for endpoint in endpoints.list():
        if (endpoint.name, endpoint.run) == (name, run):
            return endpoint
    raise EndpointFailed(f"There is no endpoint {name} of run {run} any more; it was removed during its rollout.")


def confirm(rollout: Path) -> None:
    """Return if the candidate was promoted, or is the model that was in production already.

    Args:
        rollout: `rollout.json`.

    Raises:
        RolledBack: it was not; the message has the judge's reason.
        DataUnreadable: the file is missing.
    """
    value = read_json(rollout)
    if value["decision"] not in (Decision.PROMOTE, Decision.UNCHANGED):
        raise RolledBack(
            f"Candidate {value['arms']['candidate']} of endpoint {value['endpoint']} was not promoted "
            f"({value['decision']}); stable {value['arms']['stable']} has all traffic. {value['reason']}"
        )

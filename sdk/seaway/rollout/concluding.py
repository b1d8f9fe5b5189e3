"""What follows from a rollout's decision: one arm is left, and the registry says which model is in production."""

import logging
from dataclasses import replace
from pathlib import Path

from seaway.errors import EndpointFailed, RolledBack
from seaway.models import RegisteredModel, Tracker
from seaway.models.packaging import content_sha256
from seaway.rollout.driving import Rollout
from seaway.rollout.evidence import Decision
from seaway.serving import DeployedEndpoint, Endpoint
from seaway.storage import read_json

log = logging.getLogger(__name__)


def conclude(rollout: Rollout, endpoints: Endpoint, tracker: Tracker, model: str, version: str) -> Rollout:
    """Promote the candidate on the endpoint and in the registry, or end it; doing it twice changes nothing.

    A candidate is promoted only over the model that it was judged against: if another one has come into production
    meanwhile, it is ended.

    Returns:
        The rollout, ROLLBACK where production has changed.

    Raises:
        EndpointFailed: the endpoint is gone or refuses.
        RegistryUnavailable: the registry does not say what is in production, or the candidate serves and the registry
            could not be told.
        PackageRefused: what the registry has in production is not what was signed.
    """
    if rollout.promoted:
        rollout = _unless_overtaken(rollout, tracker.production(model), version)
    name, run = rollout.endpoint.name, rollout.endpoint.run
    if "candidate" in _current(endpoints, name, run).arms:
        (endpoints.promote if rollout.promoted else endpoints.roll_back)(name, run)
    if rollout.promoted:
        tracker.promote(model, version)
    log.info("rollout of %s version %s: %s", model, version, rollout.decision)
    return rollout


def _unless_overtaken(rollout: Rollout, production: RegisteredModel | None, version: str) -> Rollout:
    judged = rollout.endpoint.arms["stable"].version  # the hash's first digits
    if production is None or production.version == version or content_sha256(production.package).startswith(judged):
        return rollout
    reason = (
        f"{production.name} version {production.version} came into production during this rollout; the candidate, "
        f"version {version}, was judged against another model ({judged}). Run the pipeline again to compare them."
    )
    return replace(rollout, decision=Decision.ROLLBACK, reason=f"{reason} The judge had said: {rollout.reason}")


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

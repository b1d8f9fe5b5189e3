"""What follows from a rollout's decision: one arm is left, and the registry says which model is in production."""

import logging
import tempfile
from dataclasses import replace
from pathlib import Path

from seaway.errors import EndpointFailed, ProductionChanged, RolledBack
from seaway.models import ModelRegistry
from seaway.rollout.controller import Rollout
from seaway.rollout.judge.verdict import Decision
from seaway.serving import DeployedEndpoint, Endpoint, find
from seaway.storage import read_json, storage_for

log = logging.getLogger(__name__)


def conclude(rollout: Rollout, endpoints: Endpoint, registry: ModelRegistry, model: str, version: str) -> Rollout:
    """Promote the candidate on the endpoint and in the registry, or end it; done again, it does what is left to do.

    A candidate is promoted only over the model that it was judged against: if another one has come into production
    meanwhile, it is ended. The registry, which alone can tell, is asked first; the endpoint follows it. A model that
    serves alone because none was in production becomes the first that is.

    Returns:
        The rollout: ROLLBACK where production has changed, PROMOTE where the model is the first.

    Raises:
        EndpointFailed: the endpoint or its candidate is gone, and the registry was told nothing; or the endpoint does
            not follow the registry.
        ProductionChanged: another model became the first in production meanwhile.
        DataUnreadable, StorageUnavailable: what the rollout has stated is gone, so the candidate is not promoted.
        RegistryUnavailable: the registry does not answer; both arms serve as before.
    """
    if rollout.decision is Decision.UNCHANGED:
        return _unchanged_or_first(rollout, registry, model, version)
    name, run = rollout.endpoint.name, rollout.endpoint.run
    serving = find(endpoints, name, run)
    if rollout.promoted:
        _require_candidate(rollout, serving)
        _hand_over(rollout, registry, model, version)
        rollout = _promote_unless_overtaken(rollout, registry, model, version)
    (endpoints.promote if rollout.promoted else endpoints.roll_back)(name, run)
    log.info("rollout of %s version %s: %s", model, version, rollout.decision)
    return rollout


def _unchanged_or_first(rollout: Rollout, registry: ModelRegistry, model: str, version: str) -> Rollout:
    if registry.production(model) is not None:
        return rollout
    registry.promote(model, version, over=rollout.endpoint.arms["stable"].version)
    reason = (
        f"No version of {model} was in production, so there was none to compare with: version {version} is the first, "
        "and no request was sent. The next one is judged against it."
    )
    return replace(rollout, decision=Decision.PROMOTE, reason=reason)


def _hand_over(rollout: Rollout, registry: ModelRegistry, model: str, version: str) -> None:
    """The registry keeps what was stated beside the version's package, before the version comes into production."""
    with tempfile.TemporaryDirectory(prefix="seaway-evidence-") as folder:
        stated = Path(folder) / "evidence"
        storage_for(rollout.evidence).download(rollout.evidence, stated)
        registry.log_evidence(model, version, stated)


def _require_candidate(rollout: Rollout, serving: DeployedEndpoint) -> None:
    """The candidate serves beside stable, or in its place where a promotion was cut short."""
    candidate = rollout.endpoint.arms["candidate"].version
    if candidate not in {arm.version for arm in serving.arms.values()}:
        raise EndpointFailed(
            f"Endpoint {serving.name} serves candidate {candidate} no more: it was ended before its promotion was "
            "finished. The registry was told nothing; run the pipeline again."
        )


def _promote_unless_overtaken(rollout: Rollout, registry: ModelRegistry, model: str, version: str) -> Rollout:
    try:
        registry.promote(model, version, over=rollout.endpoint.arms["stable"].version)
    except ProductionChanged as change:
        reason = f"Another model came into production during this rollout: {change} Run the pipeline again to compare."
        return replace(rollout, decision=Decision.ROLLBACK, reason=f"{reason} The judge had said: {rollout.reason}")
    return rollout


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

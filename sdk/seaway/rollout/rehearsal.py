"""A rollout on recorded requests: what served features were logged, sent through both arms again at their times."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from seaway.errors import DataUnreadable
from seaway.features.project import EVENT_TIME, LABEL_TIME
from seaway.rollout.forecast import Candidate, Outcome
from seaway.rollout.judge.decision import judge_fast
from seaway.rollout.judge.verdict import Decision
from seaway.rollout.observations import Observation
from seaway.rollout.plan import FULL, RolloutPlan
from seaway.serving.feature_log import ANSWER, ID, read_log

SERVED_AT = ANSWER[1]
RESAMPLED, SEED = 40, 0
BLOCK = 4  # looks in a row that are drawn together, since neighbours depend on each other
STRIDE = 4  # looks from one question to the judge to the next
HOUR_S = 3600.0


@dataclass(frozen=True)
class Recording:
    """Requests of a feature log as a file that `Replay` reads; `per_hour` is how many there were."""

    file: Path
    rows: int
    per_hour: float
    label: str = ""


def record(log: str, file: Path, inputs: Sequence[str], labels: Path | None = None, label: str = "") -> Recording:
    """Write the log at the URI `log` as replay examples, in the order in which it was served.

    Args:
        inputs: of the models.
        labels: Parquet with `id`, the column `label`, and perhaps `label_timestamp`; requests without one are left out.

    Raises:
        DataUnreadable: the log or the labels are empty or lack a column, or have no id in common.
    """
    served = read_log(log).sort_values(SERVED_AT).drop_duplicates([ID, SERVED_AT])
    _require(served, [ID, SERVED_AT, *inputs], log)
    rows = served[[ID, SERVED_AT, *inputs]].rename(columns={SERVED_AT: EVENT_TIME})
    if labels is not None:
        rows = _labelled(rows, labels, label)
    pq.write_table(pa.Table.from_pandas(rows, preserve_index=False), file)
    seconds = (rows[EVENT_TIME].max() - rows[EVENT_TIME].min()).total_seconds()
    return Recording(file, len(rows), HOUR_S * len(rows) / max(seconds, 1.0), label if labels else "")


def _labelled(rows: pd.DataFrame, file: Path, label: str) -> pd.DataFrame:
    try:
        known = pd.read_parquet(file)
    except (OSError, pa.ArrowException) as error:
        raise DataUnreadable(f"The labels {file} cannot be read as Parquet ({error}).") from error
    _require(known, [ID, label], str(file))
    wanted = [ID, label, *([LABEL_TIME] if LABEL_TIME in known else [])]
    joined = rows.merge(known[wanted].assign(**{ID: known[ID].astype(str)}).drop_duplicates(ID), on=ID)
    if joined.empty:
        raise DataUnreadable(
            f"No label of {file} has the id of a logged request; an id is the values of a row's keys, joined by '/'."
        )
    return joined


def _require(rows: pd.DataFrame, names: Sequence[str], where: str) -> None:
    if missing := [name for name in names if name not in rows]:
        raise DataUnreadable(f"{where} lacks {', '.join(missing)}; there are: {', '.join(map(str, rows.columns))}.")


def resampled(looks: Sequence[Observation], plan: RolloutPlan) -> Outcome:
    """How rollouts end that see such looks as a rehearsal saw: drawn again, by blocks of the same weight.

    Only the steps below full traffic are drawn; the error rate is the candidate's.
    """
    random = np.random.default_rng(SEED)
    pools = _pools(looks, plan)
    ends = [_end(pools, plan, random) for _ in range(RESAMPLED)]
    decisions = [decision for decision, _ in ends]
    candidate = [look.candidate for look in looks]
    return Outcome(
        Candidate(
            "as rehearsed", sum(arm.errors for arm in candidate) / max(sum(arm.requests for arm in candidate), 1)
        ),
        decisions.count(Decision.PROMOTE) / RESAMPLED,
        decisions.count(Decision.ROLLBACK) / RESAMPLED,
        int(np.median([requests for _, requests in ends])),
    )


def _pools(looks: Sequence[Observation], plan: RolloutPlan) -> list[list[Observation]]:
    """What each look below full traffic is drawn from: those at its weight, or the nearest below that was rehearsed."""
    partial = [look for look in looks if look.weight is not None and look.weight < FULL]
    pools: list[list[Observation]] = []
    for step in (step for step in plan.steps if step.weight < FULL):
        rehearsed = max((look.weight or 0 for look in partial if (look.weight or 0) <= step.weight), default=0)
        pool = [look for look in partial if look.weight == rehearsed]
        pools += [pool] * -(-step.requests // plan.requests_per_look)
    return pools


def _end(
    pools: Sequence[Sequence[Observation]], plan: RolloutPlan, random: np.random.Generator
) -> tuple[Decision, int]:
    """The decision, and the requests of both arms until then."""
    seen: list[Observation] = []
    while True:
        seen += _drawn(pools[min(len(seen), len(pools) - 1)], len(seen), random)
        if len(seen) % STRIDE == 0:
            decision = judge_fast(seen, plan.judged_by).decision
            requests = sum(look.stable.requests + look.candidate.requests for look in seen)
            if decision in (Decision.ROLLBACK, Decision.INCONCLUSIVE):
                return decision, requests
            if decision is Decision.PROMOTE and len(seen) >= len(pools):
                return decision, requests


def _drawn(pool: Sequence[Observation], place: int, random: np.random.Generator) -> list[Observation]:
    """The next looks, in the order in which they were seen."""
    start = int(random.integers(len(pool)))
    block = [pool[(start + ahead) % len(pool)] for ahead in range(BLOCK)]
    return [
        replace(look, time=float(place + ahead), measured_at=float(place + ahead)) for ahead, look in enumerate(block)
    ]

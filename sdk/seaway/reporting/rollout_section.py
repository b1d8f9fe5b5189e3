"""How a rollout, a model's lineage and an endpoint are shown."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from seaway.reporting import charts
from seaway.reporting.page import Badge, Block, Figure, Figures, Fold, Table, Text

ARMS = ("stable", "candidate")
LN10 = 2.302585092994046
SHOWN = -2.0, 4.0  # log10 of e-values; what is beyond is drawn at the edge, since decisions fall near 1 to 3
DECISIONS = {
    "PROMOTE": Badge("promoted", "good"),
    "ROLLBACK": Badge("rolled back", "bad"),
    "INCONCLUSIVE": Badge("inconclusive", "warn"),
    "UNCHANGED": Badge("nothing to roll out"),
}
HEALTH = {
    "healthy": Badge("healthy", "good"),
    "degraded": Badge("degraded", "warn"),
    "failing": Badge("failing", "bad"),
}
FINDINGS = {"SAFE": Badge("safe", "good"), "HARMFUL": Badge("harmful", "bad"), "UNDECIDED": Badge("undecided", "warn")}


def decision_badge(rollout: Mapping[str, Any]) -> Badge:
    """The end of a rollout in a word or two."""
    return DECISIONS.get(rollout["decision"], Badge(str(rollout["decision"]).lower()))


def rollout_blocks(rollout: Mapping[str, Any]) -> list[Block]:
    """Weights and evidence over time, each criterion's last evidence, and what each step saw."""
    ticks = rollout["ticks"]
    if not ticks:
        opening = "No look was taken. " if rollout["decision"] in ("ROLLBACK", "INCONCLUSIVE") else ""
        return [Text(opening + rollout["reason"])]
    return [
        *([] if rollout["decision"] == "PROMOTE" else [Text(rollout["reason"])]),
        Figures([_timeline(rollout)]),
        Figures([_evidence(ticks, "log_e_safety", "safety"), _evidence(ticks, "log_e_harm", "harm")]),
        _criteria(ticks[-1]["evidence"]),
        *_before(rollout.get("known") or {}),
        Fold("What each step saw", [_steps(ticks)]),
    ]


def _timeline(rollout: Mapping[str, Any]) -> Figure:
    ticks, start = rollout["ticks"], rollout["ticks"][0]["time"]
    drawn = [charts.Tick(tick["time"] - start, tick["weights"]["candidate"]) for tick in ticks]
    end = 100.0 if rollout["decision"] == "PROMOTE" else 0.0
    drawn.append(charts.Tick(drawn[-1].seconds, end, rollout["decision"]))
    weights = list(dict.fromkeys(tick["weights"]["candidate"] for tick in ticks))
    requests = sum(sum(tick["requests"].values()) for tick in ticks)
    alt = f"The candidate's weight went {', '.join(map(str, weights))} and ended at {end:.0f} percent."
    caption = f"{len(ticks)} looks at {requests:,} requests in {drawn[-1].seconds:.0f} s."
    return Figure(charts.timeline(drawn, alt), "The candidate's share of the traffic", caption)


def _evidence(ticks: Sequence[Mapping[str, Any]], key: str, word: str) -> Figure:
    start = ticks[0]["time"]
    names = list(dict.fromkeys(item["criterion"] for tick in ticks for item in tick["evidence"]))
    lines = [_trace(ticks, start, name, key) for name in names]
    title = f"Evidence of {word}"
    alt = f"{title} by criterion, log10 of the e-value at the end: " + ", ".join(
        f"{line.name} {line.y[-1]:.1f}" for line in lines
    )
    caption = (
        "Log10 of the e-value, valid at every look: 2 is a hundred to one against the opposite. "
        f"Cut at {SHOWN[0]:g} and {SHOWN[1]:g}."
    )
    return Figure(charts.lines(lines, "seconds", "log10 e-value", alt), title, caption)


def _trace(ticks: Sequence[Mapping[str, Any]], start: float, name: str, key: str) -> charts.Series:
    points = [
        (tick["time"] - start, min(max(item[key] / LN10, SHOWN[0]), SHOWN[1]))
        for tick in ticks
        for item in tick["evidence"]
        if item["criterion"] == name
    ]
    return charts.Series(name, [x for x, _ in points], [y for _, y in points])


def _criteria(evidence: Sequence[Mapping[str, Any]]) -> Table:
    rows = [[item["criterion"], FINDINGS[item["finding"]], item["sentence"]] for item in evidence]
    return Table(["criterion", "finding", "evidence at the last look"], rows)


def _before(known: Mapping[str, Any]) -> list[Block]:
    """What the endpoint's earlier rollouts had to say; nothing where they were not asked."""
    if not known:
        return []
    ledger, noise = known["ledger"], known["noise"]
    told = f"{max(looks for looks, _ in noise.values()):,.0f} looks" if noise else "no looks"
    noisy = [f"{name} {ratio:.1f}" for name, (_, ratio) in noise.items() if ratio > 1]
    more = f", and more noise than independent requests have (variance ratio: {', '.join(noisy)})" if noisy else ""
    return [
        Text(
            f"Release {ledger['releases']} of {ledger['year']} at this endpoint, {ledger['promoted']} promoted. "
            f"It was judged at {known['level']:.2g}, the chance that one outside a margin is promoted, so that at most "
            f"{known['bound']:.0%} of the year's promotions are expected to be such. Earlier rollouts gave "
            f"{told}{more}."
        )
    ]


def _steps(ticks: Sequence[Mapping[str, Any]]) -> Table:
    headers = ["weight", "arm", "requests", "errors", "median latency, ms", "loss"]
    weights = dict.fromkeys(tick["weights"]["candidate"] for tick in ticks)
    rows = [
        _step_row([tick for tick in ticks if tick["weights"]["candidate"] == weight], weight, arm)
        for weight in weights
        for arm in ARMS
    ]
    return Table(headers, rows, align="llrrrr")


def _step_row(ticks: Sequence[Mapping[str, Any]], weight: int, arm: str) -> list[Any]:
    latency = _mean(ticks, "latency_p50_ms", arm)
    loss = _mean(ticks, "loss", arm)
    return [
        f"{weight} %",
        arm,
        sum(tick["requests"][arm] for tick in ticks),
        sum(tick["errors"][arm] for tick in ticks),
        None if latency is None else f"{latency:.1f}",
        None if loss is None else f"{loss:.3f}",
    ]


def _mean(ticks: Sequence[Mapping[str, Any]], key: str, arm: str) -> float | None:
    values = [tick[key][arm] for tick in ticks if tick[key][arm] is not None]
    return sum(values) / len(values) if values else None


def callers_blocks(rollout: Mapping[str, Any]) -> list[Block]:
    """Who called the arms during the rollout; nothing where no mesh was asked."""
    around = rollout.get("callers") or {}
    told = around.get("source", "").capitalize()
    if not told:
        return [Text(f"Nobody told who called the endpoint: {around['note']}.")] if around.get("note") else []
    headers = ["caller", "Service", "requests a second", "errors", "health"]
    rows = [
        [
            edge["source"],
            edge["target"],
            f"{edge['requests_per_s']:.2f}",
            f"{edge['error_share']:.1%}",
            HEALTH[edge["health"]],
        ]
        for edge in around["edges"]
    ]
    seen = "" if rows else " It saw no request."
    note = f" {around['note'].capitalize()}." if around["note"] else ""
    text = f"As {told} tells it, over the {around['seconds']:,} s of the rollout.{seen}{note}"
    return [Text(text), *([Table(headers, rows, align="llrrl")] if rows else [])]


def lineage_blocks(lineage: Mapping[str, Any], arms: Mapping[str, str]) -> list[Block]:
    """Where the model comes from, and which version each arm served; `arms` maps an arm to its version."""
    rows = [
        ["training rows", lineage["data_sha256"]],
        ["code", lineage["code_version"]],
        ["replaces", lineage.get("parent") or None],
        ["seed", str(lineage.get("seed", ""))],
        ["packaged", lineage.get("created")],
        *([f"{arm} version", version] for arm, version in arms.items()),
        *([f"{name} version", version] for name, version in lineage.get("frameworks", {}).items()),
    ]
    parameters = [[name, json.dumps(value)] for name, value in lineage["parameters"].items()]
    return [
        Table(["", "value"], rows, align="ll"),
        Fold("Parameters", [Table(["parameter", "value"], parameters, align="ll")]),
    ]

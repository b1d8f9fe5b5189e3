"""How a rollout, a model's lineage and an endpoint are shown."""

import json
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from seaway.reporting import charts
from seaway.reporting.data_section import origin_rows
from seaway.reporting.page import Badge, Block, Figure, Figures, Fold, Table, Text, Tile, Tiles

ARMS = ("stable", "candidate")
USUAL = 3.0  # natural logarithm of the e-value that decides by the default policy, near enough
ADVICE = {  # by the judge's words
    "does not follow its weights": "Look at the gateway's route and its replicas, and for a second controller that "
    "writes weights.",
    "saw nothing": "The metrics were missing, stale or reset: look at the metrics store, and at restarts and scaling "
    "of the gateway. Then run it again.",
    "which arm had them is unknown": "Requests vanished before an arm answered: look at the gateway's own errors and "
    "time-outs.",
    "whatever stable does": "Stable may fail as well: look at what both arms depend on.",
    "no more requests": "Give more held-out examples, or ask more of them of both arms (shadow).",
    "came into production": "Run the pipeline again: it compares with the model that is in production now.",
}
HARM = {
    "errors": "Look at the candidate's log for what it fails at; do not run it again before that is mended.",
    "latency": "Compare both arms' latencies at the same load: a larger model, a colder cache or fewer replicas are "
    "the usual causes.",
    "quality": "The candidate predicts worse: compare the training rows and the evaluation of both models.",
}
UNPROVED = (
    "Nothing is wrong, and too little was proved: give the first criterion below a larger margin, or the rollout a "
    "larger budget or shadow."
)
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
    """What happened, why and what to do; a chart a criterion, the decisive one first; weights; what each step saw."""
    ticks = rollout["ticks"]
    if not ticks:
        opening = "No look was taken. " if rollout["decision"] in ("ROLLBACK", "INCONCLUSIVE") else ""
        return [Text(opening + rollout["reason"])]
    return [
        rollout_answers(rollout),
        Figures([_proof(rollout, name) for name in _decisive_first(rollout)]),
        Figures([_timeline(rollout)]),
        *_before(rollout.get("known") or {}),
        Fold("Each criterion at the last look", [_criteria(ticks[-1]["evidence"])]),
        Fold("What each step saw", [_steps(ticks)]),
    ]


def rollout_so_far(rollout: Mapping[str, Any]) -> list[Block]:
    """A rollout that goes on: weight and requests now, each criterion's evidence against what decides, and weights."""
    ticks = rollout["ticks"]
    if not ticks:
        return [Text("No look has been taken yet.")]
    weights, requests = ticks[-1]["weights"], _requests(ticks)[-1]
    tiles = [
        Tile("Candidate's weight", f"{weights['candidate']} %", f"stable has {weights['stable']} %"),
        Tile("Requests", requests, f"in {len(ticks)} looks, of both arms"),
        *(Tile(f"Errors, {arm}", sum(tick["errors"][arm] for tick in ticks)) for arm in ARMS),
    ]
    return [
        Tiles(tiles),
        Figures([_proof(rollout, name) for name in _decisive_first(rollout)]),
        Figures([_timeline(rollout)]),
        _criteria(ticks[-1]["evidence"]),
        Fold("What each step saw", [_steps(ticks)]),
    ]


def _timeline(rollout: Mapping[str, Any]) -> Figure:
    ticks, start = rollout["ticks"], rollout["ticks"][0]["time"]
    drawn = [charts.Tick(tick["time"] - start, tick["weights"]["candidate"]) for tick in ticks]
    weights = list(dict.fromkeys(tick["weights"]["candidate"] for tick in ticks))
    requests = sum(sum(tick["requests"].values()) for tick in ticks)
    alt = f"The candidate's weight went {', '.join(map(str, weights))} percent so far."
    if rollout["decision"]:
        end = 100.0 if rollout["decision"] == "PROMOTE" else 0.0
        drawn.append(charts.Tick(drawn[-1].seconds, end, rollout["decision"]))
        alt = f"The candidate's weight went {', '.join(map(str, weights))} and ended at {end:.0f} percent."
    caption = f"{len(ticks)} looks at {requests:,} requests in {drawn[-1].seconds:.0f} s."
    return Figure(charts.timeline(drawn, alt), "The candidate's share of the traffic", caption)


def _decisive_first(rollout: Mapping[str, Any]) -> list[str]:
    """Criteria: those that did harm, then those that were proved last or not at all."""
    last = {item["criterion"]: item for tick in rollout["ticks"] for item in tick["evidence"]}
    return sorted(last, key=lambda name: (last[name]["finding"] != "HARMFUL", _reached(rollout, name)))


def _reached(rollout: Mapping[str, Any], name: str) -> float:
    """The largest share of what decides that the evidence of safety has had; above 1, by more the earlier it did."""
    shares = [_share(rollout, item, "safety") for tick in rollout["ticks"] for item in _of(tick, name)]
    enough = next((place for place, share in enumerate(shares) if share >= 1), None)
    return max(shares) if enough is None else 1 + 1 / (1 + enough)


def _of(tick: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    return [item for item in tick["evidence"] if item["criterion"] == name]


def _share(rollout: Mapping[str, Any], item: Mapping[str, Any], hypothesis: str) -> float:
    """Evidence as a share of what decides; of rollouts of an earlier edition, of what decided by default."""
    needed = rollout.get("levels", {}).get(item["criterion"], {}).get(hypothesis, USUAL)
    return float(item[f"log_e_{hypothesis}"] / needed)


def _proof(rollout: Mapping[str, Any], name: str) -> Figure:
    requests = _requests(rollout["ticks"])
    seen = [(sent, item) for sent, tick in zip(requests, rollout["ticks"], strict=True) for item in _of(tick, name)]
    shares = {word: [_share(rollout, item, word) for _, item in seen] for word in ("harm", "safety")}
    proof = charts.Proof([sent for sent, _ in seen], shares["harm"], shares["safety"])
    last = seen[-1][1]
    alt = f"{name}: at the end, {shares['harm'][-1]:.0%} of what proves harm, {shares['safety'][-1]:.0%} of safety."
    finding = FINDINGS[last["finding"]].text
    return Figure(charts.evidence(proof, _changes(rollout["ticks"]), alt), f"{name}: {finding}", last["sentence"])


def _requests(ticks: Sequence[Mapping[str, Any]]) -> list[int]:
    """Of both arms, until the end of each look."""
    return list(accumulate(sum(tick["requests"].values()) for tick in ticks))


def _changes(ticks: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """The candidate's weights by the requests at which they were set."""
    begun = [0, *_requests(ticks)[:-1]]
    weights = [tick["weights"]["candidate"] for tick in ticks]
    changed = [place for place, weight in enumerate(weights) if place == 0 or weight != weights[place - 1]]
    return {begun[place]: f"{weights[place]} %" for place in changed}


def rollout_answers(rollout: Mapping[str, Any]) -> Table:
    """What happened, why, and what to do, for whoever was woken by it."""
    ticks, decision = rollout["ticks"], rollout["decision"]
    weight = ticks[-1]["weights"]["candidate"]
    end = "has all traffic" if decision == "PROMOTE" else "was taken out; stable has all traffic"
    happened = (
        f"The candidate {end}. {DECISIONS.get(decision, Badge(decision)).text.capitalize()} at a weight of {weight} %, "
        f"after {len(ticks)} looks at {_requests(ticks)[-1]:,} requests.{_back(rollout.get('back_s'))}"
    )
    rows = [["What happened", happened], ["Why", rollout["reason"]], ["What to do", _advice(rollout)]]
    return Table(["", "this rollout"], rows, align="ll")


def _back(seconds: float | None) -> str:
    return "" if seconds is None else f" Stable had all traffic {seconds:.1f} s after the look that decided."


def _advice(rollout: Mapping[str, Any]) -> str:
    if rollout["decision"] == "PROMOTE":
        return "Nothing. The command seaway verify shows what was signed of it."
    told = next((advice for words, advice in ADVICE.items() if words in rollout["reason"]), "")
    harmful = [item["criterion"] for item in rollout["ticks"][-1]["evidence"] if item["finding"] == "HARMFUL"]
    causes = [HARM[name.split()[0]] for name in harmful if name.split()[0] in HARM]
    return f"Nothing is urgent: users are served by stable. {told or next(iter(causes), UNPROVED)}"


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
        *origin_rows(lineage.get("origins", [])),
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

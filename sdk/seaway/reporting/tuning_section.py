"""How a search for parameters is shown, from what its `study.json` holds."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from seaway.reporting import tuning_charts as charts
from seaway.reporting.page import Badge, Block, Cell, Figure, Figures, Fold, Table, Text, Tile
from seaway.reporting.tuning_charts import Axis, Path, Point

Study = Mapping[str, Any]
Trial = Mapping[str, Any]
STATES = {
    "COMPLETE": Badge("complete", "good"),
    "PRUNED": Badge("ended early"),
    "FAILED": Badge("failed", "bad"),
    "RUNNING": Badge("running"),
}
WHOLE = 1000  # from here on a figure is told without decimals
TICK = 12  # characters of a choice in a chart


def study_tiles(study: Study) -> list[Tile]:
    """The key figures of a study."""
    trials, metric = study["trials"], _metric(study)
    ended = {state: sum(trial["state"] == state for trial in trials) for state in STATES}
    epochs, seconds = sum(trial["epochs"] for trial in trials), sum(trial["seconds"] for trial in trials)
    counts = f"{ended['COMPLETE']} to the end, {ended['PRUNED']} ended early, {ended['FAILED']} failed"
    return [
        Tile(f"Best {_words(metric)}", figure(_best(study)["values"][metric]), f"trial {study['best']}"),
        Tile("Trials", len(trials), counts),
        Tile("Epochs", epochs, f"{seconds:.0f} s of training"),
        Tile("Algorithm", study["algorithm"]["name"], study["ending"]),
    ]


def study_blocks(study: Study) -> list[Block]:
    """What was tried, what came of it, and what mattered."""
    if not study["trials"]:
        return [Text("No trial was asked for; the parameters are as given.")]
    pair = [figure for figure in (_curves(study), _importance(study), _pareto(study)) if figure is not None]
    return [
        Text(_lead(study)),
        Figures([_history(study)]),
        Figures([_parallel(study)]),
        *([Figures(pair)] if pair else []),
        _chosen(study),
        Fold(f"All {len(study['trials'])} trials", [_table(study)]),
    ]


def _lead(study: Study) -> str:
    part = study["rows_fraction"]
    text = f"The study ended: {study['ending']}."
    if part < 1:
        finalists = sum(trial["rows"] == 1 for trial in study["trials"])
        text += (
            f" It looked for points on {part:.0%} of the training rows; the best {finalists} were trained again on all "
            "rows, and only these can be best."
        )
    if study["constraints"]:
        bounds = [" ".join(_bounds(one)) for one in study["constraints"]]
        text += f" A trial can be best only with {', '.join(bounds)}."
    return text


def _bounds(constraint: Mapping[str, Any]) -> list[str]:
    low, high = constraint["at_least"], constraint["at_most"]
    return [
        _words(constraint["metric"]),
        *([f"at least {low:g}"] if low is not None else []),
        *([f"at most {high:g}"] if high is not None else []),
    ]


def _history(study: Study) -> Figure:
    metric, best = _metric(study), _best(study)
    shown = [trial for trial in study["trials"] if _value(trial, metric) is not None]
    points = [Point(trial["number"], trial["values"][metric], _counts(study, trial)) for trial in shown]
    failed = [trial["number"] for trial in study["trials"] if trial["state"] == "FAILED"]
    top = f"the best is {figure(best['values'][metric])} of trial {best['number']}"
    alt = f"{_words(metric)} of {len(points)} trials by number; {top}."
    chart = charts.search_history(points, failed, _words(metric), study["objectives"][0]["goal"] == "maximize", alt)
    return Figure(chart, "Trials in the order of their start")


def _parallel(study: Study) -> Figure:
    metric = _metric(study)
    shown = [trial for trial in study["trials"] if _value(trial, metric) is not None]
    axes = [_parameter_axis(name, fields) for name, fields in study["space"].items()]
    values = [trial["values"][metric] for trial in shown]
    low, high = min(values), max(values)
    last = Axis(_words(metric), {figure(low): 0.0, figure(high): 1.0} if low < high else {figure(low): 0.5})
    paths = [_path(study, trial, low, high) for trial in shown]
    alt = f"The parameters of {len(shown)} trials and the {_words(metric)} that each led to; the best one is bold."
    return Figure(charts.parallel_coordinates([*axes, last], paths, alt), "Parameters and what they led to")


def _parameter_axis(name: str, fields: Mapping[str, Any]) -> Axis:
    if fields["type"] == "categorical":
        return Axis(name, {_short(choice): _place(fields, choice) or 0.0 for choice in fields["choices"]})
    return Axis(name, {f"{fields[end]:.3g}": _place(fields, fields[end]) or 0.0 for end in ("low", "high")})


def _path(study: Study, trial: Trial, low: float, high: float) -> Path:
    value = trial["values"][_metric(study)]
    height = (value - low) / (high - low) if low < high else 0.5
    places = [_place(fields, trial["params"].get(name)) for name, fields in study["space"].items()]
    good = height if study["objectives"][0]["goal"] == "maximize" else 1 - height
    return Path([*places, height], good, trial["number"] == study["best"])


def _place(fields: Mapping[str, Any], value: Any) -> float | None:
    """Where a value stands on its axis, from 0 to 1."""
    if value is None:
        return None
    if fields["type"] == "categorical":
        place: int = fields["choices"].index(value)
        return (place + 0.5) / len(fields["choices"])
    low, high, at = fields["low"], fields["high"], value
    if fields["log"]:
        low, high, at = math.log(low), math.log(high), math.log(at)
    return float((at - low) / (high - low))


def _curves(study: Study) -> Figure | None:
    metric = _metric(study)
    curves = [
        (curve, trial["number"] == study["best"]) for trial in study["trials"] if (curve := _curve(trial, metric))
    ]
    if not curves:
        return None
    alt = f"{_words(metric)} by epoch of {len(curves)} trials; the best one is bold."
    return Figure(charts.learning_curves(curves, _words(metric), alt), "Trials by epoch")


def _curve(trial: Trial, metric: str) -> list[Point]:
    whole = trial["state"] == "COMPLETE"
    return [Point(entry["epoch"], entry[metric], whole) for entry in trial["history"] if entry.get(metric) is not None]


def _importance(study: Study) -> Figure | None:
    found = study["importance"]
    if found is None:
        return None
    at = f", as they stood after epoch {found['epoch']}" if found["epoch"] else ""
    caption = f"Of {found['trials']} trials{at}. PED-ANOVA: how far the best quarter differs from all."
    alt = (
        "Importance by parameter: " + ", ".join(f"{name} {share:.0%}" for name, share in found["shares"].items()) + "."
    )
    return Figure(charts.shares(found["shares"], "share, %", alt), "What mattered", caption)


def _pareto(study: Study) -> Figure | None:
    if len(study["objectives"]) < 2:  # noqa: PLR2004
        return None
    x, y = (one["metric"] for one in study["objectives"][:2])
    shown = [trial for trial in study["trials"] if _counts(study, trial)]
    points = [Point(one["values"][x], one["values"][y], True, one["number"] in study["pareto"]) for one in shown]
    alt = f"{_words(y)} over {_words(x)} of {len(points)} trials; {len(study['pareto'])} are beaten by no other."
    goals = ", ".join(f"{one['goal']} {_words(one['metric'])}" for one in study["objectives"])
    return Figure(charts.pareto(points, _words(x), _words(y), alt), "Pareto front", f"To {goals}.")


def _chosen(study: Study) -> Table:
    rows = [[name, json.dumps(study["params"].get(name, _at(study, name)))] for name in study["space"]]
    return Table(["parameter", "chosen"], rows, align="lr")


def _at(study: Study, name: str) -> Any:
    return _best(study)["params"].get(name)


def _table(study: Study) -> Table:
    metrics = list(dict.fromkeys(one["metric"] for one in [*study["objectives"], *study["constraints"]]))
    names = list(study["space"])
    headers = ["trial", "state", *(_words(metric) for metric in metrics), "epochs", "seconds", *names, "reason"]
    rows = [_row(study, trial, metrics, names) for trial in study["trials"]]
    return Table(headers, rows)


def _row(study: Study, trial: Trial, metrics: Sequence[str], names: Sequence[str]) -> list[Cell]:
    state = Badge("best", "good") if trial["number"] == study["best"] else STATES[trial["state"]]
    values = [None if (value := _value(trial, metric)) is None else figure(value) for metric in metrics]
    params = [_short(trial["params"][name]) if name in trial["params"] else None for name in names]
    reason = trial["reason"].strip().splitlines()[-1] if trial["reason"] else None
    return [trial["number"], state, *values, trial["epochs"], round(trial["seconds"], 1), *params, reason]


def figure(value: float) -> str:
    """A figure as text: four digits behind the point, or none where there are that many before it."""
    return f"{value:.4f}" if abs(value) < WHOLE else f"{value:,.0f}"


def _counts(study: Study, trial: Trial) -> bool:
    """Whether the trial ran to its end on all rows and keeps the constraints."""
    kept = all(_keeps(one, trial["values"].get(one["metric"])) for one in study["constraints"])
    return bool(kept and trial["state"] == "COMPLETE" and trial["rows"] == 1)


def _keeps(constraint: Mapping[str, Any], value: float | None) -> bool:
    low, high = constraint["at_least"], constraint["at_most"]
    return value is not None and (low is None or value >= low) and (high is None or value <= high)


def _value(trial: Trial, metric: str) -> float | None:
    value: float | None = trial["values"].get(metric)
    return value


def _metric(study: Study) -> str:
    return str(study["objectives"][0]["metric"])


def _best(study: Study) -> Trial:
    return next(trial for trial in study["trials"] if trial["number"] == study["best"])


def _words(metric: str) -> str:
    return metric.replace("_", " ")


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= TICK else f"{text[: TICK - 1]}\N{HORIZONTAL ELLIPSIS}"

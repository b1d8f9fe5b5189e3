"""How an evaluation is shown: the blocks that its own page and the page of a whole run share."""

from collections.abc import Mapping, Sequence
from typing import Any

from seaway.reporting import charts
from seaway.reporting.page import Badge, Block, Cell, Figure, Figures, Fold, Page, Table, Text, Tile
from seaway.version import VERSION

TILES = 4  # figures at the head of the page

Evaluation = Mapping[str, Any]


def evaluation_page(evaluation: Evaluation) -> Page:
    """The page of one evaluation."""
    page = Page(
        "Evaluation",
        f"How well the model predicts {evaluation['label']!r}, on {evaluation['rows']:,} held-out rows"
        f"{_period(evaluation)}.",
        gate_badge(evaluation),
        tiles(evaluation),
        f"Seaway {VERSION}. Intervals are 95 % jackknife intervals; those of rates are Wilson intervals.",
    )
    return (
        page.section("Against the baselines", *comparison(evaluation))
        .section("Curves", *curves(evaluation))
        .section("Slices", *slices(evaluation))
        .section("Gate", *gate(evaluation), badge=gate_badge(evaluation))
    )


def tiles(evaluation: Evaluation) -> list[Tile]:
    """The key figures of an evaluation."""
    model, known = evaluation["models"]["model"], _titles(evaluation)
    return [
        Tile(title, _figure(model[name]["value"]), f"95 % interval {_span(model[name])}")
        for name, title in known.items()
        if name in model
    ][:TILES]


def _titles(evaluation: Evaluation) -> dict[str, str]:
    """The figures by name, the first the one that models are compared by."""
    return {metric["name"]: metric["title"] for metric in evaluation["task"]["metrics"]}


def primary(evaluation: Evaluation) -> Mapping[str, Any]:
    """The figure that models are compared by."""
    metric: Mapping[str, Any] = evaluation["task"]["metrics"][0]
    return metric


def headline(evaluation: Evaluation) -> str:
    """The figure that models are compared by, and its value."""
    metric = primary(evaluation)
    return f"{metric['title']} {_figure(evaluation['metrics'][metric['name']])}"


def gate_badge(evaluation: Evaluation) -> Badge:
    return Badge("gate open", "good") if evaluation["gate"]["passed"] else Badge("gate closed", "bad")


def comparison(evaluation: Evaluation) -> list[Block]:
    """Every model with every figure, and what their differences allow to say."""
    metrics, differences = evaluation["task"]["metrics"], evaluation["differences"]
    headers = {metric["name"]: f"{metric['title']} {'↑' if metric['higher'] else '↓'}" for metric in metrics}
    rows: list[list[Cell]] = [
        [title(name, evaluation), *(_value(figures.get(metric)) for metric in headers)]
        for name, figures in evaluation["models"].items()
    ]
    compared = [name for name in headers if any(name in parts for parts in differences.values())]
    paired: list[list[Cell]] = [
        [f"minus {title(name, evaluation)}", *(_signed(parts[metric]) for metric in compared)]
        for name, parts in differences.items()
    ]
    return [
        Text("\n\n".join([*evaluation["comparisons"], *evaluation["notes"]])),
        Table(
            ["", *headers.values()],
            rows,
            "On the same rows; an arrow says which way is better",
            "l" + "r" * len(headers),
        ),
        Fold(
            "Paired differences with their intervals",
            [Table(["the model", *(headers[name] for name in compared)], paired, align="l" + "r" * len(compared))],
        ),
    ]


def _value(estimate: Mapping[str, float] | None) -> Cell:
    return _figure(estimate["value"]) if estimate else None


def _figure(value: float) -> str:
    """Four digits: after the point for what is about one, else those that count."""
    if 0 < abs(value) < 0.01:  # noqa: PLR2004
        return f"{value:.4g}"
    return f"{value:.4f}" if abs(value) < 10 else f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"  # noqa: PLR2004


def curves(evaluation: Evaluation) -> list[Block]:
    """Those that the evaluation has the data of."""
    drawn = [draw(evaluation) for key, draw in CURVES.items() if key in evaluation]
    return [Figures(drawn)] if drawn else [Text("This task draws none.")]


def _confusion(evaluation: Evaluation) -> Figure:
    confusion = evaluation["confusion"]
    if confusion["threshold"] is None:
        return _confusion_of_many(confusion["matrix"], confusion["classes"])
    (kept, false), (missed, hits) = confusion["matrix"]
    called, positives = false + hits, missed + hits
    precision = f"{hits / called:.0%} of the {called:,} that it calls are right" if called else "it calls none"
    return Figure(
        charts.matrix(
            [[kept, false], [missed, hits]],
            confusion["classes"],
            f"Confusion matrix: {kept} true negatives, {false} false positives, {missed} false negatives, {hits} hits.",
        ),
        f"At a threshold of {confusion['threshold']:g}",
        f"The model finds {hits / positives:.0%} of {positives:,} {evaluation['positive']} rows; {precision}.",
    )


def _confusion_of_many(matrix: Sequence[Sequence[int]], names: Sequence[str]) -> Figure:
    wrong = [
        (count, row, column) for row, cells in enumerate(matrix) for column, count in enumerate(cells) if row != column
    ]
    count, row, column = max(wrong, default=(0, 0, 0))
    alt = "Confusion matrix: " + "; ".join(
        f"{name} {cells[place]} right" for place, (name, cells) in enumerate(zip(names, matrix, strict=True))
    )
    told = (
        f"Most often {names[row]} is taken for {names[column]}: {count:,} times."
        if count
        else "No row is taken for another class."
    )
    return Figure(charts.matrix(matrix, names, alt), "Observed and predicted", told)


def _predicted_observed(evaluation: Evaluation) -> Figure:
    bins = evaluation["predicted_observed"]
    predicted = [part["predicted"] for part in bins]
    lines = [
        charts.Series("observed", predicted, [part["observed"] for part in bins]),
        charts.Series("as predicted", predicted, predicted),
    ]
    alt = "Observed over predicted: " + ", ".join(
        f"{part['predicted']:.4g} gives {part['observed']:.4g}" for part in bins
    )
    unit = f" ({evaluation['unit']})" if evaluation["unit"] else ""
    caption = f"Mean {evaluation['label']}{unit} of rows in {len(bins)} bins of equal size by prediction."
    return Figure(charts.lines(lines, "predicted", "", alt), "Predicted and observed", caption)


def _errors(evaluation: Evaluation) -> Figure:
    found = evaluation["errors"]
    alt = f"Distribution of the errors between {found['edges'][0]:.4g} and {found['edges'][-1]:.4g}."
    unit = f" ({evaluation['unit']})" if evaluation["unit"] else ""
    chart = charts.histogram(found["edges"], {"rows": found["counts"]}, f"predicted minus observed{unit}", alt)
    return Figure(chart, "Errors", "All but the utmost one per cent.")


def _roc(evaluation: Evaluation) -> Figure:
    lines = [
        charts.Series(
            title(name, evaluation),
            curve["false_positive_rate"],
            curve["true_positive_rate"],
            _area(evaluation, name, "roc_auc"),
        )
        for name, curve in evaluation["roc"].items()
    ]
    alt = "ROC curves. Area under the curve: " + "; ".join(f"{line.name} {line.note}" for line in lines) + "."
    return Figure(charts.roc(lines, alt), "ROC curve", "Area under the curve beside each name; 0.5 is chance.")


def _precision_recall(evaluation: Evaluation) -> Figure:
    lines = [
        charts.Series(title(name, evaluation), curve["recall"], curve["precision"], _area(evaluation, name, "pr_auc"))
        for name, curve in evaluation["precision_recall"].items()
    ]
    alt = "Precision over recall. Average precision: " + "; ".join(f"{line.name} {line.note}" for line in lines) + "."
    caption = f"{evaluation['rate']:.1%} of the rows are {evaluation['positive']}: the precision of guessing."
    return Figure(charts.precision_recall(lines, evaluation["rate"], alt), "Precision and recall", caption)


def _calibration(evaluation: Evaluation) -> Figure:
    bins = [charts.Bin(**part) for part in evaluation["reliability"]]
    ece = evaluation["models"]["model"]["ece"]
    alt = "Observed rate over predicted probability: " + ", ".join(
        f"{part.predicted:.2f} gives {part.observed:.2f}" for part in bins
    )
    mean = sum(part.predicted * part.count for part in bins) / evaluation["rows"]
    caption = (
        f"Predicted {mean:.1%} on average, {evaluation['rate']:.1%} happened. On average over bins of equal size the "
        f"two differ by {ece['value']:.3f} ({_span(ece)}). Bars are 95 % Wilson intervals."
    )
    return Figure(charts.calibration(bins, alt), "Calibration", caption)


CURVES = {
    "roc": _roc,
    "precision_recall": _precision_recall,
    "reliability": _calibration,
    "confusion": _confusion,
    "predicted_observed": _predicted_observed,
    "errors": _errors,
}  # by the key of the evaluation that holds the data


def slices(evaluation: Evaluation) -> list[Block]:
    """The first figure of each slice, and a table with the rates."""
    figures = [_slice_figure(evaluation, column, parts) for column, parts in evaluation["slices"].items()]
    tables = [_slice_table(column, parts, evaluation) for column, parts in evaluation["slices"].items()]
    if not figures:
        return [Text("No slices were asked for.")]
    return [Figures(figures), Fold("The same in numbers", tables)]


def _slice_figure(evaluation: Evaluation, column: str, parts: Sequence[Mapping[str, Any]]) -> Figure:
    metric, words = primary(evaluation)["name"], primary(evaluation)["title"]
    overall = evaluation["models"]["model"][metric]["value"]
    bars = [
        charts.Bar(part["name"], **part[metric], count=part["rows"], faint=part["small"])
        for part in parts
        if part[metric]
    ]
    alt = f"{words} by {column}: " + ", ".join(f"{bar.name} {bar.value:.3g}" for bar in bars)
    dropped = [part["name"] for part in parts if not part[metric]]
    notes = [
        "Hollow: too few rows to trust." if any(bar.faint for bar in bars) else "",
        f"Left out, all of one class: {', '.join(dropped)}." if dropped else "",
    ]
    figure = charts.intervals(bars, f"{words} with its 95 % interval", alt, overall, f"all {_figure(overall)}")
    return Figure(figure, f"By {column}", " ".join(note for note in notes if note))


def _slice_table(column: str, parts: Sequence[Mapping[str, Any]], evaluation: Evaluation) -> Table:
    metric = primary(evaluation)
    rated = {"rate": "observed", "predicted": "mean prediction"} if any("rate" in part for part in parts) else {}
    headers = [column, "rows", *rated.values(), metric["title"], "95 % interval", ""]
    rows = [_slice_row(part, metric["name"], list(rated), "positives" in evaluation) for part in parts]
    return Table(headers, rows, align="lr" + "r" * len(rated) + "rrl")


def _slice_row(part: Mapping[str, Any], metric: str, rated: Sequence[str], share: bool) -> list[Cell]:
    found = part[metric]
    rates: list[Cell] = [f"{part[name]:.1%}" if share else _figure(part[name]) for name in rated]
    figures: list[Cell] = [_figure(found["value"]), _span(found)] if found else [None, None]
    return [part["name"], part["rows"], *rates, *figures, Badge("few rows", "warn") if part["small"] else ""]


def gate(evaluation: Evaluation) -> list[Block]:
    """Each rule with its value, its bound and whether it is met."""
    outcomes = evaluation["gate"]["outcomes"]
    if not outcomes:
        return [Text("The gate has no rules, so it is open.")]
    rows = [[outcome["rule"], _met(outcome["passed"]), outcome["says"]] for outcome in outcomes]
    return [Table(["rule", "", "found and wanted"], rows)]


def _met(passed: bool) -> Badge:
    return Badge("met", "good") if passed else Badge("not met", "bad")


def title(name: str, evaluation: Evaluation) -> str:
    """A model's name in words, with the names of the baselines that are the same model."""
    also = [alias.replace("_", " ") for alias, measured in evaluation["aliases"].items() if measured == name]
    words = "this model" if name == "model" else name.replace("_", " ")
    return f"{words} ({', '.join(also)})" if also else words


def _area(evaluation: Evaluation, name: str, metric: str) -> str:
    return f"{evaluation['models'][name][metric]['value']:.3f}"


def _span(estimate: Mapping[str, float]) -> str:
    return f"{_figure(estimate['low'])} to {_figure(estimate['high'])}"


def _signed(estimate: Mapping[str, float]) -> str:
    return "{:+.4g} ({:+.4g} to {:+.4g})".format(*(estimate[end] for end in ("value", "low", "high")))


def _period(evaluation: Evaluation) -> str:
    return " from {} to {}".format(*evaluation["period"]) if evaluation["period"] else ""

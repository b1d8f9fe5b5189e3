"""How an evaluation is shown: the blocks that its own page and the page of a whole run share."""

from collections.abc import Mapping, Sequence
from typing import Any

from seaway.reporting import charts
from seaway.reporting.page import Badge, Block, Cell, Figure, Figures, Fold, Page, Table, Text, Tile
from seaway.version import VERSION

METRICS = {"roc_auc": "ROC AUC", "pr_auc": "PR AUC", "log_loss": "log loss", "brier": "Brier", "ece": "ECE"}
HIGHER = ("roc_auc", "pr_auc")

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
        .section("Discrimination and calibration", *curves(evaluation))
        .section("Slices", *slices(evaluation))
        .section("Gate", *gate(evaluation), badge=gate_badge(evaluation))
    )


def tiles(evaluation: Evaluation) -> list[Tile]:
    """The key figures of an evaluation."""
    model = evaluation["models"]["model"]
    return [
        Tile(METRICS[name], f"{model[name]['value']:.3f}", f"95 % interval {_span(model[name], 3)}")
        for name in ("roc_auc", "pr_auc", "log_loss", "ece")
    ]


def gate_badge(evaluation: Evaluation) -> Badge:
    return Badge("gate open", "good") if evaluation["gate"]["passed"] else Badge("gate closed", "bad")


def comparison(evaluation: Evaluation) -> list[Block]:
    """Every model with every figure, and what their differences allow to say."""
    headers = ["", *(f"{title} {'↑' if name in HIGHER else '↓'}" for name, title in METRICS.items())]
    rows = [
        [title(name, evaluation), *(f"{figures[metric]['value']:.4f}" for metric in METRICS)]
        for name, figures in evaluation["models"].items()
    ]
    differences = [
        [f"minus {title(name, evaluation)}", *(_signed(parts[metric]) for metric in METRICS if metric in parts)]
        for name, parts in evaluation["differences"].items()
    ]
    return [
        Text("\n\n".join([*evaluation["comparisons"], *evaluation["notes"]])),
        Table(headers, rows, "On the same rows; an arrow says which way is better", "l" + "r" * len(METRICS)),
        Fold(
            "Paired differences with their intervals",
            [Table(["the model", *headers[1:-1]], differences, align="l" + "r" * (len(METRICS) - 1))],
        ),
    ]


def curves(evaluation: Evaluation) -> list[Block]:
    """ROC, precision-recall and reliability."""
    return [
        Figures([_roc(evaluation), _precision_recall(evaluation), _calibration(evaluation), _confusion(evaluation)])
    ]


def _confusion(evaluation: Evaluation) -> Figure:
    confusion = evaluation["confusion"]
    (kept, false), (missed, hits) = confusion["matrix"]
    called, positives = false + hits, missed + hits
    precision = f"{hits / called:.0%} of the {called:,} that it calls are right" if called else "it calls none"
    return Figure(
        charts.matrix(
            [[kept, false], [missed, hits]],
            ("not " + evaluation["label"], evaluation["label"]),
            f"Confusion matrix: {kept} true negatives, {false} false positives, {missed} false negatives, {hits} hits.",
        ),
        f"At a threshold of {confusion['threshold']:g}",
        f"The model finds {hits / positives:.0%} of {positives:,} {evaluation['label']} rows; {precision}.",
    )


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
    caption = f"{evaluation['rate']:.1%} of the rows are {evaluation['label']}: the precision of guessing."
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
        f"two differ by {ece['value']:.3f} ({_span(ece, 3)}). Bars are 95 % Wilson intervals."
    )
    return Figure(charts.calibration(bins, alt), "Calibration", caption)


def slices(evaluation: Evaluation) -> list[Block]:
    """ROC AUC of each slice, and a table with the rates."""
    figures = [_slice_figure(evaluation, column, parts) for column, parts in evaluation["slices"].items()]
    tables = [_slice_table(column, parts) for column, parts in evaluation["slices"].items()]
    if not figures:
        return [Text("No slices were asked for.")]
    return [Figures(figures), Fold("The same in numbers", tables)]


def _slice_figure(evaluation: Evaluation, column: str, parts: Sequence[Mapping[str, Any]]) -> Figure:
    overall = evaluation["models"]["model"]["roc_auc"]["value"]
    bars = [_bar(part) for part in parts if part["roc_auc"]]
    alt = f"ROC AUC by {column}: " + ", ".join(f"{bar.name} {bar.value:.2f}" for bar in bars)
    dropped = [part["name"] for part in parts if not part["roc_auc"]]
    notes = [
        "Hollow: fewer than 20 rows of a class, too few to trust." if any(bar.faint for bar in bars) else "",
        f"Left out, all of one class: {', '.join(dropped)}." if dropped else "",
    ]
    figure = charts.intervals(bars, "ROC AUC with its 95 % interval", alt, overall, f"all {overall:.3f}")
    return Figure(figure, f"By {column}", " ".join(note for note in notes if note))


def _bar(part: Mapping[str, Any]) -> charts.Bar:
    return charts.Bar(part["name"], **part["roc_auc"], count=part["rows"], faint=part["small"])


def _slice_table(column: str, parts: Sequence[Mapping[str, Any]]) -> Table:
    headers = [column, "rows", "observed rate", "mean prediction", "ROC AUC", "95 % interval", ""]
    return Table(headers, [_slice_row(part) for part in parts], align="lrrrrrl")


def _slice_row(part: Mapping[str, Any]) -> list[Cell]:
    auc = part["roc_auc"]
    figures: list[Cell] = [f"{auc['value']:.3f}", _span(auc, 3)] if auc else [None, None]
    flag = Badge("few rows", "warn") if part["small"] else ""
    return [part["name"], part["rows"], f"{part['rate']:.1%}", f"{part['predicted']:.1%}", *figures, flag]


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


def _span(estimate: Mapping[str, float], digits: int) -> str:
    return f"{estimate['low']:.{digits}f} to {estimate['high']:.{digits}f}"


def _signed(estimate: Mapping[str, float]) -> str:
    return f"{estimate['value']:+.4f} ({estimate['low']:+.4f} to {estimate['high']:+.4f})"


def _period(evaluation: Evaluation) -> str:
    return " from {} to {}".format(*evaluation["period"]) if evaluation["period"] else ""

"""A check's page: what has drifted, how far and how surely, and the distributions of what is farthest.

It is small and without scripts, so that it opens in a dashboard's side panel; Evidently's own is kept beside it.
"""

from typing import TYPE_CHECKING, Any

from seaway.monitoring.live_quality import QualityReport
from seaway.reporting import Badge, Figure, Figures, Fold, Page, Table, Text, Tile, charts
from seaway.reporting.page import Block, Cell

if TYPE_CHECKING:
    import pandas as pd

    from seaway.monitoring.drift import ColumnDrift, DriftReport

SHOWN = 8  # columns whose distributions are drawn
BINS = 24  # of a histogram
CATEGORIES = 12  # of a column, the most frequent
TRAINED, RECENT = "trained on", "recent"


def page(report: "DriftReport", trained: "pd.DataFrame", recent: "pd.DataFrame") -> Page:
    """The page of a drift report; the frames are the rows that were compared."""
    verdict = Badge("drift", "bad") if report.alarm else Badge("no drift", "good")
    farthest = sorted(report.columns, key=lambda column: (not column.drifted, -column.distance))
    tiles = [
        Tile("Verdict", verdict, f"an alarm from {report.limit:.0%} of the features on, or by the predictions"),
        Tile("Features", f"{report.share:.0%}", "have drifted"),
        Tile("Rows", f"{report.rows[1]:,}", f"of {report.days[1]:,} days, recent"),
        Tile("Against", f"{report.rows[0]:,}", f"of {report.days[0]:,} days, trained on"),
    ]
    shown = Page("Drift", f"{report.summary[:1].upper()}{report.summary[1:]}.", verdict, tiles)
    drawn = [column for column in farthest if column.name in trained]  # embeddings have no histogram
    near = farthest[max(SHOWN, len(report.drifted)) :]
    folded = [Fold(f"{len(near)} more, none of which has drifted", [_table(near)])] if near else []
    shown.section("Columns", _table(farthest[: len(farthest) - len(near)]), *folded)
    return shown.section("Distributions", *_distributions(drawn[:SHOWN], trained, recent))


def quality_blocks(report: QualityReport) -> list[Block]:
    """How the model predicts where the labels are known, against how it did when it was tested."""
    summary = Text(f"In short: {report.summary}.")
    rows: list[list[Cell]] = [
        [name, figure.value, f"{figure.low:.4g} to {figure.high:.4g}", figure.tested, _worse(figure.worse)]
        for name, figure in report.figures.items()
    ]
    told = Table(["figure", "now", "95 % interval", "when tested", ""], rows, align="lrrrl")
    return [summary, *([told] if rows else [])]


def _worse(worse: bool) -> Badge:
    return Badge("worse", "bad") if worse else Badge("as tested", "good")


def _table(columns: "list[ColumnDrift]") -> Table:
    rows: list[list[Cell]] = [
        [
            column.name,
            f"{column.distance:.3f}",
            "< 0.0001" if column.p_value < 1e-4 else f"{column.p_value:.4f}",  # noqa: PLR2004 - what four digits show
            Badge("drifted", "bad") if column.drifted else Badge("same"),
        ]
        for column in columns
    ]
    caption = (
        "Distance: Wasserstein's in standard deviations of what the model was trained on, or Jensen-Shannon's of "
        "categories; that of pictures and texts is along the direction in which the model's embeddings differ most; "
        "p-value: of rows of one day not taken for independent, corrected for all columns."
    )
    return Table(["column", "distance", "p-value", ""], rows, caption, "lrrl")


def _distributions(columns: "list[ColumnDrift]", trained: "pd.DataFrame", recent: "pd.DataFrame") -> list[Block]:
    """Histograms of numbers, and tables of categories, folded."""
    numbers = [column.name for column in columns if all(_drawable(rows[column.name]) for rows in (trained, recent))]
    others = [column.name for column in columns if column.name not in numbers]
    return [
        *([Figures([_histogram(name, trained[name], recent[name]) for name in numbers])] if numbers else []),
        *(Fold(name, [_shares(trained[name], recent[name])]) for name in others),
    ]


def _drawable(values: "pd.Series[Any]") -> bool:
    return values.dtype.kind == "f" and bool(values.notna().any())


def _histogram(name: str, trained: "pd.Series[float]", recent: "pd.Series[float]") -> Figure:
    """On common bins; what lies beyond the 0.5th and 99.5th percentile is in the outermost."""
    import numpy as np

    both = np.concatenate([trained.dropna(), recent.dropna()])
    low, high = np.quantile(both, [0.005, 0.995])
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    counts = {
        title: np.histogram(values.dropna().clip(edges[0], edges[-1]), edges)[0].tolist()
        for title, values in ((TRAINED, trained), (RECENT, recent))
    }
    alt = f"{name}: median {trained.median():.3g} when trained, {recent.median():.3g} of late."
    return Figure(charts.histogram(edges.tolist(), counts, name, alt), name, alt)


def _shares(trained: "pd.Series[str]", recent: "pd.Series[str]") -> Table:
    before, now = (values.value_counts(normalize=True) for values in (trained, recent))
    names = (before.add(now, fill_value=0)).sort_values(ascending=False).index[:CATEGORIES]
    rows = [[str(name) or "(missing)", f"{before.get(name, 0):.1%}", f"{now.get(name, 0):.1%}"] for name in names]
    return Table(["value", TRAINED, RECENT], rows, align="lrr")

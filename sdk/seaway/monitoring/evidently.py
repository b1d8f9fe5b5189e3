"""Evidently: how far columns are apart, and the report that shows it. Everything that knows its API is in this file.

Evidently reports its use to its makers unless `DO_NOT_TRACK` is set when it is imported; here it is.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seaway.storage import atomic_path

if TYPE_CHECKING:
    import pandas as pd


def import_evidently() -> Any:
    """Evidently's package, told to report nothing. Seconds."""
    os.environ["DO_NOT_TRACK"] = "1"
    import evidently
    import evidently.metrics
    import evidently.presets

    return evidently


class Comparison:
    """Two samples of the same columns, as Evidently takes them: `numeric` of numbers, `categorical` of text."""

    def __init__(
        self, reference: "pd.DataFrame", current: "pd.DataFrame", numeric: Sequence[str], categorical: Sequence[str]
    ) -> None:
        self._evidently = import_evidently()
        self._columns = {"numeric": list(numeric), "categorical": list(categorical)}
        self.reference, self.current = (rows[[*numeric, *categorical]] for rows in (reference, current))

    def distances(self) -> dict[str, float]:
        """By column: Wasserstein's in standard deviations of the reference, or Jensen-Shannon's in [0, 1]."""
        from evidently.legacy.calculations import stattests
        from evidently.legacy.core import ColumnType

        of_kind = {
            "numeric": (stattests.wasserstein_stat_test, ColumnType.Numerical),
            "categorical": (stattests.jensenshannon_stat_test, ColumnType.Categorical),
        }  # Evidently's own choice beyond 1,000 rows
        return {
            name: float(test(self.reference[name].dropna(), self.current[name].dropna(), column, None).drift_score)
            for kind, (test, column) in of_kind.items()
            for name in self._columns[kind]
        }

    def write(self, verdicts: Mapping[str, tuple[float, bool]], share: float, target: Path) -> None:
        """Write Evidently's page of drift and of each column's summary; beside it, as JSON, what its workspaces take.

        Args:
            verdicts: By column its corrected p-value and whether it has drifted, which Evidently is to show.
            share: Of drifted columns, from which on all together count as drifted.
            target: An HTML file that holds its scripts and needs no network.
        """
        definition = self._evidently.DataDefinition(
            numerical_columns=self._columns["numeric"], categorical_columns=self._columns["categorical"]
        )
        take = self._evidently.Dataset.from_pandas
        samples = (take(self.current, definition), take(self.reference, definition))
        presets = self._evidently.presets
        method = _register(verdicts)
        content = [presets.DataDriftPreset(method=method, drift_share=share), presets.DataSummaryPreset()]
        page = self._evidently.Report(content, include_tests=False).run(*samples)
        with atomic_path(target) as draft:
            page.save_html(str(draft))
        with atomic_path(target.with_suffix(".json")) as draft:
            draft.write_text(page.dumps(), encoding="utf-8")


def _register(verdicts: Mapping[str, tuple[float, bool]]) -> str:
    """A method of Evidently that tells these verdicts; it knows methods by name, so the latest holds."""
    from evidently.legacy.calculations.stattests import StatTest, register_stattest
    from evidently.legacy.core import ColumnType

    def corrected(reference: Any, current: Any, kind: Any, threshold: float) -> tuple[float, bool]:
        return verdicts[reference.name]

    test = StatTest(
        name="seaway_corrected_p",
        display_name="p-value of effective rows, corrected for all columns",
        allowed_feature_types=[ColumnType.Numerical, ColumnType.Categorical],
    )
    register_stattest(test, corrected)
    return str(test.name)

"""A comparison of two samples as files: the verdicts, our page of them, and Evidently's."""

from pathlib import Path
from typing import TYPE_CHECKING

from seaway.monitoring.drift import DriftReport, DriftSpec, compare
from seaway.storage import write_json

if TYPE_CHECKING:
    import pandas as pd

    from seaway.monitoring.live_quality import QualityReport

DRIFT_FILE, PAGE_FILE, EVIDENTLY_FILE = "drift.json", "drift.html", "evidently.html"


def drift(
    reference: "pd.DataFrame",
    current: "pd.DataFrame",
    spec: DriftSpec,
    output: Path,
    quality: "QualityReport | None" = None,
) -> DriftReport:
    """Compare two samples and write `drift.json`, `drift.html` and Evidently's page and JSON into `output`.

    Args:
        reference: Rows that the model was trained on, with the model's `prediction` where predictions are compared.
        current: Rows of late, with the same columns.
        spec: What is compared.
        output: A folder, made where it is missing.
        quality: Of the same rows, for a section of the page.

    Raises:
        DataUnreadable: a sample is empty, or lacks a column.
    """
    from seaway.monitoring import drift_page

    report, comparison = compare(reference, current, spec)
    output.mkdir(parents=True, exist_ok=True)
    verdicts = {column.name: (column.p_value, column.drifted) for column in report.columns}
    drawn = {name: verdict for name, verdict in verdicts.items() if name not in spec.embedded}
    comparison.write(drawn, spec.share, output / EVIDENTLY_FILE)
    page = drift_page.page(report, comparison.reference, comparison.current)
    if quality:
        page.section("Quality", *drift_page.quality_blocks(quality))
    page.write(output / PAGE_FILE)
    write_json(output / DRIFT_FILE, report.to_json())
    return report

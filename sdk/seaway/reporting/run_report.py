"""The one page of a whole run: the sections of its model's page, and the end of its rollout."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seaway.reporting import call_section, rollout_section
from seaway.reporting.model_report import kept_tile, read_kept
from seaway.reporting.page import Page, Tile
from seaway.storage import read_json
from seaway.version import VERSION

ENDS = {
    "PROMOTE": "The candidate was promoted and serves all traffic.",
    "ROLLBACK": "The candidate was rolled back; the stable model serves all traffic.",
    "UNCHANGED": "The candidate is the model already in production, so there was nothing to roll out.",
    "INCONCLUSIVE": "The rollout could not decide, so the stable model serves all traffic.",
}


@dataclass(frozen=True)
class ReportInputs:
    """Folders as the steps wrote them: what was kept of the model's page, and the artifacts of the release."""

    model: Path
    package: Path
    endpoint: Path
    rollout: Path


def write_report(inputs: ReportInputs, output: Path) -> str:
    """Write the page to `output` and return its one-line summary.

    Raises:
        DataUnreadable: an artifact is missing or broken; the message names the file.
    """
    kept = read_kept(inputs.model)
    rollout = read_json(inputs.rollout / "rollout.json")
    endpoint = read_json(inputs.endpoint / "endpoint.json")
    signature, lineage = (read_json(inputs.package / name) for name in ("signature.json", "lineage.json"))
    badge = rollout_section.decision_badge(rollout)
    page = _head(kept, rollout, endpoint).take(kept["sections"])
    page.section("Rollout", *rollout_section.rollout_blocks(rollout), badge=badge)
    if around := rollout_section.callers_blocks(rollout):
        page.section("Around the endpoint", *around)
    page.section("Lineage", *rollout_section.lineage_blocks(lineage, rollout["arms"]))
    page.section("Call it", *call_section.calling_blocks(endpoint, signature))
    page.write(output)
    return f"{badge.text}, {kept['summary']}"


def _head(kept: Mapping[str, Any], rollout: Mapping[str, Any], endpoint: Mapping[str, Any]) -> Page:
    badge = rollout_section.decision_badge(rollout)
    requests = sum(sum(tick["requests"].values()) for tick in rollout["ticks"])
    decision = Tile("Decision", badge, f"after {requests:,} requests", badge.tone)
    footer = f"Run {endpoint['run']}. Seaway {VERSION}. Intervals are 95 %; those of the rollout hold at all looks."
    lead = f"{ENDS.get(rollout['decision'], '')} {kept['lead']}".strip()
    return Page(f"Run of {endpoint['name']}", lead, badge, [decision, *map(kept_tile, kept["tiles"])], footer)

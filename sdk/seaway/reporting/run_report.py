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
    """Folders as the steps wrote them: what was kept of the model's page, and the artifacts of the release.

    What a pipeline does not make is None, and its section is left out.
    """

    model: Path
    package: Path | None = None
    endpoint: Path | None = None
    rollout: Path | None = None


def write_report(inputs: ReportInputs, output: Path) -> str:
    """Write the page to `output` and return its one-line summary.

    Raises:
        DataUnreadable: an artifact is missing or broken; the message names the file.
    """
    kept = read_kept(inputs.model)
    rollout = _read(inputs.rollout, "rollout.json")
    endpoint = _read(inputs.endpoint, "endpoint.json")
    signature, lineage = (_read(inputs.package, name) for name in ("signature.json", "lineage.json"))
    page = _head(kept, rollout, endpoint).take(kept["sections"])
    if rollout:
        page.section("Rollout", *rollout_section.rollout_blocks(rollout), badge=page.badge)
    if around := rollout_section.callers_blocks(rollout):
        page.section("Around the endpoint", *around)
    if lineage:
        page.section("Lineage", *rollout_section.lineage_blocks(lineage, rollout.get("arms", {})))
    if endpoint and signature:
        page.section("Call it", *call_section.calling_blocks(endpoint, signature))
    page.write(output)
    return f"{page.badge.text}, {kept['summary']}" if page.badge else str(kept["summary"])


def _read(folder: Path | None, name: str) -> Mapping[str, Any]:
    """What a step wrote; nothing where there was no such step."""
    return read_json(folder / name) if folder else {}


def _head(kept: Mapping[str, Any], rollout: Mapping[str, Any], endpoint: Mapping[str, Any]) -> Page:
    tiles, made = [kept_tile(tile) for tile in kept["tiles"]], endpoint or rollout
    title, run = ("Run of " + made.get("name", made.get("endpoint")), f"Run {made['run']}. ") if made else ("Run", "")
    footer = f"{run}Seaway {VERSION}. Intervals are 95 %"
    if not rollout:
        return Page(title, kept["lead"], None, tiles, f"{footer}.")
    badge = rollout_section.decision_badge(rollout)
    requests = sum(sum(tick["requests"].values()) for tick in rollout["ticks"])
    decision = Tile("Decision", badge, f"after {requests:,} requests", badge.tone)
    lead = f"{ENDS.get(rollout['decision'], '')} {kept['lead']}".strip()
    return Page(title, lead, badge, [decision, *tiles], f"{footer}; those of the rollout hold at all looks.")

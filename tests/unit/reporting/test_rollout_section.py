"""The rollout, the lineage and the call are told truthfully, however the rollout ended."""

from typing import Any

from seaway.monitoring import Callers
from seaway.monitoring.service_graph import Edge
from seaway.reporting import Page
from seaway.reporting.rollout_section import (
    callers_blocks,
    decision_badge,
    lineage_blocks,
    rollout_blocks,
)


def tick(time: float, weight: int, finding: str = "UNDECIDED") -> dict[str, Any]:
    evidence = {
        "criterion": "errors", "finding": finding, "log_e_harm": 3.0, "log_e_safety": -1.0,
        "sentence": "Errors: worse than the tolerated 0.",
    }  # fmt: skip
    return {
        "time": time,
        "weights": {"stable": 100 - weight, "candidate": weight},
        "requests": {"stable": 95, "candidate": 5},
        "errors": {"stable": 0, "candidate": 5},
        "latency_p50_ms": {"stable": 4.0, "candidate": None},
        "loss": {"stable": 0.2, "candidate": None},
        "evidence": [evidence],
    }


def shown(decision: str, ticks: list[dict[str, Any]], reason: str = "Because of errors.") -> str:
    rollout = {"decision": decision, "reason": reason, "ticks": ticks}
    return Page("t").section("Rollout", *rollout_blocks(rollout)).html()


def test_a_rolled_back_rollout_says_so_and_why() -> None:
    document = shown("ROLLBACK", [tick(10.0, 5), tick(11.0, 5, "HARMFUL")])
    assert "rolled back" in document
    assert "Because of errors." in document
    assert "ended at 0 percent" in document
    assert "harmful" in document


def test_the_way_back_is_told_in_seconds_where_a_look_sent_it() -> None:
    rollout = {"decision": "ROLLBACK", "reason": "Errors.", "ticks": [tick(10.0, 5, "HARMFUL")]}
    for back_s, told in ((0.42, True), (None, False)):
        document = Page("t").section("Rollout", *rollout_blocks({**rollout, "back_s": back_s})).html()
        assert ("all traffic 0.4 s after the look that decided" in document) == told


def criterion(name: str, finding: str, harm: float, safety: float) -> dict[str, Any]:
    evidence = {"criterion": name, "finding": finding, "log_e_harm": harm, "log_e_safety": safety}
    return {**evidence, "sentence": f"{name}: so it is."}


def with_evidence(*looks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**tick(10.0 + number, 5), "evidence": evidence} for number, evidence in enumerate(looks)]


def places(document: str, *titles: str) -> list[int]:
    return [document.index(title) for title in titles]


def test_the_decisive_criterion_comes_first() -> None:
    safe = criterion("quality", "SAFE", -2.0, 5.0)
    bad = with_evidence([safe, criterion("errors", "HARMFUL", 9.0, -3.0)])
    assert places(document := shown("ROLLBACK", bad), "errors: harmful", "quality: safe") == sorted(
        places(document, "errors: harmful", "quality: safe")
    )
    early, late = criterion("latency p50", "SAFE", 0.0, 4.0), criterion("latency p90", "UNDECIDED", 0.0, 1.0)
    good = with_evidence([early, late], [early, criterion("latency p90", "SAFE", 0.0, 4.0)])
    titles = ("latency p90: safe", "latency p50: safe")
    assert places(document := shown("PROMOTE", good), *titles) == sorted(places(document, *titles))


def test_evidence_is_shown_beside_what_decides() -> None:
    ticks = with_evidence([criterion("errors", "UNDECIDED", 1.0, 2.0)])
    rollout = {"decision": "INCONCLUSIVE", "reason": "The budget is spent.", "ticks": ticks}
    levels = {"levels": {"errors": {"harm": 2.0, "safety": 4.0}}}
    document = Page("t").section("Rollout", *rollout_blocks({**rollout, **levels})).html()
    assert "errors: at the end, 50% of what proves harm, 50% of safety." in document
    for text in ("decided", "worse", "5 %", "evidence, % of what decides"):
        assert text in document


def advised(decision: str, reason: str, *evidence: dict[str, Any]) -> str:
    ticks = with_evidence(list(evidence) or [criterion("errors", "UNDECIDED", 0.0, 0.0)])
    return shown(decision, ticks, reason)


def test_who_was_woken_is_told_what_to_do() -> None:
    assert "Nothing. The command seaway verify" in advised("PROMOTE", "All safe.")
    assert "log for what it fails at" in advised("ROLLBACK", "Errors.", criterion("errors", "HARMFUL", 9.0, 0.0))
    slow = criterion("latency p99", "HARMFUL", 9.0, 0.0)
    assert "colder cache" in advised("ROLLBACK", "Latency.", slow)
    assert "metrics store" in advised("INCONCLUSIVE", "The last 5 looks saw nothing: stale.")
    assert "too little was proved" in advised("INCONCLUSIVE", "The budget of 100 requests is spent.")


def test_a_promoted_rollout_ends_at_full_weight() -> None:
    assert "ended at 100 percent" in shown("PROMOTE", [tick(10.0, 5, "SAFE"), tick(11.0, 100, "SAFE")])


def test_a_rollout_that_saw_nothing_still_has_a_page() -> None:
    assert "No look was taken. Metrics were unreachable." in shown("INCONCLUSIVE", [], "Metrics were unreachable.")


def test_an_unchanged_model_is_said_to_be_in_production_already() -> None:
    document = shown("UNCHANGED", [], "The new model is the one in production.")
    assert "The new model is the one in production." in document
    assert "No look was taken" not in document
    assert decision_badge({"decision": "UNCHANGED"}).text == "nothing to roll out"


def test_what_earlier_rollouts_had_to_say_is_told() -> None:
    ledger = {"year": 2026, "releases": 7, "promoted": 5, "unproved": 1, "spent": 0.02}
    noise = {"errors": [240.0, 1.3], "latency p50": [240.0, 1.0]}
    known = {"level": 0.045, "bound": 0.1, "ledger": ledger, "noise": noise}
    rollout = {"decision": "ROLLBACK", "reason": "", "ticks": [tick(10.0, 5)], "known": known}
    document = Page("t").section("Rollout", *rollout_blocks(rollout)).html()
    assert "Release 7 of 2026 at this endpoint, 5 promoted" in document
    assert "judged at 0.045" in document
    assert "240 looks" in document
    assert "variance ratio: errors 1.3)" in document


def test_a_look_without_evidence_is_drawn() -> None:
    assert "ended at 0 percent" in shown("INCONCLUSIVE", [{**tick(1.0, 5), "evidence": []}])


def around(*edges: Edge, source: str = "kiali", note: str = "") -> str:
    told = Callers(edges, source, note, 90).to_json()
    return Page("t").section("Around", *callers_blocks({"callers": told})).html()


def test_callers_and_the_health_of_what_they_call_are_shown() -> None:
    document = around(Edge("ingress", "flights-stable", 9.5, 0.0), Edge("<b>", "flights-candidate", 0.5, 0.2))
    for text in ("As Kiali tells it, over the 90 s", "flights-candidate", "20.0%", "failing", "healthy", "&lt;b&gt;"):
        assert text in document


def test_a_mesh_that_saw_nothing_and_one_that_is_not_there_are_told_apart() -> None:
    assert "It saw no request." in around()
    assert "Nobody told who called the endpoint: no URL of kiali is set." in around(
        source="", note="no URL of kiali is set"
    )
    assert callers_blocks({"callers": Callers().to_json()}) == []
    assert callers_blocks({}) == []


def test_lineage_names_data_code_and_parameters() -> None:
    origins = [{"version": "3f2a", "source": "shop:read", "read": "snapshot 7"}]
    lineage = {"data_sha256": "ab" * 32, "code_version": "git:123", "parameters": {"epochs": 4}, "origins": origins}
    document = Page("t").section("Lineage", *lineage_blocks(lineage, {"candidate": "v9"})).html()
    assert all(text in document for text in ("ab" * 32, "git:123", "epochs", "v9", "data 3f2a", "snapshot 7"))

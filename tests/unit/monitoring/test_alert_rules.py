"""Each rule, evaluated by Prometheus' own promtool; dashboards, and the objects of manifests/monitoring."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from places import PROJECT
from prometheus_client.parser import text_string_to_metric_families
from seaway.errors import InvalidSpec
from seaway.model_server.uvicorn.metrics import Metrics
from seaway.monitoring.alert_rules import BURNS, DAY, WINDOWS, Alert, Objectives, Recording, duration, groups, rule_file
from seaway.monitoring.dashboards import dashboards
from seaway.monitoring.export import HELP

from tools import alerts_reference, monitoring_manifests

OBJECTIVES = Objectives()
RULES = [rule for group in groups(OBJECTIVES) for rule in group.rules]
GENERATED = {**monitoring_manifests.manifests(), alerts_reference.PAGE: alerts_reference.page()}
ALERTS = {rule.name: rule for rule in RULES if isinstance(rule, Alert)}
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(not PROMTOOL, reason="promtool is missing (Debian: prometheus)")

UP = 'up{job="seaway",endpoint="f"}'
REQUESTS = 'envoy_cluster_upstream_rq_completed{endpoint="f",envoy_cluster_name="model-1"}'
ERRORS = 'envoy_cluster_upstream_rq_xx{endpoint="f",envoy_cluster_name="model-1",envoy_response_code_class="5"}'
CONTROL = 'envoy_cluster_upstream_rq_completed{endpoint="f",envoy_cluster_name="model-1-control"}'
BUCKET = 'envoy_cluster_upstream_rq_time_bucket{{endpoint="f",envoy_cluster_name="model-1",le="{}"}}'
ISTIO = '{}{{reporter="{}",destination_service_name="f-{}"{}}}'


def istio(name: str, arm: str = "stable", reporter: str = "source", labels: str = "") -> str:
    return ISTIO.format(name, reporter, arm, labels)


Series = Mapping[str, str]
HOUR_MIN = 60


def promtool(
    folder: Path, series: Series, every: str = "1m", objectives: Objectives = OBJECTIVES, **tests: Any
) -> None:
    """Fails with promtool's own words; rules are evaluated `every` so often, series have a value a minute."""
    rules = folder / "rules.yml"
    rules.write_text(yaml.safe_dump(rule_file(objectives)))
    inputs = [{"series": name, "values": values} for name, values in series.items()]
    case = {"interval": "1m", "input_series": inputs, **tests}
    file = folder / "tests.yml"
    order = [group.name for group in groups(objectives)]  # promtool's own is any; alarms need what is recorded
    whole = {"rule_files": [str(rules)], "evaluation_interval": every, "group_eval_order": order, "tests": [case]}
    file.write_text(yaml.safe_dump(whole))
    done = subprocess.run([str(PROMTOOL), "test", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_promtool_takes_the_rule_file(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rule_file(OBJECTIVES)))
    done = subprocess.run(
        [str(PROMTOOL), "check", "rules", str(tmp_path / "rules.yml")], capture_output=True, text=True, check=False
    )
    assert f"{len(RULES)} rules found" in done.stdout, done.stderr


def sample(record: str, value: float, via: str) -> dict[str, Any]:
    return {"labels": f'{record}{{endpoint="f",via="{via}"}}', "value": value}


@needs_promtool
@pytest.mark.parametrize("seconds", WINDOWS)
def test_requests_and_errors_are_recorded_over_each_window_by_either_proxy(tmp_path: Path, seconds: int) -> None:
    """10 requests a second with one error by Envoy, 20 with one by Istio; probes and a second reporter do not count."""
    minutes = seconds // 60 + (HOUR_MIN if seconds > HOUR_MIN * 60 else 5)
    series = {
        REQUESTS: f"0+600x{minutes}",
        ERRORS: f"0+60x{minutes}",
        CONTROL: f"0+6000x{minutes}",
        istio("istio_requests_total", labels=',response_code="200"'): f"0+540x{minutes}",
        istio("istio_requests_total", "candidate", labels=',response_code="200"'): f"0+600x{minutes}",
        istio("istio_requests_total", labels=',response_code="503"'): f"0+60x{minutes}",
        istio("istio_requests_total", reporter="destination", labels=',response_code="503"'): f"0+60x{minutes}",
    }
    window = duration(seconds)
    expected = {
        f"seaway:requests:rate{window}": (10.0, 20.0),
        f"seaway:errors:rate{window}": (1.0, 1.0),
        f"seaway:error_ratio:rate{window}": (0.1, 0.05),
    }
    checks = [
        {
            "expr": record,
            "eval_time": f"{minutes}m",
            "exp_samples": [sample(record, envoy, "envoy"), sample(record, by_istio, "istio")],
        }
        for record, (envoy, by_istio) in expected.items()
    ]
    promtool(tmp_path, series, "1h" if minutes % HOUR_MIN == 0 else "5m", promql_expr_test=checks)


@needs_promtool
def test_no_error_yet_is_a_ratio_of_nothing_and_not_an_absent_one(tmp_path: Path) -> None:
    record = "seaway:error_ratio:rate5m"
    check = {"expr": record, "eval_time": "6m", "exp_samples": [sample(record, 0, "envoy")]}
    promtool(tmp_path, {REQUESTS: "0+600x6"}, promql_expr_test=[check])


@needs_promtool
def test_latency_is_recorded_in_seconds_by_either_proxy(tmp_path: Path) -> None:
    """All answers take between 100 and 200 ms."""
    istio_bucket = "istio_request_duration_milliseconds_bucket"
    series = {BUCKET.format(bound): f"0+{count}x6" for bound, count in ((100, 0), (200, 60), ("+Inf", 60))}
    series |= {
        istio(istio_bucket, labels=f',le="{bound}"'): f"0+{count}x6"
        for bound, count in ((100, 0), (200, 60), ("+Inf", 60))
    }
    record = "seaway:latency_seconds:quantile5m"
    expected = [sample(record, 0.199, via) for via in ("envoy", "istio")]
    promtool(tmp_path, series, promql_expr_test=[{"expr": record, "eval_time": "6m", "exp_samples": expected}])


@dataclass(frozen=True)
class Case:
    """Series that raise an alarm after `at` minutes, with its labels; the same but for `quiet` do not."""

    alert: str
    series: Series
    at: int
    labels: Mapping[str, str]
    quiet: Series


MODEL = {"model": "m"}
BY_ISTIO = istio("istio_requests_total", labels=',response_code="200"')
ENDPOINT = {"endpoint": "f"}
MINUTES = 73 * HOUR_MIN  # a little more than three days


def burning(window_s: int, errors: int) -> Case:
    minutes = window_s // 60 + HOUR_MIN
    series = {REQUESTS: f"0+600x{minutes}", ERRORS: f"0+{errors}x{minutes}"}
    few = {ERRORS: f"0+0x{minutes - 2} 1 2"}
    return Case(f"SeawayErrorBudget{duration(window_s)}", series, minutes, {**ENDPOINT, "via": "envoy"}, few)


CASES = [
    *(burning(burn.long_s, round(600 * OBJECTIVES.error_ratio(burn)) + 2) for burn in BURNS),
    Case("SeawayUnavailable", {UP: "1 0x5"}, 5, ENDPOINT, {UP: "1x6"}),
    Case("SeawayMetricsMissing", {UP: "1x10 stale"}, 68, ENDPOINT, {UP: "1x70"}),
    Case("SeawayNoRequests", {REQUESTS: "5x40"}, 40, ENDPOINT, {REQUESTS: "5+1x40"}),
    Case("SeawayNoRequests", {BY_ISTIO: "5x40"}, 40, ENDPOINT, {BY_ISTIO: "5+1x40"}),
    Case("SeawayNoRequests", {REQUESTS: "5x40", BY_ISTIO: "5x40"}, 40, ENDPOINT, {BY_ISTIO: "5+1x40"}),
    Case(
        "SeawayLatency",
        {BUCKET.format(300): "0+0x20", BUCKET.format(500): "0+60x20", BUCKET.format("+Inf"): "0+60x20"},
        18,
        {**ENDPOINT, "via": "envoy"},
        {BUCKET.format(300): "0+60x20"},
    ),
    Case("SeawayDrift", {'seaway_drift_alarm{model="m"}': "1"}, 0, MODEL, {'seaway_drift_alarm{model="m"}': "0"}),
    Case("SeawayQuality", {'seaway_quality_worse{model="m"}': "1"}, 0, MODEL,
         {'seaway_quality_worse{model="m"}': "0"}),
    Case("SeawaySkew", {'seaway_skew_share{model="m",feature="temp"}': "0.5"}, 0, {**MODEL, "feature": "temp"},
         {'seaway_skew_share{model="m",feature="temp"}': "0"}),
    Case("SeawayLabelsLate", {'seaway_label_delay_seconds{model="m"}': str(3 * DAY)}, 0, MODEL,
         {'seaway_label_delay_seconds{model="m"}': "3600"}),
    Case("SeawayCheckOverdue", {'seaway_checked_timestamp_seconds{model="m"}': f"0x{MINUTES}"}, MINUTES, MODEL,
         {'seaway_checked_timestamp_seconds{model="m"}': f"0+60x{MINUTES}"}),
]  # fmt: skip


def told(case: Case, fires: bool) -> dict[str, Any]:
    """Only whether it fires, and for what: the texts hold values that are of no concern here."""
    labels = ",".join(f'{name}="{value}"' for name, value in {**case.labels, "alertname": case.alert}.items())
    state = f'count(ALERTS{{alertstate="firing",{labels}}})'
    expected = [{"labels": "{}", "value": 1}] if fires else []
    return {"expr": state, "eval_time": f"{case.at}m", "exp_samples": expected}


@needs_promtool
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.alert)
def test_an_alarm_is_raised_when_it_should_and_only_then(tmp_path: Path, case: Case) -> None:
    every = "1h" if case.at >= 2 * HOUR_MIN else "1m"
    promtool(tmp_path, case.series, every, promql_expr_test=[told(case, True)])
    promtool(tmp_path, {**case.series, **case.quiet}, every, promql_expr_test=[told(case, False)])


@needs_promtool
def test_silence_is_recorded_over_the_time_that_is_asked_for(tmp_path: Path) -> None:
    """Ten minutes, which is no window of a burn rate."""
    objectives = Objectives(silence_s=600)
    series = {REQUESTS: "5+1x10 15x15"}
    silent = Case("SeawayNoRequests", series, 25, ENDPOINT, {})
    promtool(tmp_path, series, objectives=objectives, promql_expr_test=[told(silent, True)])


def test_every_alarm_has_a_case() -> None:
    assert {case.alert for case in CASES} == set(ALERTS)


@needs_promtool
def test_a_burst_that_is_over_raises_no_alarm(tmp_path: Path) -> None:
    """The long window still remembers it, the short one does not."""
    case = burning(HOUR_MIN * 60, 0)
    series = {REQUESTS: "0+600x60", ERRORS: "0+300x20 6000x40"}
    over = Case(case.alert, series, 60, case.labels, {})
    promtool(tmp_path, series, promql_expr_test=[told(over, False)])


@given(st.floats(0.99, 0.9999))
def test_a_burn_rate_uses_its_share_of_the_budget_in_its_window(availability: float) -> None:
    objectives = Objectives(availability=availability)
    for burn in BURNS:
        lost = objectives.error_ratio(burn) * burn.long_s
        assert lost == pytest.approx(burn.budget * (1 - availability) * objectives.period_days * DAY)


@pytest.mark.parametrize(
    "wrong",
    [{"availability": 1.0}, {"availability": 0.9}, {"quantile": 0.0}, {"latency_s": 0.0}, {"silence_s": -1}],
)
def test_objectives_that_no_alarm_can_watch_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidSpec):
        Objectives(**wrong)


def expressions() -> Sequence[tuple[str, str]]:
    return [
        (f"{panel['title']} {target['refId']}", target["expr"])
        for board in dashboards(OBJECTIVES).values()
        for panel in board["panels"]
        for target in panel["targets"]
    ]


@needs_promtool
def test_every_panel_asks_what_prometheus_can_parse(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{number}", "expr": asked} for number, (_, asked) in enumerate(expressions())]
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    done = subprocess.run(
        [str(PROMTOOL), "check", "rules", str(tmp_path / "panels.yml")], capture_output=True, text=True, check=False
    )
    assert f"{len(expressions())} rules found" in done.stdout, done.stderr


def test_panels_and_rules_ask_for_series_that_something_tells() -> None:
    """What is named seaway: is recorded here, what is named seaway_ is published here or told by our model server."""
    recorded = {rule.record for rule in RULES if isinstance(rule, Recording)}
    families = text_string_to_metric_families(Metrics().text().decode())
    told = {sample.name for family in families for sample in family.samples}
    asked = [expression for _, expression in expressions()] + [alert.expression for alert in ALERTS.values()]
    for name in {name for expression in asked for name in re.findall(r"seaway[:_][a-z0-9_:]+", expression)}:
        assert name in recorded | HELP.keys() | told, name


def test_dashboards_have_what_grafana_asks_of_one() -> None:
    for board in dashboards(OBJECTIVES).values():
        assert board["schemaVersion"] >= 36
        assert {"uid", "title", "panels", "templating", "time"} <= board.keys()
        places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]
        assert len(set(places)) == len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
        assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in board["panels"])
        assert all(target["refId"] for panel in board["panels"] for target in panel["targets"])
        known = {variable["name"] for variable in board["templating"]["list"]}
        assert set(re.findall(r"\$\{?([a-z]+)", json.dumps(board["panels"]))) <= known


@pytest.mark.parametrize("name", GENERATED)
def test_what_is_committed_is_what_make_generate_writes(name: str) -> None:
    assert (PROJECT / name).read_text() == GENERATED[name], "run `make generate` and commit"


def test_a_dashboards_config_map_holds_the_dashboard_itself() -> None:
    for name, board in dashboards(OBJECTIVES).items():
        held = yaml.safe_load(GENERATED[f"manifests/monitoring/{name.removesuffix('.json')}.yaml"])
        assert json.loads(held["data"][name]) == board

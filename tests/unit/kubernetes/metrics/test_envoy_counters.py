"""Counters of processes that come, go and start anew, made into counts of arms."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway.errors import InvalidSpec, MetricsUnavailable
from seaway.platforms.kubernetes.metrics.envoy_counters import ArmTallies, Series
from seaway.serving import Arm, DeployedEndpoint

ENDPOINT = DeployedEndpoint(
    "flights", "r1", Path("/none"), arms={arm: Arm(arm, arm, arm) for arm in ("stable", "candidate")}
)


def istio(
    arm: str, value: float, at: float, code: str = "200", instance: str = "a", reporter: str = "source"
) -> Series:
    labels = {
        "destination_service_name": f"flights-{arm}",
        "destination_service_namespace": "team",
        "reporter": reporter,
        "response_code": code,
        "instance": instance,
    }
    return Series("istio_requests_total", labels, [(at, value)])


def envoy(arm: str, value: float, name: str = "completed", **labels: str) -> Series:
    cluster = {"cluster_name": f"outbound|80||flights-{arm}.team.svc.cluster.local"}
    suffix = f"_{name}" if name else ""
    return Series(f"envoy_cluster_upstream_rq{suffix}", {**cluster, **labels}, [(0.0, value)])


def both(requests: float, at: float, instance: str = "a") -> list[Series]:
    return [istio(arm, requests, at, instance=instance) for arm in ENDPOINT.arms]


def read(tallies: ArmTallies, series: Sequence[Series]) -> tuple[int, int]:
    counts = tallies.read(ENDPOINT, "team", series, "the test")["candidate"]
    return counts.requests, counts.errors


def test_requests_and_errors_of_istios_proxy() -> None:
    series = [*both(90, 0), istio("candidate", 7, 0, "503"), istio("candidate", 3, 0, "404")]
    assert read(ArmTallies(), series) == (100, 7)


def test_requests_errors_and_latency_of_plain_envoy() -> None:
    bucket = {"name": "time_bucket", "le": "250"}
    series = [
        *(envoy(arm, 100) for arm in ENDPOINT.arms),
        envoy("candidate", 93, "", response_code="200"),
        envoy("candidate", 7, "", response_code="503"),
        envoy("candidate", 7, "", response_code_class="5xx"),
        envoy("candidate", 80, **bucket),
    ]
    tallies = ArmTallies()
    assert read(tallies, series) == (100, 7)
    assert tallies.read(ENDPOINT, "team", series, "")["candidate"].latency == {0.25: 80}


def test_a_request_that_two_proxies_report_is_counted_once() -> None:
    seen_twice = [istio("candidate", 100, 0, reporter="destination", instance="b")]
    as_envoy = [envoy("candidate", 100, instance="a")]
    assert read(ArmTallies(), [*both(100, 0), *seen_twice, *as_envoy]) == (100, 0)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=8))
def test_counts_of_replicas_add_up(growth: list[tuple[int, int]]) -> None:
    tallies, sums = ArmTallies(), [5, 9]
    for at, grown in enumerate([(0, 0), *growth]):
        sums = [total + more for total, more in zip(sums, grown, strict=True)]
        series = [one for place, total in enumerate(sums) for one in both(total, at, str(place))]
        assert read(tallies, series) == (sum(sums), 0)


@pytest.mark.parametrize(
    "later",
    [
        both(20, 1),
        both(500, 1, "b"),
        [*both(120, 1), *both(3, 1, "b")],
        [istio("stable", 120, 1), istio("candidate", 120, 1, "503")],
    ],
    ids=["fallen", "another process", "a replica more", "a series is gone"],
)
def test_counters_that_began_anew_let_counts_fall_once(later: list[Series]) -> None:
    tallies = ArmTallies()
    before = tallies.read(ENDPOINT, "team", both(100, 0), "")
    after = tallies.read(ENDPOINT, "team", later, "")
    with pytest.raises(InvalidSpec, match="reset"):
        after["candidate"] - before["candidate"]
    grown = [Series(one.name, one.labels, [(2.0, one.values[-1][1] + 10)]) for one in later]
    assert (tallies.read(ENDPOINT, "team", grown, "")["stable"] - after["stable"]).requests % 10 == 0


def test_a_restart_between_two_samples_of_one_answer_is_seen() -> None:
    tallies = ArmTallies()
    before = tallies.read(ENDPOINT, "team", both(100, 0), "")
    restarted = [Series(one.name, one.labels, [(0.0, 100.0), (1.0, 4.0), (2.0, 150.0)]) for one in both(0, 0)]
    after = tallies.read(ENDPOINT, "team", restarted, "")
    assert after["stable"].requests < before["stable"].requests


def test_a_new_status_code_of_a_known_process_is_no_restart() -> None:
    tallies = ArmTallies()
    assert read(tallies, both(100, 0)) == (100, 0)
    assert read(tallies, [*both(110, 1), istio("candidate", 2, 1, "500")]) == (112, 2)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
def test_a_value_that_is_no_count_is_refused(value: float) -> None:
    with pytest.raises(MetricsUnavailable, match="no count"):
        read(ArmTallies(), [*both(100, 0), istio("candidate", value, 0, "500")])


@pytest.mark.parametrize("series", [[], [istio("stable", 1, 0)], both(1, 0)[:1]], ids=["none", "one arm", "stable"])
def test_an_arm_without_counters_is_no_zero(series: list[Series]) -> None:
    with pytest.raises(MetricsUnavailable, match="flights-candidate"):
        read(ArmTallies(), series)

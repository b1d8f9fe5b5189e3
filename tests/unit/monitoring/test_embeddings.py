"""Embeddings of two samples: chance alone is seldom taken for drift, and a difference that matters is found."""

import numpy as np
import pytest
from seaway.monitoring.embeddings import difference

SIZE, ROWS = 32, 200


def sample(seed: int, rows: int = ROWS, shift: float = 0.0, days: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings of a few directions that matter and others that hardly vary, moved by `shift` deviations in all; rows
    of one day share a part where there are `days`."""
    random = np.random.default_rng(seed)
    mixing = np.random.default_rng(0).normal(size=(SIZE, SIZE)) * np.geomspace(1, 0.01, SIZE)[:, None]
    inner = random.normal(size=(rows, SIZE)) + shift
    moments = np.arange(rows) % days if days else np.arange(rows)
    return (inner + 2 * random.normal(size=(max(days, 1), SIZE))[moments] if days else inner) @ mixing, moments


def verdict(first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray]) -> tuple[float, float]:
    found = difference(first[0], second[0], first[1], second[1])
    return found.distance, found.p_value


def test_samples_of_one_distribution_are_seldom_told_apart() -> None:
    p_values = [verdict(sample(seed), sample(1000 + seed))[1] for seed in range(40)]
    assert sum(p < 0.05 for p in p_values) <= 6  # 2 are expected; more than 6 has a chance below 1 %
    assert max(p_values) > 0.5


@pytest.mark.parametrize("shift", [0.5, 1.0])
def test_a_shift_is_found_and_told_in_deviations(shift: float) -> None:
    found = [verdict(sample(seed), sample(1000 + seed, shift=shift)) for seed in range(10)]
    assert sum(p < 0.05 and distance > 0.1 for distance, p in found) >= 9
    assert np.median([distance for distance, _ in found]) > shift


def test_a_change_of_spread_or_of_a_part_is_found_as_well() -> None:
    rows, days = sample(1)
    wide, _ = sample(2)
    assert verdict((rows, days), (1.5 * wide, days))[1] < 0.05
    mixed = np.where(np.arange(ROWS)[:, None] < ROWS // 3, -wide + 5 * wide.std(axis=0), wide)
    assert verdict((rows, days), (mixed, days))[1] < 0.05


def test_rows_of_a_day_are_no_evidence_of_their_own() -> None:
    """With 8 days of each, independent rows would be told apart nearly always."""
    p_values = [verdict(sample(seed, days=8), sample(1000 + seed, days=8))[1] for seed in range(20)]
    alone = [
        difference(*(sample(part + seed, days=8)[0] for part in (0, 1000)), np.arange(ROWS), np.arange(ROWS)).p_value
        for seed in range(20)
    ]
    assert sum(p < 0.05 for p in p_values) <= 4
    assert sum(p < 0.05 for p in alone) >= 15


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (np.zeros((0, 3)), np.ones((5, 3))),
        (np.ones((50, 3)), np.ones((50, 3))),
        (np.arange(150.0).reshape(50, 3), np.arange(150.0).reshape(50, 3)),
    ],
)
def test_what_does_not_differ_or_is_hardly_there_is_no_drift(first: np.ndarray, second: np.ndarray) -> None:
    distance, p = verdict((first, np.arange(len(first))), (second, np.arange(len(second))))
    assert p > 0.05
    assert np.isfinite(distance)


def test_a_constant_that_becomes_another_is_found() -> None:
    distance, p = verdict((np.zeros((50, 2)), np.arange(50)), (np.full((50, 2), 3.0), np.arange(50)))
    assert p < 0.05
    assert distance > 0.1

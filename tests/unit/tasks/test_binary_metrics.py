"""Figures agree with scikit-learn, and their intervals with a bootstrap and with the truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seaway.tasks import Estimate, estimates
from seaway.tasks.binary_metrics import Predictions, area, reliability, wilson
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score


def drawn(rows: int, seed: int, noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated probabilities and labels drawn from them; `noise` blurs the probabilities."""
    random = np.random.default_rng(seed)
    score = random.normal(size=rows)
    labels = random.random(rows) < 1 / (1 + np.exp(1 - score))
    return 1 / (1 + np.exp(1 - score - noise * random.normal(size=rows))), labels


ROWS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.5, 0.7, 0.9, 1.0]), st.booleans()), min_size=2, max_size=40
).filter(lambda rows: len({label for _, label in rows}) == 2)


def oracle(probabilities: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> dict[str, float]:
    """Scikit-learn's figures of weighted rows."""
    how = {"sample_weight": weights}
    return {
        "roc_auc": roc_auc_score(labels, probabilities, **how),
        "pr_auc": average_precision_score(labels, probabilities, **how),
        "log_loss": log_loss(labels, np.clip(probabilities, 1e-7, 1 - 1e-7), **how),
        "brier": brier_score_loss(labels, probabilities, **how),
    }


@settings(max_examples=40, deadline=None)
@given(ROWS, st.data())
def test_figures_are_scikit_learns_and_influences_are_their_derivatives_by_a_rows_weight(
    rows: list[tuple[float, bool]], data: st.DataObject
) -> None:
    probabilities, labels = (np.array(column) for column in zip(*rows, strict=True))
    row, step = data.draw(st.integers(0, len(rows) - 1)), 1e-4
    heavier, lighter = (1 + sign * step * (np.arange(len(rows)) == row) for sign in (1, -1))
    truth, more, less = (oracle(probabilities, labels, weights) for weights in (np.ones(len(rows)), heavier, lighter))
    for name, (value, influences) in Predictions(probabilities, labels).influences.items():
        assert value == pytest.approx(truth[name], rel=1e-6), name
        assert influences[row] == pytest.approx((more[name] - less[name]) / (2 * step), abs=1e-5), name


def test_intervals_are_as_wide_as_a_bootstrap_of_the_rows_makes_them() -> None:
    probabilities, labels = drawn(1000, seed=9)
    figures, _ = estimates({"model": Predictions(probabilities, labels)}, "model")
    random = np.random.default_rng(0)
    replicates = [oracle(probabilities, labels, random.poisson(1.0, 1000)) for _ in range(300)]
    for name in ("roc_auc", "pr_auc", "log_loss", "brier"):
        spread = np.std([replicate[name] for replicate in replicates])
        width = figures["model"][name].high - figures["model"][name].low
        assert width / (2 * 1.96 * spread) == pytest.approx(1.0, abs=0.15), name  # 4 % is a replicate's own noise


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    truth = Predictions(*drawn(400_000, seed=1)).figures()
    held = {"roc_auc": 0, "log_loss": 0, "brier": 0, "pr_auc": 0}
    for seed in range(60):
        figures, _ = estimates({"model": Predictions(*drawn(400, seed=100 + seed))}, "model")
        for metric in held:
            held[metric] += figures["model"][metric].low <= truth[metric].value <= figures["model"][metric].high
    assert all(count >= 51 for count in held.values()), held  # 95 % of 60 is 57; 51 or fewer has p < 0.01


def test_a_paired_difference_is_sharper_than_two_separate_intervals() -> None:
    probabilities, labels = drawn(3000, seed=3)
    blurred = np.clip(probabilities + np.random.default_rng(0).normal(0, 0.05, 3000), 0, 1)
    models = {"model": Predictions(probabilities, labels), "other": Predictions(blurred, labels)}
    figures, differences = estimates(models, "model")
    width = differences["other"]["roc_auc"].high - differences["other"]["roc_auc"].low
    alone = figures["model"]["roc_auc"].high - figures["model"]["roc_auc"].low
    assert width < alone / 2


def test_a_model_equals_itself() -> None:
    model = Predictions(*drawn(500, seed=4))
    _, differences = estimates({"model": model, "same": model}, "model")
    assert differences["same"]["roc_auc"] == Estimate(0.0, 0.0, 0.0)


def test_a_calibrated_model_has_a_calibration_interval_that_reaches_near_zero() -> None:
    figures, _ = estimates({"model": Predictions(*drawn(20_000, seed=5))}, "model")
    assert figures["model"]["ece"].low < 0.005


def test_a_model_that_says_twice_too_much_is_seen() -> None:
    probabilities, labels = drawn(20_000, seed=6)
    figures, _ = estimates({"model": Predictions(np.minimum(1, 2 * probabilities), labels)}, "model")
    assert figures["model"]["ece"].low > 0.15


def test_reliability_holds_every_row_and_the_observed_rates() -> None:
    probabilities, labels = drawn(5000, seed=7)
    bins = reliability(Predictions(probabilities, labels))
    assert sum(part["count"] for part in bins) == 5000
    assert sum(part["count"] * part["observed"] for part in bins) == pytest.approx(labels.sum())
    assert all(part["low"] <= part["observed"] <= part["high"] for part in bins)


def test_a_constant_prediction_is_one_bin_and_no_better_than_chance() -> None:
    model = Predictions(np.full(100, 0.3), np.arange(100) < 30)
    assert model.figures()["roc_auc"].value == pytest.approx(0.5)
    assert [part["count"] for part in reliability(model)] == [100]


def test_the_wilson_interval_is_the_published_one() -> None:
    # Brown, Cai and DasGupta 2001 discuss it; 0 of 10 gives z^2 / (n + z^2) as its upper end
    assert wilson(0, 10) == pytest.approx((0.0, 0.27753), abs=1e-4)
    assert all(
        wilson(hits, rows)[0] <= hits / rows <= wilson(hits, rows)[1] for rows in range(1, 60) for hits in (0, rows)
    )
    assert wilson(5, 10) == pytest.approx((0.23659, 0.76341), abs=1e-4)


def test_a_slice_of_one_class_has_no_area() -> None:
    model = Predictions(*drawn(200, seed=8))
    lone = Predictions(model.probabilities[model.labels], model.labels[model.labels])
    assert area(model) is not None
    assert area(lone) is None

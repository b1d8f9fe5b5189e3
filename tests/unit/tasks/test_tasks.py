"""Each task's figures are scikit-learn's, its losses lie in [0, 1], and it refuses what is none of it."""

import json
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from seaway import registry, tasks
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.tasks import Target, Task
from sklearn import metrics

QUANTILE = "quantile:0.8"
CLASSES = ("Fair", "Good", "Ideal")
SEEDS = st.integers(0, 2**32 - 1)


def some(task: str, seed: int, rows: int = 40) -> tuple[Task, np.ndarray, np.ndarray, np.ndarray]:
    """A task, a model's output, the labels as a column has them, and in the task's form."""
    random = np.random.default_rng(seed)
    scores = random.dirichlet(np.ones(3), rows)
    column: Any = {
        "binary": random.permutation(np.arange(rows) % 2),
        "multiclass": np.array(CLASSES, object)[random.permutation(np.arange(rows) % 3)],
        "multilabel": _lists(random, rows),
        "regression": random.normal(50, 20, rows),
        QUANTILE: random.normal(50, 20, rows),
    }[task]
    output = {"binary": scores[:, :1], "multiclass": scores, "multilabel": random.random((rows, 3))}.get(
        task, random.normal(50, 20, (rows, 1))
    )
    made = tasks.named(task, "label", column, "The rows")
    return made, output, column, made.labels(column, "The rows")


def _lists(random: np.random.Generator, rows: int) -> np.ndarray:
    column = np.empty(rows, object)
    column[:] = [[name for name in CLASSES if random.random() < 0.5] for _ in range(rows)]
    column[0], column[1] = list(CLASSES), []
    return column


def oracle(task: str, output: np.ndarray, column: np.ndarray, weights: np.ndarray) -> dict[str, float]:
    """Scikit-learn's figures of weighted rows."""
    how = {"sample_weight": weights}
    if task == "multiclass":
        called = np.array(CLASSES, object)[output.argmax(axis=1)]
        truth = (column[:, None] == np.array(CLASSES, object)).astype(int)
        return {
            "log_loss": metrics.log_loss(column, output, labels=CLASSES, **how),
            "accuracy": metrics.accuracy_score(column, called, **how),
            "f1": metrics.f1_score(column, called, average="macro", **how),
            "roc_auc": metrics.roc_auc_score(truth, output, average="macro", **how),
            "brier": metrics.brier_score_loss(column, output, labels=CLASSES, scale_by_half=True, **how),
        }
    if task == "multilabel":
        truth = np.array([[name in row for name in CLASSES] for row in column]).astype(int)
        each = range(3)
        return {
            "log_loss": float(np.mean([metrics.log_loss(truth[:, k], output[:, k], **how) for k in each])),
            "f1": metrics.f1_score(truth, output >= 0.5, average="macro", zero_division=0, **how),
            "roc_auc": metrics.roc_auc_score(truth, output, average="macro", **how),
            "brier": float(np.mean([metrics.brier_score_loss(truth[:, k], output[:, k], **how) for k in each])),
        }
    if task == QUANTILE:
        return {
            "pinball": metrics.mean_pinball_loss(column, output[:, 0], alpha=0.8, **how),
            "mae": metrics.mean_absolute_error(column, output[:, 0], **how),
        }
    return {
        "rmse": metrics.root_mean_squared_error(column, output[:, 0], **how),
        "mae": metrics.mean_absolute_error(column, output[:, 0], **how),
        "r2": metrics.r2_score(column, output[:, 0], **how),
    }


@pytest.mark.parametrize("name", ["multiclass", "multilabel", "regression", QUANTILE])
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_figures_are_scikit_learns_and_influences_their_derivatives_by_a_rows_weight(name: str, seed: int) -> None:
    task, output, column, labels = some(name, seed)
    found = task.measured(task.answers(output), labels).influences
    row, step = seed % len(column), 1e-5
    heavier, lighter = (1 + sign * step * (np.arange(len(column)) == row) for sign in (1, -1))
    truth, more, less = (oracle(name, output, column, each) for each in (np.ones(len(column)), heavier, lighter))
    assert set(found) == set(truth) == {metric.name for metric in task.metrics}
    for figure, (value, influences) in found.items():
        assert value == pytest.approx(truth[figure], rel=1e-6), figure
        assert influences[row] == pytest.approx((more[figure] - less[figure]) / (2 * step), abs=1e-4), figure


@pytest.mark.parametrize("name", ["binary", "multiclass", "multilabel", "regression", QUANTILE])
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_every_legal_answer_has_a_loss_in_the_unit_interval_and_the_truth_has_none(name: str, seed: int) -> None:
    task, output, _, labels = some(name, seed)
    answers = task.answers(output)
    assert not np.isnan(answers).any()
    losses = task.losses(answers, labels)
    assert losses.shape == (len(labels),)
    assert ((losses >= 0) & (losses <= 1)).all()
    assert task.losses(task.answers(task.truth(labels)), labels) == pytest.approx(0)
    assert losses.max() > 0


@pytest.mark.parametrize("name", ["binary", "multiclass", "multilabel", "regression", QUANTILE])
def test_a_target_comes_back_from_json_as_it_was(name: str) -> None:
    target = some(name, 1)[0].target
    assert Target.from_json(json.loads(json.dumps(target.to_json()))) == target


@pytest.mark.parametrize("name", ["binary", "multiclass", "multilabel", "regression", QUANTILE])
def test_a_bundled_trainers_loss_falls_towards_the_truth_and_its_answers_are_legal(name: str) -> None:
    task, _, _, labels = some(name, 3)
    wanted = torch.from_numpy(task.training_labels(labels))
    outputs = torch.zeros((len(labels), task.width), requires_grad=True)
    before = task.loss(outputs, wanted)
    before.backward()
    assert outputs.grad is not None
    assert task.loss(outputs - 0.1 * outputs.grad, wanted) < before
    assert not np.isnan(task.answers(task.answer(outputs).detach().numpy())).any()


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("binary", [[1.2]]),
        ("binary", [[0.1, 0.2, 0.7]]),
        ("binary", [[np.nan]]),
        ("multiclass", [[0.5, 0.5]]),
        ("multiclass", [[0.9, 0.9, 0.9]]),
        ("multiclass", [[-0.1, 0.6, 0.5]]),
        ("multilabel", [[0.1, 0.2, 1.1]]),
        ("regression", [[np.inf]]),
        ("regression", [[1.0, 2.0]]),
    ],
)
def test_an_answer_that_is_none_of_the_task_is_told_from_one_that_is_wrong(name: str, output: Any) -> None:
    assert np.isnan(some(name, 1)[0].answers(np.array(output))).all()


def test_of_two_values_of_a_binary_model_the_last_is_the_probability() -> None:
    assert some("binary", 1)[0].answers(np.array([[0.8, 0.2]])).tolist() == [0.2]


@pytest.mark.parametrize(
    ("name", "column", "reason"),
    [
        ("binary", np.array([0, 1, 2]), "holds 2 in 1 of 3 rows"),
        ("binary", np.array([0.0, np.nan]), "missing in 1 of 2"),
        ("binary", np.array(["a", "b", "c"], object), "holds 3 names"),
        ("binary", np.array(["a", None], object), "missing in 1 of 2"),
        ("multiclass", np.array([0.5, 1.0]), "holds 0.5"),
        ("multiclass", np.array(["a", "a"], object), "1 different values"),
        ("multilabel", np.array(["a", "b"], object), "a list of names"),
        ("regression", np.array(["a", "b"], object), "wants numbers"),
        ("regression", np.array([1.0, np.inf]), "holds inf"),
        ("regression", np.array([2.0, 2.0]), "every label 'label' is 2"),
        ("regression", np.array([]), "no rows"),
    ],
)
def test_labels_that_are_none_of_the_task_are_refused_by_name(name: str, column: np.ndarray, reason: str) -> None:
    with pytest.raises(DataUnreadable, match=reason):
        tasks.named(name, "label", column, "The rows").labels(column, "The rows")


@pytest.mark.parametrize(
    ("column", "positive"),
    [
        (np.array(["no", "yes", "no"], object), "yes"),
        (np.array(["False", "True", "False"], object), "True"),
        (np.array([True, False, True]), "label"),
        (np.array([0, 1, 1], np.int8), "label"),
        (np.array([0, 1, 1], object), "label"),
    ],
)
def test_a_binary_label_may_be_two_names_or_truths(column: np.ndarray, positive: str) -> None:
    task = tasks.named("binary", "label", column, "The rows")
    labels = task.labels(column, "The rows")
    assert labels.tolist() == [str(value) in ("yes", "True", "1") for value in column]
    assert task.facts(labels)["positive"] == positive


def test_whole_numbers_as_classes_are_in_their_own_order() -> None:
    column = np.array([10, 2, 9, -1])
    task = tasks.named("multiclass", "digit", column, "The rows")
    assert task.target.classes == ("-1", "2", "9", "10")
    assert task.labels(np.array([2.0, 10.0]), "Others").tolist() == [1, 3]


def test_a_class_that_no_model_has_seen_counts_against_all_that_it_gave() -> None:
    task, _, _, _ = some("multiclass", 1)
    labels = task.labels(np.array(["Ideal", "New"], object), "The rows")
    assert task.losses(task.answers(np.array([[0, 0, 1], [0, 0, 1]])), labels).tolist() == [0, 1]
    with pytest.raises(DataUnreadable, match="none of which is a class"):
        task.labels(np.array(["New"], object), "The rows")


def test_classes_in_another_order_are_brought_into_the_tasks() -> None:
    mine, other = (tasks.of(Target("multiclass", "cut", classes=names)) for names in (("a", "b"), ("b", "c", "a")))
    assert mine.in_order_of(other, np.array([[0.2, 0.8]])).tolist() == [[0.8, 0, 0.2]]


def test_a_regressions_loss_does_not_depend_on_its_unit() -> None:
    task, output, column, labels = some("regression", 5)
    cents = tasks.named("regression", "label", column * 100, "The rows")
    assert cents.losses(output[:, 0] * 100, labels * 100) == pytest.approx(task.losses(output[:, 0], labels))


def test_small_figures_keep_their_digits() -> None:
    assert tasks.Estimate(1.23456789e-7, 0.0, 12.3456789).to_json() == {
        "value": 1.23457e-7,
        "low": 0,
        "high": 12.345679,
    }


def test_two_regressions_are_judged_on_the_scale_of_the_first() -> None:
    one, two = (tasks.named("regression", "label", np.linspace(0, end, 101), "The rows") for end in (10, 1000))
    assert two.beside(one).losses(np.array([4.5]), np.array([0.0])) == pytest.approx(0.5)
    with pytest.raises(InvalidSpec, match="predicts 'label'"):
        two.beside(some("binary", 1)[0])


@pytest.mark.parametrize("name", ["binary", "multiclass", "multilabel", "regression"])
def test_the_naive_baseline_is_each_groups_mean_and_that_of_all_for_a_new_group(name: str) -> None:
    task, _, _, labels = some(name, 2, rows=6)
    groups = np.array([0, 0, 0, 1, 1, 1])
    naive = task.naive(labels, groups, np.array([0, 1, 2]))
    truth = task.truth(labels)
    wanted = np.stack([truth[:3].mean(axis=0), truth[3:].mean(axis=0), truth.mean(axis=0)])
    assert naive.reshape(3, -1) == pytest.approx(wanted)


def test_a_task_that_nobody_has_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InvalidSpec, match="binary, multiclass, multilabel, quantile, regression"):
        tasks.named("survival", "label", np.zeros(1), "The rows")
    with pytest.raises(InvalidSpec, match="names its task and its label"):
        Target("binary", "")
    assert not registry.port("task").by_setting


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_answer_that_costs_least_is_the_quantile(share: float) -> None:
    """By the loss of the trainer, of the figures and of the judge alike."""
    column = np.random.default_rng(0).gamma(2, 10, 400)
    task = tasks.named(f"quantile:{share}", "label", column, "The rows")
    labels, levels = task.labels(column, "The rows"), np.linspace(0, 60, 241)
    wanted = torch.from_numpy(task.training_labels(labels))
    facts = task.target.facts
    outputs = [torch.full((400, 1), (level - facts["mean"]) / facts["deviation"]) for level in levels]
    costs = [
        [float(task.loss(output, wanted)) for output in outputs],
        [task.measured(np.full(400, level), labels).figures()["pinball"].value for level in levels],
        [task.losses(np.full(400, level), labels).sum() for level in levels],
    ]
    for cost in costs:
        assert levels[int(np.argmin(cost))] == pytest.approx(np.quantile(column, share), abs=0.6)
    naive = task.naive(labels, np.arange(400) % 2, np.array([0, 1, 2]))
    expected = [np.quantile(part, share) for part in (column[::2], column[1::2], column)]
    assert naive == pytest.approx(expected)
    assert task.beside(task).target.task == f"quantile:{share}"


@pytest.mark.parametrize("name", ["quantile", "quantile:", "quantile:90", "quantile:x", "regression:0.9"])
def test_a_task_that_says_no_share_or_one_too_many_is_refused(name: str) -> None:
    with pytest.raises(InvalidSpec, match=r"no share between 0 and 1|takes nothing behind a colon"):
        tasks.named(name, "label", np.arange(9.0), "The rows")

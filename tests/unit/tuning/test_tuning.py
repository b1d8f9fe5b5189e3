"""Studies before they start and after they end: refusals, proposals, populations, the best trial, the table."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import PROJECT
from seaway.errors import DataUnreadable, InvalidSpec, TuningFailed
from seaway.training import TrainSpec
from seaway.tuning import (
    METHODS,
    Algorithm,
    Budget,
    Categorical,
    Constraint,
    Float,
    Int,
    Objective,
    SearchSpace,
    State,
    Trial,
    TuneResult,
    TuneSpec,
    When,
    earlier_trials,
    halving,
    refuse,
)
from seaway.tuning.algorithm import FEATURES
from seaway.tuning.fingerprint import fingerprint
from seaway.tuning.importance import importance
from seaway.tuning.suggest import given_point, propose

from tools.tuning_reference import written

SPACE = SearchSpace({"x": Float(0, 1), "y": Float(1, 2)})
TRAINING = TrainSpec("train", "validation", "output", "checkpoints", params={"epochs": 4, "x": 0.5})


def spec(algorithm: str = "tpe", trials: int = 8, **changed: Any) -> TuneSpec:
    fields: dict[str, Any] = {"training": TRAINING, "space": SPACE, "objectives": (Objective("score"),), **changed}
    return TuneSpec(algorithm=Algorithm(algorithm), budget=Budget(trials), output=Path("study"), **fields)


def trial(number: int, score: float, state: State = State.COMPLETE, **changed: Any) -> Trial:
    fields = {"params": {"x": 0.5, "y": 1.5}, "values": {"score": score}, "epochs": 1, **changed}
    return Trial(number, state, **fields)


TWO = (Objective("score"), Objective("size", "minimize"))
IMPOSSIBLE_HERE = {
    "conditions": ("tpe", {"space": SearchSpace({"a": Int(0, 1), "b": Int(0, 1, when=When("a", (1,)))})}, "optuna"),
    "objectives": ("tpe", {"objectives": TWO}, "optuna"),
    "constraints": ("tpe", {"constraints": (Constraint("size", at_most=1),)}, "optuna"),
    "warm start": ("tpe", {"warm_start": Path("earlier")}, "optuna"),
    "rows": ("tpe", {"rows_fraction": 0.5}, "optuna"),
    "asha": ("asha", {}, "optuna"),
    "nsga2": ("nsga2", {}, "optuna"),
    "log and step": ("tpe", {"space": SearchSpace({"x": Float(1, 2, log=True, step=0.1)})}, "katib"),
    "nas": ("random", {"passthrough": {"nasConfig": {}}}, "katib"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE_HERE)
def test_a_backend_that_cannot_refuses_and_names_the_one_that_can(name: str) -> None:
    algorithm, changed, able = IMPOSSIBLE_HERE[name]
    (other,) = {"optuna", "katib"} - {able}
    refuse(spec(algorithm, **changed), able)
    with pytest.raises(InvalidSpec, match=f"The backend {other} .*; the backend that has: {able}"):
        refuse(spec(algorithm, **changed), other)


@pytest.mark.parametrize("backend", ["optuna", "katib"])
@pytest.mark.parametrize(
    ("algorithm", "changed", "said"),
    [
        ("cmaes", {"space": SearchSpace({"x": Float(0, 1), "c": Categorical(("a",))})}, "numeric"),
        ("cmaes", {"space": SearchSpace({"x": Float(0, 1)})}, "two numeric"),
        ("grid", {}, "A grid needs a step for x, y"),
        ("asha", {"objectives": TWO}, "one objective"),
        ("pbt", {"trials": 7}, "trains its population of 4 once"),
        ("hyperband", {"training": dataclasses.replace(TRAINING, params={})}, "epochs=None"),
        ("random", {"warm_start": Path("earlier")}, "learns from no trial"),
    ],
)
def test_what_has_no_meaning_anywhere_is_refused_everywhere(
    backend: str, algorithm: str, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidSpec, match=said):
        refuse(spec(algorithm, **changed), backend)


def test_every_algorithm_of_the_issue_is_carried_out_on_a_laptop() -> None:
    wanted = {"grid", "random", "tpe", "bayes", "cmaes", "sobol", "hyperband", "asha", "median", "pbt"}
    assert wanted <= {name for name, method in METHODS.items() if "optuna" in method.backends}
    assert all(able <= {"optuna", "slurm", "ray", "katib"} for able in FEATURES.values())


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Algorithm("tpee"), "there are: grid, random"),
        (lambda: Algorithm("tpe", {"startups": 1}), "no setting startups; there are: startup_trials"),
        (lambda: Algorithm("asha", {"sampler": "grid"}), "tpe, random"),
        (lambda: Algorithm("asha", {"reduction": 2.5}), "no whole number"),
        (lambda: Budget(-1), "trials=-1"),
        (lambda: Budget(1, seconds=0), "seconds=0"),
        (lambda: Budget(1, epochs=-3), "epochs=-3"),
        (lambda: Objective("x", "max"), "'max'"),
        (lambda: Constraint("x"), "no bound"),
        (lambda: Constraint("x", at_most=1, at_least=2), "No 'x'"),
        (lambda: spec(objectives=()), "needs objectives"),
        (lambda: spec(objectives=(Objective("a"), Objective("a"))), "each metric once"),
        (lambda: spec(parallel=0), "parallel=0"),
        (lambda: spec(rows_fraction=0), "rows_fraction=0"),
        (lambda: spec(trials=1, rows_fraction=0.5), "needs 2 trials"),
        (lambda: spec(space=SearchSpace({"epochs.x": Int(0, 1)})), "no object"),
    ],
)
def test_a_spec_that_is_out_of_range_says_so(make: Any, said: str) -> None:
    with pytest.raises(InvalidSpec, match=said):
        make()


def test_settings_that_came_as_floats_are_whole_numbers_again() -> None:
    assert Algorithm("asha", {"reduction": 4.0}).settings["reduction"] == 4
    assert isinstance(Algorithm("asha", {"reduction": 4.0}).settings["reduction"], int)


SCORES = st.lists(st.tuples(st.floats(-9, 9), st.floats(0, 9), st.sampled_from(State)), min_size=1, max_size=12)


@given(SCORES)
def test_the_best_is_on_the_front_and_ended_well(found: list[tuple[float, float, State]]) -> None:
    values = [{"score": score, "size": size} for score, size, _ in found]
    trials = [trial(n, 0, found[n][2], values=one) for n, one in enumerate(values)]
    result = TuneResult(spec(objectives=TWO), tuple(trials))
    complete = [one for one in trials if one.state is State.COMPLETE]
    if not complete:
        with pytest.raises(TuningFailed):
            _ = result.best
        return
    assert result.best in result.pareto
    assert result.best.values["score"] == max(one.values["score"] for one in complete)
    for one in complete:
        beaten = any(
            other.values["score"] >= one.values["score"]
            and other.values["size"] <= one.values["size"]
            and other.values != one.values
            for other in complete
        )
        assert (one in result.pareto) is not beaten


def test_a_nan_an_early_end_a_missed_constraint_or_a_part_of_the_rows_is_never_best() -> None:
    trials = (
        trial(0, math.nan),
        trial(1, 9.0, State.PRUNED),
        trial(2, 9.0, State.FAILED),
        trial(3, 8.0, values={"score": 8.0, "size": 3.0}),
        trial(4, 7.0, values={"score": 7.0, "size": 1.0}, rows=0.5),
        trial(5, 1.0, values={"score": 1.0, "size": 1.0}),
    )
    result = TuneResult(spec(constraints=(Constraint("size", at_most=2),)), trials)
    assert result.best.number == 5
    assert result.params == {"epochs": 4, "x": 0.5, "y": 1.5}


def test_a_study_without_a_good_trial_says_why() -> None:
    failed = (trial(0, math.nan, State.FAILED, reason="It ran out of memory."),)
    with pytest.raises(TuningFailed, match="trial 0 failed: It ran out of memory"):
        _ = TuneResult(spec(), failed).params
    with pytest.raises(TuningFailed, match=r"5 s are over.*larger budget"):
        _ = TuneResult(spec(), (trial(0, 1.0, State.PRUNED),), "5 s are over").params


def test_a_written_study_is_read_again_by_the_next_one(tmp_path: Path) -> None:
    trials = (trial(0, 1.0, history=({"epoch": 1, "score": 1.0},)), trial(1, 2.0), trial(2, math.nan, State.FAILED))
    result = TuneResult(spec(), trials, "all 3 trials")
    result.write(tmp_path)
    again = earlier_trials(tmp_path)
    assert again[:2] == trials[:2]
    assert json.loads((tmp_path / "study.json").read_text())["best"] == 1
    (tmp_path / "study.json").write_text('{"trials": [{"numbers": 1}]}')
    with pytest.raises(DataUnreadable, match="is no study"):
        earlier_trials(tmp_path)


def test_all_that_decides_which_trials_there_are_makes_another_study(tmp_path: Path) -> None:
    for name in ("train", "validation"):
        (tmp_path / name).write_text(name)
    training = dataclasses.replace(
        TRAINING, train=tmp_path / "train", validation=tmp_path / "validation", entrypoint="json.tool"
    )
    first = spec(training=training)
    assert fingerprint(first) == fingerprint(dataclasses.replace(first, output=tmp_path / "elsewhere"))
    others = [
        dataclasses.replace(first, **changed)
        for changed in (
            {"seed": 1}, {"budget": Budget(9)}, {"algorithm": Algorithm("random")}, {"parallel": 2},
            {"space": SearchSpace({"x": Float(0, 2), "y": Float(1, 2)})}, {"objectives": (Objective("other"),)},
            {"constraints": (Constraint("size", at_most=1),)}, {"rows_fraction": 0.5}, {"trial_workers": 2},
            {"training": dataclasses.replace(training, params={"epochs": 5, "x": 0.5})},
        )
    ]  # fmt: skip
    assert len({fingerprint(one) for one in (first, *others)}) == 1 + len(others)


def test_the_params_as_given_are_tried_first_where_they_are_in_the_space() -> None:
    assert given_point(spec()) is None, "y is not given"
    training = dataclasses.replace(TRAINING, params={"epochs": 4, "x": 0.5, "y": 1.5})
    proposal = propose(spec(training=training), [], 0)
    assert proposal is not None
    assert proposal.params == {"x": 0.5, "y": 1.5}
    assert proposal.whole, "the params as given may be ended early"
    outside = dataclasses.replace(TRAINING, params={"epochs": 4, "x": 5, "y": 1.5})
    assert given_point(spec(training=outside)) is None


def test_the_best_on_a_part_of_the_rows_are_trained_on_all_and_no_earlier() -> None:
    study = spec(trials=8, rows_fraction=0.5)
    searched = [trial(number, float(number % 5), rows=0.5, params={"x": number / 10, "y": 1.0}) for number in range(6)]
    assert propose(study, searched[:5], 1) is None, "one of the search is running"
    first, second = propose(study, searched, 0), propose(study, searched, 1)
    assert first is not None and second is not None
    assert [first.rows, first.params["x"]] == [1.0, 0.4]
    assert second.params["x"] == 0.3
    assert propose(study, searched, 2) is None
    assert propose(study, searched[:3], 0, spent=True).params["x"] == 0.2


@given(st.integers(2, 6), st.integers(1, 3), st.integers(0, 99))
def test_a_population_copies_its_best_and_nobody_goes_on_from_a_failure(size: int, interval: int, seed: int) -> None:
    algorithm = Algorithm("pbt", {"population": size, "interval": interval, "quantile": 0.5})
    study = dataclasses.replace(spec(trials=99, seed=seed), algorithm=algorithm)
    ended: list[Trial] = []
    while (proposal := propose(study, ended, 0)) is not None:
        number = len(ended)
        assert (proposal.parent is None) == (number < size)
        if proposal.parent is not None:
            assert ended[proposal.parent].state is State.COMPLETE
            SPACE.check(proposal.params)
        failed = number % size == size - 1
        ended.append(
            trial(
                number,
                float((number * 7) % 5),
                State.FAILED if failed else State.COMPLETE,
                params=proposal.params or {"x": 0.5, "y": 1.5},
            )
        )
    assert len(ended) == size * math.ceil(4 / interval)
    assert propose(study, ended[: size + 1], 0) is not None
    assert propose(study, ended[: 2 * size - 1], 1) is None, "a generation waits for the one before"


@given(st.lists(st.floats(-9, 9), min_size=1, max_size=40), st.integers(2, 4))
def test_halving_lets_one_in_so_many_go_on_and_the_best_of_those_that_wait_first(
    scores: list[float], reduction: int
) -> None:
    study = dataclasses.replace(spec(trials=99), algorithm=Algorithm("asha", {"reduction": reduction}))
    trials = [trial(n, 0.0, State.PRUNED, history=({"epoch": 1, "score": score},)) for n, score in enumerate(scores)]
    leaders = [one for one in trials if halving.leads(study, one, trials)]
    assert len(leaders) == len(trials) // reduction
    assert halving.furthest(study, trials).history[0]["score"] == max(scores)
    first = halving.promoted(study, trials)
    if not leaders:
        assert first is None
        return
    assert first in leaders
    assert first.history[0]["score"] == max(scores)
    second = tuple({"epoch": epoch, "score": 0.0} for epoch in range(1, reduction + 1))
    trials[first.number] = dataclasses.replace(first, state=State.RUNNING, history=(*first.history, *second[1:]))
    assert halving.promoted(study, trials) == next((one for one in ranked(leaders) if one != first), None)


def ranked(trials: list[Trial]) -> list[Trial]:
    return sorted(trials, key=lambda one: (-one.history[0]["score"], one.number))


def test_halving_compares_at_the_powers_of_its_reduction_and_never_with_a_failed_trial() -> None:
    study = dataclasses.replace(spec(trials=99), algorithm=Algorithm("asha", {"min_epochs": 2, "reduction": 3}))
    assert [halving.rung(study, epochs) for epochs in (0, 1, 2, 5, 6, 17, 18)] == [0, 0, 2, 2, 6, 6, 18]
    history = tuple({"epoch": epoch, "score": 1.0} for epoch in (1, 2))
    failed = [trial(n, 9.0, State.FAILED, history=history) for n in range(9)]
    assert halving.promoted(study, [*failed, trial(9, 1.0, State.PRUNED, history=history)]) is None


def test_a_paused_trial_is_finished_only_where_no_whole_training_was_as_good_by_then() -> None:
    study = dataclasses.replace(spec(trials=99), algorithm=Algorithm("asha"))
    short, whole = ({"epoch": 1, "score": 2.0},), tuple({"epoch": n, "score": float(n)} for n in (1, 2, 3, 4))
    paused, complete = trial(0, 2.0, State.PRUNED, history=short), trial(1, 4.0, history=whole)
    assert halving.unbeaten(study, [paused, complete]) == paused, "1.0 after epoch 1 is worse than 2.0"
    better = dataclasses.replace(complete, history=({"epoch": 1, "score": 3.0}, *whole[1:]))
    assert halving.unbeaten(study, [paused, better]) is None
    assert halving.unbeaten(study, [better]) is None


def test_importance_finds_the_parameter_that_matters() -> None:
    trials = [trial(n, -abs(n / 19 - 0.3), params={"x": n / 19, "y": 1 + (n * 7 % 20) / 20}) for n in range(20)]
    found = importance(SPACE, Objective("score"), trials)
    assert found is not None
    assert found.shares["x"] > 0.8
    assert importance(SPACE, Objective("score"), trials[:4]) is None


def test_importance_compares_trials_of_different_length_at_an_epoch_that_they_share() -> None:
    def history(n: int, epochs: int) -> tuple[dict[str, float], ...]:
        return tuple({"epoch": e, "score": n + 100.0 * e} for e in range(1, epochs + 1))

    trials = [
        trial(n, 0.0, State.PRUNED if n % 2 else State.COMPLETE, history=history(n, 1 if n % 2 else 4),
              params={"x": n / 19, "y": 1 + (n * 7 % 20) / 20})
        for n in range(20)
    ]  # fmt: skip
    found = importance(SPACE, Objective("score"), trials)
    assert found is not None
    assert (found.epoch, found.trials) == (1, 20)
    assert found.shares["x"] > 0.8


def test_the_table_in_the_docs_is_the_one_of_the_code() -> None:
    page = (PROJECT / "docs" / "reference" / "tuning.md").read_text(encoding="utf-8")
    assert written(page) == page, "run `make generate`"

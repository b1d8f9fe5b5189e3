"""What labels say together: as the papers' formulas say, and as a crowd of known quality shows."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from annotators import always, labelled, right
from hypothesis import given, settings
from hypothesis import strategies as st
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.labeling import Label
from seaway.labeling.aggregation import LIAR, SAME, Aggregated, aggregate
from seaway.labeling.agreement import alpha
from seaway.labeling.consensus import METHODS, ROUNDS, SETTLED, SMOOTHING, dawid_skene
from seaway.labeling.votes import Votes

CLASSES = ("cat", "dog", "owl")
TRUTH = [CLASSES[place % 3] for place in range(300)]
CROWD = {
    "ann": right(0.95, 3),
    "bob": right(0.7, 3),
    "cid": right(0.6, 3),
    "dan": [[0.05, 0.9, 0.05], [0.9, 0.05, 0.05], [0.05, 0.05, 0.9]],  # mixes cats and dogs up
    "eve": always(2, 3),
}
answers = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from("xyz"), st.sampled_from(CLASSES)), min_size=1, max_size=40
)


def accuracy(found: Aggregated, truth: Sequence[str] = TRUTH) -> float:
    return sum(one.label == truth[int(one.key)] for one in found.items) / len(found.items)


def by_the_paper(votes: Votes) -> list[list[float]]:
    """Dawid and Skene's equations 2.3 to 2.5, a sum at a time, with the same smoothing and the same end."""
    labels = list(zip(votes.item.tolist(), votes.annotator.tolist(), votes.value.tolist(), strict=True))
    items, people, classes = range(len(votes.keys)), range(len(votes.annotators)), range(len(votes.classes))
    belief = [[0.0 for _ in classes] for _ in items]
    for item in items:
        own = [value for one, _, value in labels if one == item]
        belief[item] = [own.count(value) / len(own) for value in classes]
    for _ in range(ROUNDS):
        pi = [[[0.0 for _ in classes] for _ in classes] for _ in people]
        for person in people:
            for truth in classes:
                given_answer = [SMOOTHING + sum(belief[i][truth] for i, p, v in labels if (p, v) == (person, value))
                                for value in classes]  # fmt: skip
                pi[person][truth] = [one / sum(given_answer) for one in given_answer]
        prior = [SMOOTHING + sum(belief[item][truth] for item in items) for truth in classes]
        prior = [one / sum(prior) for one in prior]
        new = []
        for item in items:
            likely = [prior[truth] * math.prod(pi[p][truth][v] for i, p, v in labels if i == item) for truth in classes]
            new.append([one / sum(likely) for one in likely])
        change = max(
            abs(a - b) for before, after in zip(belief, new, strict=True) for a, b in zip(before, after, strict=True)
        )
        belief = new
        if change < SETTLED:
            break
    return belief


@settings(max_examples=15, deadline=None)
@given(answers)
def test_dawid_and_skene_is_what_the_paper_says(given_answers: list[tuple[int, str, str]]) -> None:
    votes = Votes.of([Label(str(key), name, value) for key, name, value in given_answers], CLASSES)
    assert np.abs(dawid_skene(votes).belief - np.array(by_the_paper(votes))).max() < 1e-4


def test_a_crowd_is_better_than_its_majority_and_its_annotators_are_told_apart() -> None:
    labels = labelled(TRUTH, CLASSES, CROWD)
    found = {method: aggregate(labels, CLASSES, method) for method in METHODS}
    assert accuracy(found["dawid_skene"]) > 0.95 > accuracy(found["majority"])
    assert accuracy(found["mace"]) > accuracy(found["majority"])
    for method in ("dawid_skene", "mace"):
        quality = {one.name: one.quality for one in found[method].annotators}
        assert quality["ann"] > quality["bob"] > quality["cid"] > quality["dan"]
    confusion = dawid_skene(Votes.of(labels, CLASSES)).confusion
    for place, name in enumerate(CROWD):
        assert np.abs(confusion[place] - np.array(CROWD[name])).max() < 0.12, name


def test_confidence_is_as_often_right_as_it_says() -> None:
    crowd = {f"a{place}": right(0.62, 3) for place in range(6)}
    truth = TRUTH * 4
    found = aggregate(labelled(truth, CLASSES, crowd, share=0.7), CLASSES)
    for low, high in ((0.5, 0.8), (0.8, 0.95), (0.95, 1.0)):
        inside = [one for one in found.items if low <= one.confidence < high]
        assert len(inside) > 50
        expected = np.mean([one.confidence for one in inside])
        assert abs(np.mean([one.label == truth[int(one.key)] for one in inside]) - expected) < 0.1


def test_golden_items_make_a_gang_of_liars_harmless() -> None:
    liars = {f"liar{place}": [[0.1, 0.9], [0.9, 0.1]] for place in range(3)} | {
        "ann": right(0.95, 2),
        "bob": right(0.9, 2),
    }
    classes = ("no", "yes")
    truth = [classes[place % 2] for place in range(200)]
    labels = labelled(truth, classes, liars)
    golden = {str(place): truth[place] for place in range(20)}
    assert accuracy(aggregate(labels, classes), truth) < 0.5
    found = aggregate(labels, classes, golden=golden)
    assert accuracy(found, truth) > 0.95
    warned = {one.name: one.warning for one in found.annotators}
    assert warned == {"ann": "", "bob": "", "liar0": LIAR, "liar1": LIAR, "liar2": LIAR}
    assert all(one.confidence == 1 and one.label == golden[one.key] for one in found.items if one.golden)
    assert found.metrics["golden_accuracy"] == pytest.approx(
        sum(label.value == golden.get(label.key) for label in labels) / (20 * 5)
    )


def test_one_who_always_answers_the_same_is_told_and_has_no_weight() -> None:
    found = aggregate(labelled(TRUTH, CLASSES, CROWD), CLASSES, "mace")
    assert {one.name: one.warning for one in found.annotators}["eve"] == SAME
    without = labelled(TRUTH, CLASSES, {name: how for name, how in CROWD.items() if name != "eve"})
    assert abs(accuracy(found) - accuracy(aggregate(without, CLASSES, "mace"))) < 0.02


@pytest.mark.parametrize("method", METHODS)
def test_annotators_that_always_agree_are_believed(method: str) -> None:
    labels = [Label(str(key), name, value) for key, value in enumerate(TRUTH) for name in "xyz"]
    found = aggregate(labels, CLASSES, method, price=0.25)
    assert accuracy(found) == 1
    assert found.alpha == 1
    assert min(one.confidence for one in found.items) > 0.99
    assert found.cost == 225 and found.metrics["cost_per_item"] == 0.75


@pytest.mark.parametrize("method", METHODS)
def test_one_class_only_and_one_label_only_are_no_reason_to_fail(method: str) -> None:
    found = aggregate([Label("1", "ann", "owl")], CLASSES, method)
    assert [(one.key, one.label, one.votes, one.agreement) for one in found.items] == [("1", "owl", 1, 1.0)]
    assert found.alpha is None and "alpha" not in found.metrics


@settings(max_examples=12, deadline=None)
@given(answers, st.sampled_from(sorted(METHODS)))
def test_beliefs_are_probabilities_and_no_order_of_people_or_items_matters(
    given_answers: list[tuple[int, str, str]], method: str
) -> None:
    labels = [
        Label(str(key), name, value) for key, name, value in {(k, n): (k, n, v) for k, n, v in given_answers}.values()
    ]
    votes = Votes.of(labels, CLASSES)
    belief = METHODS[method](votes).belief
    assert np.allclose(belief.sum(axis=1), 1) and (belief >= 0).all()
    turned = Votes.of(labels[::-1], CLASSES)
    again = METHODS[method](turned).belief
    for place, key in enumerate(votes.keys):
        assert np.allclose(belief[place], again[turned.keys.index(key)], atol=1e-6)


def test_the_latest_label_of_an_annotator_counts_once() -> None:
    labels = [Label("1", "ann", "cat"), Label("1", "bob", "dog"), Label("1", "ann", "dog")]
    found = aggregate(labels, CLASSES, "majority")
    assert [(one.label, one.votes, one.agreement) for one in found.items] == [("dog", 2, 1.0)]
    withdrawn = aggregate([*labels, Label("1", "bob", "")], CLASSES, "majority")
    assert [one.votes for one in withdrawn.items] == [1]


@pytest.mark.parametrize(
    ("labels", "told"),
    [([], "no label"), ([Label("1", "ann", "")], "no label"), ([Label("7", "ann", "cow")], "'cow' of ann for item 7")],
)
def test_nothing_to_aggregate_is_told(labels: list[Label], told: str) -> None:
    with pytest.raises(DataUnreadable, match=told):
        aggregate(labels, CLASSES)
    with pytest.raises(InvalidSpec, match="dawid_skene, mace, majority"):
        aggregate(labels, CLASSES, "vote")
    with pytest.raises(InvalidSpec, match="cost"):
        aggregate(labels, CLASSES, price=-1)


def of_rows(*rows: str) -> Votes:
    """A row an annotator, a sign an item, a dot where there is no label."""
    return Votes.of(
        [
            Label(str(key), str(name), value)
            for name, row in enumerate(rows)
            for key, value in enumerate(row)
            if value != "."
        ],
        "012345",
    )


@pytest.mark.parametrize(
    ("rows", "published"),
    [
        (("0100000010", "1110010000"), 0.095),
        (("123321412...", "1233224125.3", ".3332342251.", "12332441251."), 0.743),
    ],
)
def test_alpha_is_what_krippendorff_published(rows: tuple[str, ...], published: float) -> None:
    found = alpha(of_rows(*rows))
    assert found is not None and round(found, 3) == published


def test_alpha_of_what_cannot_differ_is_none() -> None:
    assert alpha(of_rows("01..", "..23")) is None
    assert alpha(of_rows("000", "000")) is None
    assert (alpha(of_rows("0101", "1010")) or 0) < 0

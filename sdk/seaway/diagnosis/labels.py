"""Labels that say nothing of their rows, are those of the next row, are given away, or are wrong here and there."""

from collections.abc import Iterator

import numpy as np

from seaway.diagnosis.faults import Fault
from seaway.diagnosis.probe import Probe
from seaway.diagnosis.sample import Array, Floats, Kind, Sample
from seaway.diagnosis.subject import Subject
from seaway.labeling.label_errors import label_errors

DRAWS, BEYOND = 5, 2.0  # of labels in another order
SHIFTS = (-1, 1)
SHIFTED = 0.25  # score that another shift has more than the rows' own
TOLD_ALONE = 0.98  # score of a single feature that gives the label away
FEWER_TREES = 10
CANDIDATES = 2  # features that are looked at by themselves
OUT_OF_QUESTION = 0.25  # of the likeliest class's probability, which a wrong label has at most
MANY, MOST = 0.02, 0.4  # of the labels; of those that trees get wrong
SHOWN = 10


def check(subject: Subject, sample: Sample, probe: Probe) -> Iterator[Fault]:
    """Faults of the labels."""
    if not probe.usable:
        return
    if told := _shift(sample, probe.known):
        yield Fault("labels one row off", told)
    elif told := _unrelated(probe):
        yield Fault("labels do not belong to the rows", told)
    if told := _leak(subject, probe):
        yield Fault("leaking feature", told)
    if sample.kind is not Kind.NUMBERS and (told := _doubtful(probe)):
        yield Fault("wrong labels", told)


def _shift(sample: Sample, known: float) -> str:
    """Whether the labels of neighbours fit better, in the order of the file."""
    part = slice(0, 1200)
    rows, kind = sample.rows, sample.kind
    for shift in SHIFTS:
        probe = Probe(rows.features[part], np.roll(rows.truth, shift)[part], kind)
        if probe.usable and (score := probe.score(trees=FEWER_TREES)) > known + SHIFTED:
            which = "before" if shift > 0 else "after"
            return (
                f"A row predicts the label of the row {which} far better than its own: trees know {score:.0%} of what "
                f"can be known of that one, and {max(known, 0.0):.0%} of its own."
            )
    return ""


def _unrelated(probe: Probe) -> str:
    """Whether trees know no more of the labels than of the same in another order."""
    generator = np.random.default_rng(0)
    drawn = [probe.score(generator.permutation(probe.labels), trees=FEWER_TREES) for _ in range(DRAWS)]
    bar = max(*drawn, float(np.mean(drawn) + BEYOND * np.std(drawn)))
    if probe.known > bar:
        return ""
    return (
        f"Trees know no more of these labels ({probe.known:+.2f}, 0 is a guess and 1 all) than of the same labels in "
        f"{DRAWS} orders drawn by chance (up to {bar:+.2f}), on {len(probe.labels):,} rows."
    )


def _leak(subject: Subject, probe: Probe) -> str:
    """A single feature that knows all, where the others do not."""
    strength = [abs(_correlation(column, probe.labels, probe.kind)) for column in probe.features.T]
    for place in np.argsort(strength)[::-1][:CANDIDATES].tolist():
        alone = probe.score(columns=[place], trees=FEWER_TREES)
        others = [column for column in range(probe.features.shape[1]) if column != place]
        if alone < TOLD_ALONE or not others:
            continue
        without = probe.score(columns=others, trees=FEWER_TREES)
        if alone - without > (1 - TOLD_ALONE) * 5:
            name = subject.called(place, probe.features.shape[1]).capitalize()
            return (
                f"{name} alone tells {alone:.0%} of what can be known of the label; all others together "
                f"{max(without, 0.0):.0%}. What is this good is the label in other words, mostly."
            )
    return ""


def _correlation(column: Floats, labels: Array, kind: Kind) -> float:
    """How far a feature and the label go together; of classes by the share of its variance between them."""
    if not column.std():
        return 0.0
    if kind is Kind.NUMBERS:
        return float(np.corrcoef(column, labels)[0, 1])
    means = np.array([column[labels == one].mean() for one in np.unique(labels)])
    counts = np.array([(labels == one).sum() for one in np.unique(labels)])
    between = float((counts * (means - column.mean()) ** 2).sum() / counts.sum())
    return between / float(column.var())


def _doubtful(probe: Probe) -> str:
    """Labels that trees are sure are others, where they are sure in most of what they get wrong.

    Where classes overlap, what is got wrong is nearly a draw.
    """
    found, places = probe.probabilities()
    given, likely = found[np.arange(len(places)), places], found.max(axis=1)
    wrong = found.argmax(axis=1) != places
    sure = wrong & (given <= OUT_OF_QUESTION * likely)
    if sure.mean() < MANY or sure.sum() < MOST * wrong.sum():
        return ""
    first = ", ".join(str(row) for row in label_errors(found.astype(np.float64), places).rows[:SHOWN])
    return (
        f"Of {len(places):,} labels {sure.mean():.1%} are out of the question by all that the other rows say. "
        f"The first to look at, in the sample's count from 0: {first}."
    )

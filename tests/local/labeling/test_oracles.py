"""What we reckon, held against what others do: crowd-kit, cleanlab, panlabel and sdmetrics."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from annotators import Confusion, always, labelled, right
from oracles import MISSING, PYTHON, asked, panlabel
from seaway.data.synthetic import measure
from seaway.data.synthetic.quality import Columns
from seaway.labeling.choice import Floats
from seaway.labeling.consensus import dawid_skene
from seaway.labeling.formats import Annotated, Box, export_labels, import_labels
from seaway.labeling.label_errors import label_errors
from seaway.labeling.votes import Votes

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason=MISSING)
CLASSES = ("cat", "dog", "owl")
CROWD = {"ann": right(0.9, 3), "bob": right(0.75, 3), "cid": right(0.6, 3), "dan": right(0.5, 3), "eve": always(2, 3)}
DAWID_SKENE = """
import pandas
from crowdkit.aggregation import DawidSkene
found = DawidSkene(n_iter=100).fit_predict_proba(pandas.DataFrame(given, columns=["task", "worker", "label"]))
said = {task: row.to_dict() for task, row in found.iterrows()}
"""
CONFIDENT = """
import numpy
from cleanlab.filter import find_label_issues
likely, labels = numpy.array(given["likely"]), numpy.array(given["labels"])
said = numpy.flatnonzero(find_label_issues(labels, likely, filter_by="confident_learning", n_jobs=1)).tolist()
"""
SHAPES = """
import pandas
from sdmetrics.single_column import KSComplement, TVComplement
real, made = (pandas.DataFrame(given[name]) for name in ("real", "made"))
metrics = {"size": KSComplement, "kind": TVComplement, "label": TVComplement}
said = {name: metric.compute(real[name], made[name]) for name, metric in metrics.items()}
"""


def compared(crowd: dict[str, Confusion]) -> tuple[Floats, Floats, list[int]]:
    """What we believe, what crowd-kit does, and the truth: 600 items, each labelled by all of the crowd."""
    truth = [CLASSES[place % 3] for place in range(600)]
    labels = labelled(truth, CLASSES, crowd)
    votes = Votes.of(labels, CLASSES)
    theirs = asked(DAWID_SKENE, [[one.key, one.annotator, one.value] for one in labels])
    other = np.array([[theirs[key].get(name, 0.0) for name in votes.classes] for key in votes.keys])
    return dawid_skene(votes).belief, other, [votes.classes.index(truth[int(key)]) for key in votes.keys]


def test_dawid_and_skene_says_of_a_fair_crowd_what_crowd_kit_says() -> None:
    ours, theirs, _ = compared({f"a{place}": right(share, 3) for place, share in enumerate((0.9, 0.8, 0.7, 0.65, 0.6))})
    assert (ours.argmax(axis=1) == theirs.argmax(axis=1)).mean() > 0.99
    assert np.abs(ours - theirs).mean() < 0.005


def test_where_one_always_says_the_same_it_is_right_no_less_often() -> None:
    """Ours thinks that each annotator has given a few labels before, so nobody is believed to be unable to err."""
    ours, theirs, truth = compared(CROWD)
    assert (ours.argmax(axis=1) == truth).mean() >= (theirs.argmax(axis=1) == truth).mean()


def test_the_doubted_labels_are_those_of_cleanlab() -> None:
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 4, 800)
    likely = generator.dirichlet(np.ones(4), 800) * 0.6
    likely[np.arange(800), truth] += 0.4
    labels = np.where(generator.random(800) < 0.1, generator.integers(0, 4, 800), truth)
    theirs = set(asked(CONFIDENT, {"likely": likely.tolist(), "labels": labels.tolist()}))
    assert set(label_errors(likely, labels).rows.tolist()) == theirs


@pytest.mark.parametrize(
    ("ours", "theirs", "name"),
    [
        *(("coco", "coco", "a.json"), ("cvat", "cvat", "a.xml"), ("voc", "voc", "Annotations")),
        *(("labelbox", "labelbox", "a.ndjson"), ("scale", "scale-ai", "a.json")),
        ("label_studio", "label-studio", "a.json"),
    ],
)
def test_boxes_go_through_panlabel_and_come_back(tmp_path: Path, ours: str, theirs: str, name: str) -> None:
    boxes = (Box("car", 10, 20, 200, 90), Box("tree", 300.0, 5.0, 20, 400))
    rows = [Annotated(f"{place}.png", width=640, height=480, boxes=boxes) for place in "ab"]
    export_labels(rows, ours, tmp_path / name)
    panlabel(
        *("convert", "--from", theirs, "--to", "coco", "--allow-lossy"),
        *("--input", tmp_path / name, "--output", tmp_path / "back.json"),
    )
    back = {row.key: row for row in import_labels(tmp_path / "back.json", "coco")}
    assert set(back) == {"a.png", "b.png"}
    for row in back.values():
        found = sorted(row.boxes, key=lambda one: one.label)
        assert [one.label for one in found] == ["car", "tree"]
        assert ours == "scale" or (row.width, row.height) == (640, 480)  # Scale's tasks do not say it
        for one, other in zip(found, boxes, strict=True):
            sides = np.subtract((one.x, one.y, one.width, one.height), (other.x, other.y, other.width, other.height))
            assert np.abs(sides).max() <= 1


def test_shapes_of_synthetic_rows_are_as_alike_as_sdmetrics_finds_them() -> None:
    generator = np.random.default_rng(0)
    real, made = (
        pd.DataFrame({
            "size": generator.normal(shift, 1, count),
            "kind": generator.choice(["a", "b", "c"], count, p=shares),
            "label": generator.choice(["0", "1"], count),
        })
        for shift, count, shares in ((0, 700, [0.5, 0.3, 0.2]), (0.4, 500, [0.3, 0.3, 0.4]))
    )  # fmt: skip
    theirs = asked(SHAPES, {"real": real.to_dict("list"), "made": made.to_dict("list")})
    ours = measure(real, made, real, Columns(["size"], ["kind"], "label"), 0.0, 0)
    assert ours.shapes == pytest.approx(np.mean(list(theirs.values())), abs=1e-6)

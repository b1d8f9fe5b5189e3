"""Splitting by time: nothing that is learned from became known after what is judged had begun."""

from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway.errors import InvalidSpec
from seaway.features import FeatureProject, SplitSpec
from seaway.features.splits import split

START = pd.Timestamp("2013-01-01", tz="UTC")


def frame(times: list[int], waits: list[int]) -> pd.DataFrame:
    event = START + pd.to_timedelta(sorted(times), unit="min")
    return pd.DataFrame({"event_timestamp": event, "label_timestamp": event + pd.to_timedelta(waits, unit="min")})


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 30)), min_size=1, max_size=80))
def test_no_label_is_known_after_a_later_split_begins(rows):
    parts = dict(split(frame([row[0] for row in rows], [row[1] for row in rows]), SplitSpec()))
    assert list(parts) == ["train", "validation", "test", "replay"]
    filled = [part for part in parts.values() if not part.empty]
    for earlier, later in pairwise(filled):
        assert earlier["event_timestamp"].max() < later["event_timestamp"].min()
        assert earlier["label_timestamp"].max() <= later["event_timestamp"].min()


def test_without_waiting_no_row_is_lost_and_the_fractions_hold():
    parts = dict(split(frame(list(range(100)), [0] * 100), SplitSpec(0.5, 0.2, 0.2, 0.1)))
    assert {name: len(part) for name, part in parts.items()} == {
        "train": 50,
        "validation": 20,
        "test": 20,
        "replay": 10,
    }


def test_a_label_that_is_known_when_the_next_split_begins_is_learned_from():
    rows = frame(list(range(100)), [0] * 49 + [1] + [0] * 50)
    rows.loc[48, "label_timestamp"] = rows.loc[50, "event_timestamp"] + pd.Timedelta(1, "us")
    train = dict(split(rows, SplitSpec(0.5, 0.2, 0.2, 0.1)))["train"]
    assert list(train.index) == [*range(48), 49]


@pytest.mark.parametrize("fractions", [(0.6, 0.2, 0.2, 0.2), (0.7, 0.2, 0.1, 0.0), (1.2, -0.1, -0.05, -0.05)])
def test_fractions_that_make_no_sense_are_refused(fractions):
    with pytest.raises(InvalidSpec):
        SplitSpec(*fractions)


def project(**changes: object) -> FeatureProject:
    values = {"numeric": ("a",), "categorical": ("b",), "label": "y"} | changes
    return FeatureProject("p", "s", (), lambda tables, output: None, lambda tables: None, **values)


@pytest.mark.parametrize("changes", [{"categorical": ("a",)}, {"numeric": ("a", "y")}])
def test_a_label_among_the_inputs_or_an_input_of_two_kinds_is_refused(changes):
    with pytest.raises(InvalidSpec):
        project(**changes)

"""What a step has written is read or refused, whatever a program of anybody wrote there."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kfp import dsl
from seaway.kfp import component
from seaway.kfp.local.executor import OUTPUT_FILE, OutputUnreadable, outputs


@component
def write(figures: dsl.Output[dsl.Metrics], table: dsl.Output[dsl.Dataset]) -> dict:
    """Give a dict, metrics and a table."""


WRITTEN = write.pipeline_spec.components["comp-write"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
LISTED = VALUES | st.fixed_dictionaries(
    {"artifacts": VALUES | st.lists(VALUES | st.fixed_dictionaries({"uri": VALUES, "metadata": VALUES}))}
)
TOLD = VALUES | st.fixed_dictionaries(
    {
        "parameterValues": VALUES | st.fixed_dictionaries({"Output": VALUES}),
        "artifacts": VALUES | st.fixed_dictionaries({"figures": LISTED}),
    }
)


def read(text: str) -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        (Path(folder) / OUTPUT_FILE).write_text(text)
        return outputs(WRITTEN, Path(folder))


@given(told=TOLD)
def test_anything_is_read_or_refused(told: Any) -> None:
    try:
        found = read(json.dumps(told))
    except OutputUnreadable as refused:
        assert str(refused)
        return
    json.dumps([found.get("Output"), found["figures"].metadata], allow_nan=False).encode()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[" * 5000, "nested too deeply"),
        ("[1]", "is no object"),
        ('{"parameterValues": {"Output": {"a": 1, "a": 2}}}', "has a name twice"),
        ('{"parameterValues": {"Output": ' + '{"a":' * 300 + "1" + "}" * 302, "deeper than 100 levels"),
        ('{"parameterValues": {"Output": [' + "9" * 3000 + "]}}", "9... as text"),
        ('{"parameterValues": {"Output": true}}', "its output Output is True, which is no dict"),
        ('{"artifacts": {"figures": {"artifacts": [3]}}}', "has not the form of kfp's"),
        ('{"artifacts": {"figures": {"artifacts": [{"metadata": {"auc": NaN}}]}}}', "the metric 'auc' .* is nan"),
        ('{"artifacts": {"table": {"artifacts": [{"metadata": {"\\ud800": 1}}]}}}', "no UTF-8"),
        ('{"artifacts": {"table": {"artifacts": [{"uri": 7}]}}}', "have to be text, not 7"),
        ('{"artifacts": {"table": {"artifacts": [{"uri": "/a\\u0000b"}]}}}', "have to be text, not '/a"),
    ],
)
def test_a_refusal_says_why(text: str, why: str) -> None:
    with pytest.raises(OutputUnreadable, match=why):
        read(text)

"""Placeholders of a component's command are filled in as KFP's driver and launcher do."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway.kfp.fuse.placeholders import filled, path, resolved
from seaway.kfp.fuse.step import Step, decode
from seaway.kfp.fuse.values import arriving, carried, parsed, text_of

FILE = "/s3/bucket/run/output.json"
GIVEN = {
    "inputs": {
        "parameterValues": {
            "text": "a 'b'",
            "whole": 3,
            "part": 1e-05,
            "yes": True,
            "items": [1, "ü"],
            "map": {"b": 1},
        },
        "artifacts": {"table": {"artifacts": [{"name": "table", "uri": "s3://bucket/run/table"}]}},
    },
    "outputs": {
        "parameters": {"rows": {"outputFile": "/outputs/rows"}},
        "artifacts": {"page": {"artifacts": [{"name": "page", "uri": "gs://bucket/page"}]}},
        "outputFile": FILE,
    },
}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("{{$}}", [json.dumps(GIVEN)]),
        ("--n={{$.inputs.parameters['whole']}};{{$.inputs.parameters['part']}}", ["--n=3;0.00001"]),
        ("{{$.inputs.parameters['yes']}} {{$.inputs.parameters['text']}}", ["true a 'b'"]),
        ("{{$.inputs.parameters['items']}}{{$.inputs.parameters['map']}}", ['[1,"ü"]{"b":1}']),
        ("{{$.inputs.artifacts['table'].path}}", ["/s3/bucket/run/table"]),
        ("{{$.inputs.artifacts['table'].uri}}", ["s3://bucket/run/table"]),
        ("{{$.outputs.artifacts['page'].path}}", ["/gcs/bucket/page"]),
        ("{{$.outputs.artifacts['page'].uri}}", ["gs://bucket/page"]),
        ("{{$.outputs.parameters['rows'].output_file}}", ["/outputs/rows"]),
        ("{{$.inputs.parameters['absent']}}", ["{{$.inputs.parameters['absent']}}"]),
        ("{{$.json_escape[1]}}", ["{{$.json_escape[1]}}"]),  # the launcher of 2.17 knows none
        ('{"IfPresent": {"InputName": "text", "Then": ["-t", "{{$.inputs.parameters[\'yes\']}}"]}}', ["-t", "true"]),
        ('{"IfPresent": {"InputName": "absent", "Then": ["--t"]}}', []),
        ('{"IfPresent": {"InputName": "absent", "Then": "x", "Else": "y"}}', ["y"]),
        ('{"Concat": ["a", "{{$.outputs.output_file}}", {"IfPresent": {"InputName": "n", "Then": ""}}]}', ["a" + FILE]),
        ("plain $(word)", ["plain $(word)"]),
    ],
)  # fmt: skip
def test_placeholders(word: str, words: list[str]) -> None:
    assert filled([word], GIVEN) == words


def test_a_value_that_looks_like_a_placeholder_is_no_placeholder() -> None:
    told = {**GIVEN, "inputs": {**GIVEN["inputs"], "parameterValues": {"a": "{{$.inputs.parameters['b']}}", "b": "no"}}}
    assert filled(["{{$.inputs.parameters['a']}}"], told) == ["{{$.inputs.parameters['b']}}"]


@pytest.mark.parametrize(
    ("artifact", "place"),
    [
        ({"uri": "minio://mlpipeline/v2/x"}, "/minio/mlpipeline/v2/x"),
        ({"uri": "/home/artifacts/x"}, "/home/artifacts/x"),
        ({"uri": "oci://registry/models/a:1"}, "/oci/registry_models_a:1/models"),
        ({"uri": "s3://b/x", "customPath": "/own/x"}, "/own/x"),
        ({"uri": "s3://b/x", "metadata": {"_kfp_workspace": True}}, "/kfp-workspace/.artifacts/s3/b/x"),
    ],
)
def test_an_artifact_is_where_kfp_puts_it(artifact: dict[str, Any], place: str) -> None:
    assert path(artifact) == place


def test_a_constant_speaks_of_other_parameters_in_its_depth() -> None:
    constant = {
        "a": ["{{$.inputs.parameters['x']}} of {{$.inputs.parameters['y']}}", 1],
        "b": "{{$.inputs.parameters['z']}}",
    }
    assert resolved(constant, {"x": '"', "y": 2.0}) == {"a": ['" of 2', 1], "b": "{{$.inputs.parameters['z']}}"}


@given(JSON)
def test_a_step_arrives_as_it_was_and_shows_nothing_to_replace(value: Any) -> None:
    step = Step("a", ["{{$}}", "python3 $(x)"], {"p": {"constant": value}})
    word = step.encode()
    assert decode(word) == step
    assert not any(mark in word for mark in ("$", "python3"))


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53))
def test_a_number_is_the_same_number_as_text_and_back_without_an_exponent(value: float) -> None:
    text = text_of(value)
    assert "e" not in text
    assert parsed(text, "NUMBER_DOUBLE") == value


@given(JSON)
def test_what_is_carried_is_equal(value: Any) -> None:
    assert carried(value) == value


def test_a_whole_number_is_carried_as_kfp_writes_it() -> None:
    assert json.dumps(carried({"a": [4096.0, 0.5, True], "b": "1.0"})) == '{"a": [4096, 0.5, true], "b": "1.0"}'


def test_what_goes_to_a_text_becomes_one() -> None:
    assert [arriving(value, "STRING") for value in (3, 2.5, True, [1], "a")] == ["3", "2.5", "true", "[1]", "a"]
    assert arriving([1], "LIST") == [1]

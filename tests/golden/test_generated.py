"""Every generated file is what its source says, and Kubeflow can load it."""

import inspect
from pathlib import Path

import pytest
from kfp import components
from places import PROJECT
from seaway.kfp import catalog
from seaway.kfp.catalog import Entry

from tools.docs_pages import parse_docstring
from tools.generate import generate

COMPONENTS = catalog.components()
ENTRIES = COMPONENTS + catalog.pipelines()


@pytest.fixture(scope="module")
def regenerated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("generated")
    return {path.relative_to(folder).as_posix(): path.read_text() for path in generate(folder)}


def test_what_is_committed_is_what_make_generate_writes(regenerated: dict[str, str]) -> None:
    committed = {name: _text(PROJECT / name) for name in regenerated}
    stale = [name for name, text in regenerated.items() if committed[name] != text]
    assert stale == [], "run `make generate` and commit"


def test_nothing_generated_is_left_over_from_a_removed_source(regenerated: dict[str, str]) -> None:
    kept = [*PROJECT.glob("components/*/*/component.yaml"), *PROJECT.glob("docs/components/*.md")]
    assert {path.relative_to(PROJECT).as_posix() for path in kept} <= set(regenerated)


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_a_compiled_file_loads_as_valid_ir(entry: Entry) -> None:
    loaded = components.load_component_from_file(str(entry.compiled))
    spec = loaded.pipeline_spec
    assert spec.pipeline_info.name == entry.name.replace("_", "-")
    assert all(component.executor_label or component.dag.tasks for component in spec.components.values())


@pytest.mark.parametrize("entry", COMPONENTS, ids=lambda entry: entry.name)
def test_a_step_installs_nothing_when_it_starts(entry: Entry) -> None:
    assert "pip install" not in entry.compiled.read_text()


@pytest.mark.parametrize("entry", COMPONENTS, ids=lambda entry: entry.name)
def test_a_component_documents_every_argument(entry: Entry) -> None:
    function = entry.load().python_func
    told = parse_docstring(inspect.getdoc(function) or "")
    assert told["text"]
    assert set(told["Args"]) == set(inspect.signature(function).parameters)


@pytest.mark.parametrize("entry", COMPONENTS, ids=lambda entry: entry.name)
def test_at_most_one_artifact_of_a_component_carries_its_summary(entry: Entry) -> None:
    """The progress line shows one summary, and a map of artifacts has no order that would choose between two."""
    assert inspect.getsource(entry.load().python_func).count('.metadata["summary"] = ') <= 1


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_metadata_names_the_component_and_shows_how_to_use_it(entry: Entry) -> None:
    metadata = entry.metadata
    assert metadata["name"]
    assert metadata["description"]
    assert metadata["tags"]
    assert entry.name in metadata["example"]

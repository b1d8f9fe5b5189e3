"""Every generated file is what its source says, and Kubeflow can load it."""

import importlib
import inspect
from collections.abc import Mapping
from pathlib import Path

import pytest
from kfp import components
from places import PROJECT
from seaway.kfp import catalog, docstring
from seaway.kfp.catalog import Entry

from tools.generate import generated

COMPONENTS = catalog.components()
ENTRIES = COMPONENTS + catalog.pipelines()


@pytest.fixture(scope="module")
def regenerated() -> Mapping[str, str]:
    return generated()


def test_what_is_committed_is_what_make_generate_writes(regenerated: Mapping[str, str]) -> None:
    committed = {name: _text(PROJECT / name) for name in regenerated}
    stale = [name for name, text in regenerated.items() if committed[name] != text]
    assert stale == [], "run `make generate` and commit"


def test_nothing_generated_is_left_over_from_a_removed_source(regenerated: Mapping[str, str]) -> None:
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
    told = docstring.read(entry.source, entry.name)
    assert told.text
    assert set(told.arguments) == set(inspect.signature(function).parameters)


@pytest.mark.parametrize("entry", COMPONENTS, ids=lambda entry: entry.name)
def test_a_component_is_imported_from_its_category(entry: Entry) -> None:
    category = importlib.import_module(f"seaway_components.{entry.category}")
    assert entry.name in category.__all__
    assert getattr(category, entry.name) is entry.load()


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_a_compiled_file_tells_nothing_that_is_on_the_page(entry: Entry) -> None:
    told = docstring.read(entry.source, entry.name)
    compiled, page = (" ".join(path.read_text().split()) for path in (entry.compiled, entry.folder / "README.md"))
    for sentence in (told.text, *told.outputs.values()):
        assert " ".join(sentence.split()) not in compiled
        assert " ".join(sentence.split()).replace("|", "\\|") in page


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

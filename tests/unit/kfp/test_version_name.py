"""The name of a pipeline's version is another one where another thing runs, and the same whatever is told of it."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from kfp import compiler as kfp_compiler
from seaway.kfp import compile as compiler
from seaway.kfp.versions import version_name

PIPELINE = '''\
from kfp import dsl, kubernetes
from seaway.kfp import component

@component(base_image="image:1")
def measure(depth: float = 2.5, description: str = "d") -> float:
    """Measure a tide.

    Args:
        depth: In metres.
        description: What the gauge says of itself.
    """
    # A metre is a metre.
    return depth * 2

@component(base_image="image:1")
def store(height: float, table: dsl.Output[dsl.Dataset]):
    """Keep it."""
    from seaway.storage import write_json

    write_json(table.path, height)

@dsl.pipeline(name="tides", display_name="Tides of the harbour")
def tides(depth: float = 3.5):
    """Measure and keep.

    Args:
        depth: In metres.
    """
    first = measure(depth=depth).set_display_name("First").set_retry(2, backoff_duration="5s")
    second = measure(depth=1.0).set_caching_options(False)
    kept = store(height=first.output).set_memory_request("1Gi")
    kubernetes.use_secret_as_volume(kept, "keys", "/keys", optional=True)
'''
RUNS = {
    "the default of a parameter": ("depth: float = 3.5", "depth: float = 4.5"),
    "a component's default": ("depth: float = 2.5", "depth: float = 2.0"),
    "a default that is called description": ('description: str = "d"', 'description: str = "e"'),
    "an argument": ("measure(depth=1.0)", "measure(depth=1.5)"),
    "the image": ('"image:1"', '"image:2"'),
    "what a step runs": ("return depth * 2", "return depth * 3"),
    "where a step's input comes from": ("height=first.output", "height=second.output"),
    "what a step waits for": ("set_memory_request", "after(second).set_memory_request"),
    "an input": ("def tides(depth: float = 3.5", "def tides(spring: bool, depth: float = 3.5"),
    "an output": ("table: dsl.Output[dsl.Dataset]", "table: dsl.Output[dsl.Model]"),
    "how often it is retried": ("set_retry(2,", "set_retry(3,"),
    "when it is retried": ('"5s"', '"6s"'),
    "whether it is cached": ("set_caching_options(False)", "set_caching_options(True)"),
    "what it requests": ('"1Gi"', '"2Gi"'),
    "a mount": ('"/keys"', '"/other"'),
    "a Secret": ('"keys"', '"locks"'),
    "a mount of Seaway's": ("write_json(table.path, height)", "signing_keys()"),
}
TELLS = {
    "a pipeline's docstring": ("Measure and keep.", "Keep what was measured."),
    "a parameter's": ('        depth: In metres.\n    """\n    first', '        depth: Deep.\n    """\n    first'),
    "a component's docstring": ("Measure a tide.", "Measure it.\n\n    With care."),
    "a component's parameter's": ("description: What the gauge", "description: Whatever the gauge"),
    "a comment": ("# A metre is a metre.", "# A metre\n    # is one."),
    "a blank line": ("    return depth", "\n    return depth"),
    "a comment that names the key": ("    write_json(table", "    # signing_keys()\n    write_json(table"),
    "a step's title": ('"First"', '"The first"'),
    "the pipeline's title": ("Tides of the harbour", "Tides"),
}


def load(text: str, folder: Path) -> Any:
    (folder / "tides.py").write_text(text, encoding="utf-8")
    return compiler.load_source(str(folder / "tides.py"))


@cache
def named(text: str) -> str:
    with TemporaryDirectory() as folder:
        return version_name(compiler.compiled(load(text, Path(folder))))


def changed(old: str, new: str) -> str:
    assert old in PIPELINE
    return PIPELINE.replace(old, new)


@pytest.mark.parametrize("what", RUNS)
def test_another_thing_that_runs_is_another_version(what: str) -> None:
    assert named(changed(*RUNS[what])) != named(PIPELINE)


@pytest.mark.parametrize("what", TELLS)
def test_other_words_are_the_same_version(what: str) -> None:
    assert named(changed(*TELLS[what])) == named(PIPELINE)


def test_all_of_them_differ() -> None:
    assert len({named(changed(*change)) for change in RUNS.values()}) == len(RUNS)


def test_a_compiled_file_has_the_name_of_its_source_however_it_is_laid_out(tmp_path: Path) -> None:
    """As kfp writes it, with its words, with its comment, its keys in another order, and by another kfp."""
    source, file = (
        load(PIPELINE.replace("from seaway.storage import write_json", "pass"), tmp_path),
        tmp_path / "a.yaml",
    )
    name = version_name(compiler.compiled(source))
    kfp_compiler.Compiler().compile(source, str(file))
    assert file.read_text().startswith("# PIPELINE DEFINITION")
    assert "In metres" in file.read_text()
    assert version_name(compiler.load_file(file)) == name
    spec, platform = yaml.safe_load_all(file.read_text())
    other = {"sdkVersion": "kfp-2.99.0", **{key: spec[key] for key in reversed(spec) if key != "sdkVersion"}}
    file.write_text(yaml.safe_dump_all([other, platform], sort_keys=False))
    assert version_name(compiler.load_file(file)) == name

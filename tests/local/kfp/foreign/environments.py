"""Packages, interpreters, files inside a component, and notebooks."""

import os

from kfp import dsl
from kfp.dsl import Dataset
from steps import say

HERE = os.path.dirname(os.path.abspath(__file__))


@dsl.component(base_image="python:3.11")
def with_kfp() -> str:
    import kfp

    return kfp.__version__


@dsl.pipeline
def as_kfp_writes_it():
    with_kfp()


@dsl.component(base_image="python:3.6", install_kfp_package=False)
def other_python() -> str:
    return "ran"


@dsl.pipeline
def python_that_is_not_here():
    other_python()


@dsl.component(base_image="python:3.11", install_kfp_package=False, embedded_artifact_path=os.path.join(HERE, "words"))
def embedded(words: dsl.EmbeddedInput[Dataset]) -> str:
    import os

    return " ".join(open(os.path.join(words.path, name)).read().strip() for name in sorted(os.listdir(words.path)))


@dsl.pipeline
def files_inside_a_component():
    embedded()


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def where() -> str:
    import sys

    return sys.prefix


@dsl.pipeline
def prefix():
    where()
    say(text="x")

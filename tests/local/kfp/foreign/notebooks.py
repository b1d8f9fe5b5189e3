"""Notebooks as components: with parameters, with what they write, and with a cell that fails."""

import os

from kfp import dsl
from steps import last, say

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "notebooks")


@dsl.notebook_component(notebook_path=os.path.join(HERE, "sum.ipynb"), base_image="python:3.11")
def summed(values: list, word: str, table: dsl.Output[dsl.Dataset]) -> int:
    import json

    dsl.run_notebook(values=values, word=word, where=table.path)
    total, table.metadata["word"] = json.load(open(table.path, encoding="utf-8"))
    return total


@dsl.notebook_component(notebook_path=os.path.join(HERE, "broken.ipynb"), base_image="python:3.11")
def broken():
    dsl.run_notebook()


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def word_of(table: dsl.Input[dsl.Dataset]) -> str:
    return table.metadata["word"]


@dsl.pipeline
def notebook(values: list = [1, 2, 4], word: str = "it's \u201emärz\u201c\n"):
    made = summed(values=values, word=word)
    word_of(table=made.outputs["table"])


@dsl.pipeline
def cell_that_fails():
    with dsl.ExitHandler(last()):
        broken()
    say(text="never")

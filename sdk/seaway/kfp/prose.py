"""The words in a compiled pipeline, which tell and do not run: taken out, so that rewording changes no compiled file.

See docs/design/generated.md.
"""

import ast
import tokenize
from collections.abc import Iterator
from io import StringIO
from typing import Any

from kfp.pipeline_spec import pipeline_spec_pb2

FUNCTION = "--function_to_execute"  # precedes its name where kfp's executor runs a source
TYPE_COMMENT = "# type:"  # read by torch.jit
TEXTS = {tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}  # the latter since Python 3.12


def without_prose(spec: pipeline_spec_pb2.PipelineSpec) -> pipeline_spec_pb2.PipelineSpec:
    """The pipeline without descriptions, and its components' sources without their docstrings and comments."""
    bare = pipeline_spec_pb2.PipelineSpec()
    bare.CopyFrom(spec)
    bare.pipeline_info.ClearField("description")
    for component in _components(bare):
        for ports in (component.input_definitions, component.output_definitions):
            for port in (*ports.parameters.values(), *ports.artifacts.values()):
                port.ClearField("description")
    for container in _containers(bare):
        _strip_source(container)
    return bare


def without_titles(spec: pipeline_spec_pb2.PipelineSpec) -> pipeline_spec_pb2.PipelineSpec:
    """The pipeline without the names by which a dashboard shows it and its steps."""
    untitled = pipeline_spec_pb2.PipelineSpec()
    untitled.CopyFrom(spec)
    untitled.pipeline_info.ClearField("display_name")
    for component in _components(untitled):
        for task in component.dag.tasks.values():
            task.ClearField("task_info")
    return untitled


def _components(spec: pipeline_spec_pb2.PipelineSpec) -> list[Any]:
    return [spec.root, *spec.components.values()]


def _containers(spec: pipeline_spec_pb2.PipelineSpec) -> Iterator[Any]:
    """The container of each executor that has one, as a message that can be changed in place."""
    executors = spec.deployment_spec.fields["executors"].struct_value.fields
    for executor in executors.values():
        if "container" in executor.struct_value.fields:
            yield executor.struct_value.fields["container"].struct_value


def _strip_source(container: Any) -> None:
    """Of a container that kfp made of a function, whose source is the last word of its command."""
    arguments = [value.string_value for value in container.fields["args"].list_value.values]
    command = container.fields["command"].list_value.values
    if command and FUNCTION in arguments[:-1]:
        function = arguments[arguments.index(FUNCTION) + 1]
        command[-1].string_value = bare_source(command[-1].string_value, function)


def bare_source(source: str, function: str) -> str:
    """A source without the docstring of its `function`, without comments and blank lines.

    What is left parses to the same tree; a source for which this cannot be had is returned as it was.
    """
    try:
        tree = ast.parse(source)
        docstring = _cut_docstring(tree, function)
        bare = _without_comments(source, docstring)
        return bare if ast.dump(ast.parse(bare)) == ast.dump(tree) else source
    except (SyntaxError, tokenize.TokenError):
        return source


def _cut_docstring(tree: ast.Module, function: str) -> range:
    """Cut the docstring out of the tree; returns its lines, counted from 1.

    A body that has nothing else keeps it, for it would be no body without.
    """
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function]
    for node in functions:
        if ast.get_docstring(node) is not None and node.body[1:]:
            told = node.body.pop(0)
            return range(told.lineno, (told.end_lineno or told.lineno) + 1)
    return range(0)


def _without_comments(source: str, docstring: range) -> str:
    lines, texts = source.split("\n"), set[int]()
    for token in tokenize.generate_tokens(StringIO(source).readline):
        (first, column), (last, _) = token.start, token.end
        if token.type == tokenize.COMMENT and not token.string.startswith(TYPE_COMMENT):
            lines[first - 1] = lines[first - 1][:column].rstrip()
        elif token.type in TEXTS:
            texts |= set(range(first, last + 1))
    kept = (
        line for number, line in enumerate(lines, 1) if number not in docstring and (line.strip() or number in texts)
    )
    return "\n".join(kept) + "\n"

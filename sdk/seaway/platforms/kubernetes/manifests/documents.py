"""YAML as kubectl reads it: documents, the objects in them, and the line of each field."""

import re
import sys
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from seaway.errors import InvalidSpec

STDIN = "-"
SUFFIXES = (".yaml", ".yml", ".json")
STEP = re.compile(r"\[([^\]]*)\]|([^.\[\]]+)")  # of a field's path: `spec.containers[0]`


MERGE = "tag:yaml.org,2002:merge"


@dataclass(frozen=True)
class Document:
    """An object, or what stands where one should. `broken` says why nothing can be read; `begins` is its line."""

    file: str
    value: Any
    begins: int = 1
    node: yaml.Node | None = None
    broken: str = ""

    def line(self, field: str = "") -> int:
        """Where a field, or the nearest thing around it that is there, begins; the first line is 1."""
        node, line = self.node, self.begins
        for found in STEP.finditer(field):
            below = _below(node, found[1] if found[1] is not None else found[2])
            if below is None:
                break
            line, node = below
        return line


class _Loader(yaml.SafeLoader):
    """As JSON has it: times are texts, keys are texts, and no key comes twice; what is merged (`<<`) gives way."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        own = sum(key_node.tag != MERGE for key_node, _ in node.value)
        self.flatten_mapping(node)  # which puts what is merged before the mapping's own
        made: dict[Hashable, Any] = {}
        given = set[str]()
        for place, (key_node, value_node) in enumerate(node.value, start=own - len(node.value)):
            key = _key(self.construct_object(key_node, deep=True), key_node)
            if place >= 0 and key in given:
                raise yaml.constructor.ConstructorError(None, None, f"key {key!r} comes twice", key_node.start_mark)
            if place >= 0:
                given.add(key)
            made[key] = self.construct_object(value_node, deep=True)
        return made


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_constructor(
    "tag:yaml.org,2002:map",
    lambda loader, node: loader.construct_mapping(node) if isinstance(node, yaml.MappingNode) else {},
)


def _key(key: Any, node: yaml.Node) -> str:
    if isinstance(key, bool):
        return str(key).lower()
    if isinstance(key, str | int | float):
        return str(key)
    raise yaml.constructor.ConstructorError(None, None, "a key must be a text", node.start_mark)


def documents(place: str) -> Iterator[Document]:
    """The objects of a file, of all YAML and JSON files below a folder, or of standard input (`-`).

    Raises:
        InvalidSpec: there is no such file, or none below the folder.
    """
    if place == STDIN:
        yield from _objects("<stdin>", sys.stdin.buffer.read())
        return
    for file in _files(Path(place)):
        yield from _objects(str(file), file.read_bytes())


def _files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    found = sorted(one for one in place.rglob("*") if one.suffix in SUFFIXES and one.is_file())
    if not found:
        what = f"{place} has no YAML or JSON file in it" if place.is_dir() else f"{place} does not exist"
        raise InvalidSpec(f"{what}. Name a file, a folder of manifests, or - for standard input.")
    return found


def _objects(file: str, data: bytes) -> Iterator[Document]:
    try:
        for node in yaml.compose_all(data.decode("utf-8-sig"), Loader=_Loader):
            if node is not None:
                yield from _listed(file, node, _value(node))
    except UnicodeDecodeError as error:
        yield Document(file, None, data.count(b"\n", 0, error.start) + 1, broken=f"byte {error.start} is no UTF-8")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        yield Document(file, None, mark.line + 1 if mark else 1, broken=str(error.problem or error.context))
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as error:
        yield Document(file, None, broken=f"no JSON can stand for it: {error}")


def _value(node: yaml.Node) -> Any:
    loader = _Loader("")
    try:
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _listed(file: str, node: yaml.Node, value: Any) -> Iterator[Document]:
    """The entries of a List one by one, as kubectl takes them."""
    if value is None:
        return
    if isinstance(value, dict) and value.get("kind") == "List" and isinstance(value.get("items"), list):
        items = _below(node, "items")
        entries = items[1].value if items else []
        pairs = zip(entries, value["items"], strict=True)
        yield from (Document(file, one, entry.start_mark.line + 1, entry) for entry, one in pairs)
    else:
        yield Document(file, value, node.start_mark.line + 1, node)


def _below(node: yaml.Node | None, step: str) -> tuple[int, yaml.Node] | None:
    """Line and node of an entry."""
    if isinstance(node, yaml.MappingNode):
        return next(((key.start_mark.line + 1, value) for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and step.isdigit() and int(step) < len(node.value):
        entry = node.value[int(step)]
        return entry.start_mark.line + 1, entry
    return None

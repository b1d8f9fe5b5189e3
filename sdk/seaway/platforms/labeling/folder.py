"""A queue that is a folder: any editor can label in it, and so can `seaway label`.

`question.json` says what is asked, `items.jsonl` has a line an item, `pictures/` their pictures, and
`labels/NAME.jsonl` the answers of the annotator NAME: lines with a `key` and a `label`, the last of a key counts.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seaway.errors import InvalidSpec, LabelsUnavailable, NameTaken
from seaway.labeling import Answers, Item, Label, Question
from seaway.labeling.items import Value, latest
from seaway.platforms.home import home
from seaway.platforms.place import in_pod
from seaway.storage import atomic_path, locked, read_json, write_json

VARIABLE = "SEAWAY_LABELS"  # the folder that has a folder a queue
QUESTION, ITEMS, PICTURES, LABELS = "question.json", "items.jsonl", "pictures", "labels"
ANNOTATOR = re.compile(r"[\w@][\w@.+ -]{0,63}")
PICTURE = "picture"  # in a line, the name of a file below `pictures/`
TOLD = 60  # signs of a broken line in a message


class FolderQueue:
    """Queues below `$SEAWAY_LABELS`, by default `labels` of Seaway's state folder."""

    def send(self, name: str, question: Question, items: Sequence[Item]) -> int:
        """See `LabelQueue`."""
        return Folder(folder(name)).add(question, items)

    def answers(self, name: str) -> Answers:
        """See `LabelQueue`."""
        return Folder(folder(name)).answers()

    def address(self, name: str) -> str:
        """The folder."""
        return str(folder(name))


def folder(name: str) -> Path:
    """The folder of a queue.

    Raises:
        InvalidSpec: in a pod, nothing names one that outlives it.
    """
    named = os.environ.get(VARIABLE)
    if not named and in_pod():
        raise InvalidSpec(
            f"A queue that is a folder of this pod would end with it. Mount a volume and name it by {VARIABLE}, or "
            "take another backend of the port label-queue."
        )
    return (Path(named) if named else home() / LABELS).absolute() / name


@dataclass(frozen=True)
class Folder:
    """One queue."""

    path: Path

    def question(self) -> Question:
        """Raises: LabelsUnavailable: there is no queue here."""
        file = self.path / QUESTION
        if not file.is_file():
            raise LabelsUnavailable(f"{self.path} is no queue of labels: it has no {QUESTION}; send items to it first.")
        return Question.from_json(read_json(file))

    def add(self, question: Question, items: Sequence[Item]) -> int:
        """Add those that are not there; how many. Raises: NameTaken: another question is asked here."""
        with locked(self.path / ".lock"):
            if (self.path / QUESTION).is_file() and (asked := self.question()) != question:
                raise NameTaken(_another(self.path, asked, question))
            before = [_line(item) for item in self.items()] if (self.path / ITEMS).is_file() else []
            there = {line["key"] for line in before}
            new = [item for item in items if item.key not in there]
            lines = [*before, *(self._told(item) for item in new)]
            with atomic_path(self.path / ITEMS) as draft:
                draft.write_text(
                    "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8"
                )
            (self.path / LABELS).mkdir(exist_ok=True)
            write_json(self.path / QUESTION, question.to_json())
        return len(new)

    def items(self) -> list[Item]:
        """In the order in which they were sent; a picture is the text of its file's name.

        Raises:
            LabelsUnavailable: the file is missing, or a line was broken by an editor.
        """
        found, broken = _lines(self.path / ITEMS, ("key", "data"))
        if broken:
            raise LabelsUnavailable(f"{broken[0]} Put the line back as it was, or send the items to a new queue.")
        return [Item(one["key"], one["data"], one.get("prediction", ""), one.get("score")) for one in found.values()]

    def answers(self) -> Answers:
        """What the files of the annotators say; see `LabelQueue`."""
        question, keys = self.question(), {item.key for item in self.items()}
        labels: list[Label] = []
        refused: list[str] = []
        for file in sorted((self.path / LABELS).glob("*.jsonl")):
            lines, broken = _lines(file, ("key",))
            refused += broken
            for number, line in lines.items():
                where = f"{file}:{number}"
                if wrong := _wrong(line, question, keys):
                    refused.append(f"{where}: {wrong}")
                else:
                    labels.append(Label(_text(line["key"]), file.stem, _text(line.get("label")), line.get("seconds")))
        return Answers(latest(labels), refused)

    def label(self, annotator: str, key: str, value: str, seconds: float | None = None) -> None:
        """Append an answer to the annotator's file; an empty value withdraws it."""
        line = {"key": key, "label": value, "seconds": seconds}
        file = self.path / LABELS / f"{annotator}.jsonl"
        with locked(self.path / ".lock"), file.open("a+b") as opened:
            opened.seek(0, os.SEEK_END)
            if opened.tell():  # an editor may have left the last line without its end
                opened.seek(-1, os.SEEK_END)
                ended = opened.read(1) == b"\n"
                opened.write(b"" if ended else b"\n")
            opened.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
            opened.flush()
            os.fsync(opened.fileno())

    def _told(self, item: Item) -> dict[str, Any]:
        """An item's line; its pictures are written."""
        data = {name: self._value(value) for name, value in item.data.items()}
        return _line(Item(item.key, data, item.prediction, item.score))

    def _value(self, value: Value) -> Any:
        if not isinstance(value, bytes):
            return value
        name = hashlib.sha256(value).hexdigest()[:32]
        if not (self.path / PICTURES / name).is_file():
            with atomic_path(self.path / PICTURES / name) as draft:
                draft.write_bytes(value)
        return {PICTURE: name}


def require_annotator(name: str) -> str:
    """The name. Raises: InvalidSpec: it cannot be a file's."""
    if not ANNOTATOR.fullmatch(name):
        raise InvalidSpec(
            f"An annotator's name has up to 64 letters, digits, blanks and any of @ . + - _, not {name!r}."
        )
    return name


def _line(item: Item) -> dict[str, Any]:
    """In it `label` waits to be filled in, in a copy of the file."""
    said = {"prediction": item.prediction, "score": item.score} if item.prediction else {}
    return {"key": item.key, "data": dict(item.data), **said, "label": ""}


def _lines(file: Path, wanted: Sequence[str]) -> tuple[dict[int, dict[str, Any]], list[str]]:
    """Objects with the wanted names by number of line, and a sentence for each line that is none."""
    found: dict[int, dict[str, Any]] = {}
    broken: list[str] = []
    for number, text in _texts(file):
        try:
            value = json.loads(text)
        except ValueError:
            value = None
        if isinstance(value, dict) and all(name in value for name in wanted):
            found[number] = value
        else:
            broken.append(f"{file}:{number}: {text[:TOLD]!r} is no JSON object with {' and '.join(wanted)}.")
    return found, broken


def _texts(file: Path) -> Iterator[tuple[int, str]]:
    """Lines that are not empty, by number."""
    try:
        content = file.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise LabelsUnavailable(f"{file} cannot be read: {error.strerror}.") from error
    for number, text in enumerate(content.split("\n"), 1):
        if text.strip():
            yield number, text.strip()


def _wrong(line: dict[str, Any], question: Question, keys: set[str]) -> str:
    """Why an answer cannot be used; empty where it can."""
    key, value, seconds = _text(line["key"]), _text(line.get("label")), line.get("seconds")
    if key not in keys:
        return f"no item has the key {key!r}."
    if value and value not in question.classes:
        return f"{value!r} is none of {', '.join(question.classes)}."
    if seconds is not None and (isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0):
        return f"{seconds!r} is no number of seconds."
    return ""


def _text(value: Any) -> str:
    """A key or a label that an editor wrote as a number is the same; none is empty."""
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _another(path: Path, asked: Question, wanted: Question) -> str:
    before, now = asked.to_json(), wanted.to_json()
    other = ", ".join(name for name, value in now.items() if before[name] != value)
    return f"The queue {path} asks another question, whose {other} differ; give the new one a name of its own."

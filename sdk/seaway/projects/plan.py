"""What a project is to be, from what its data hold: task, inputs, sizes of the training, steps of the canary."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from seaway.data.columns import WITH_UNIT, Column
from seaway.data.pictures import LABEL
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.projects import roles, task
from seaway.projects.canary import Canary
from seaway.projects.contents import Content
from seaway.projects.look import look
from seaway.projects.seen import Seen, Wishes
from seaway.tasks.task import kind

if TYPE_CHECKING:
    from seaway.features.existing import ExistingRepository

NAME = re.compile(r"[a-z][a-z0-9-]{0,47}")
BATCH = (16, 1024)
BATCHES = 40  # an epoch
EPOCHS, PATIENCE = 40, 6
AMBIGUOUS = ("time %m/%d/%Y", "time %m/%d/%Y %H:%M")  # as well the day first, where no day is above 12


@dataclass(frozen=True)
class ProjectPlan:
    """Everything that the project's files say.

    `left_out` are the columns that are no inputs, each with the reason; `notes` are sentences on what was found and
    chosen. `looked_up` says whether features are looked up by entity and time, with a history of what came before where
    `histories`, and `repository` is the Feast repository that has them where there is one. `positive` is the value of a
    binary label, as text, that is counted.
    """

    name: str
    data: Path | str
    label: str
    task: str
    rows: int
    kinds: dict[str, str]
    numeric: list[str]
    categorical: list[str]
    columns: dict[str, Column]
    entity: str = ""
    time: str = ""
    query: str = ""
    left_out: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    looked_up: bool = False
    histories: bool = False
    repository: "ExistingRepository | None" = None
    content: Content | None = None
    positive: str = ""

    @property
    def package(self) -> str:
        """Its Python package; the ending keeps it from hiding another one, such as `json`."""
        return f"{self.name.replace('-', '_')}_data"

    @property
    def fractions(self) -> dict[str, float]:
        return dict(zip(("train", "validation", "test", "replay"), self.canary.fractions, strict=True))

    @cached_property
    def canary(self) -> Canary:
        return Canary(self.rows)

    @property
    def batch_size(self) -> int:
        """A power of two near a fortieth of the training rows."""
        wanted = max(1.0, self.rows * self.canary.fractions[0] / BATCHES)
        return min(BATCH[1], max(BATCH[0], 1 << round(math.log2(wanted))))

    @property
    def inputs(self) -> list[str]:
        """Of every kind."""
        return [*self.numeric, *self.categorical, *([self.content.column] if self.content else [])]

    @property
    def keys(self) -> list[str]:
        """The columns that name a row."""
        if self.repository:
            return list(self.repository.keys)
        named = [self.entity, self.content.file if self.content else ""]
        return list(dict.fromkeys(filter(None, named)))

    @property
    def gate(self) -> dict[str, float]:
        return {f"beats:{kind(self.task).naive_name}": 0.0}


def plan(name: str, wishes: Wishes) -> ProjectPlan:
    """Look at the data and say what the project is to be.

    Raises:
        InvalidSpec: the name is none for an endpoint, or a wish does not fit the data.
        DataUnreadable: the data cannot be read, or have too few labelled rows or no inputs.
        FeaturesUnavailable: the Feast repository cannot be read.
    """
    if not NAME.fullmatch(name):
        raise InvalidSpec(
            f"{name!r} is no name of an endpoint: use lower-case letters, digits and '-', a letter first."
        )
    wishes = replace(wishes, label=wishes.label or (LABEL if wishes.images and not wishes.data else ""))
    seen, repository = look(wishes), _repository(wishes)
    chosen, why = task.choose(seen, wishes)
    keys = repository.keys if repository else {}
    kinds = {one.name: found for one in seen.columns.values() if (found := roles.kind_of(one, wishes, chosen))}
    kinds |= {key: "number" if whole else "text" for key, whole in keys.items() if key in kinds}
    others = [one for one in seen.columns.values() if one.name != wishes.label]
    output = kind(chosen).output
    left_out = {one.name: reason for one in others if (reason := roles.why_no_input(one, wishes, seen, output))}
    left_out |= {key: "it is a key of the feature repository" for key in keys if key in seen.columns}
    inputs = [one for one in roles.inputs(seen, wishes, output) if one.name not in left_out]
    if not inputs and not seen.content and not (repository and repository.features):
        told = "; ".join(f"{column}: {reason}" for column, reason in left_out.items())
        raise DataUnreadable(f"No column of {wishes.source} can be an input ({told}).")
    _require_keys(repository, wishes, seen)
    used = {name for name in kinds if name not in left_out} | {*keys, wishes.entity, wishes.time}
    used |= {seen.content.file} if seen.content else set()
    made = ProjectPlan(
        name=name,
        data=str(wishes.data) if wishes.database or not wishes.data else Path(wishes.data).absolute(),
        label=wishes.label,
        task=chosen,
        rows=task.labelled(seen, wishes.label, chosen),
        kinds={column: kind for column, kind in kinds.items() if column in used},
        numeric=[one.name for one in inputs if kinds[one.name] != "text"],
        categorical=[one.name for one in inputs if kinds[one.name] == "text"],
        columns=dict(seen.columns),
        entity=wishes.entity,
        time=wishes.time,
        query=wishes.query,
        left_out=left_out,
        looked_up=bool(repository) or bool(wishes.entity and wishes.time and not seen.ambiguous and not seen.content),
        histories=seen.histories and not repository,
        repository=repository,
        content=seen.content,
        positive=max(seen.classes) if chosen == "binary" else "",
    )
    made.notes.extend(_notes(made, seen, why))
    return made


def _repository(wishes: Wishes) -> "ExistingRepository | None":
    if wishes.features is None:
        return None
    from seaway.features.existing import read_repository

    if not wishes.time:
        raise InvalidSpec("--features needs --time: features are looked up as they stood when a row happened.")
    return read_repository(wishes.features)


def _require_keys(repository: "ExistingRepository | None", wishes: Wishes, seen: Seen) -> None:
    if repository and (missing := [key for key in repository.keys if key not in seen.columns]):
        raise InvalidSpec(f"{wishes.source} lacks {', '.join(missing)}, by which {repository.folder} finds features.")


def _notes(made: ProjectPlan, seen: Seen, why: str) -> Iterator[str]:
    yield f"The task is {made.task}: {made.label} holds {why}."
    if gaps := seen.rows - made.rows:
        yield f"{gaps:,} of {seen.rows:,} rows have no {made.label} and are left out."
    yield from (*(seen.content.notes if seen.content else ()), *seen.left_out)
    yield from _alike(seen, made)
    for name, count in seen.repeated.items():
        yield f"{count} columns are called {name}; the later ones are read as {name}_1 and so on."
    for one in seen.columns.values():
        if one.strangers:
            yield (
                f"{one.name} is read as {one.kind}; {one.strangers:,} values are none ({', '.join(one.strange)}) and "
                "count as missing."
            )
        if one.kind.endswith(WITH_UNIT):
            yield f"{one.name} is read as numbers, without the sign of a currency or of per cent."
        if one.kind in AMBIGUOUS:
            yield f"{one.name} is read with the month first; KINDS in schema.py says so, if it is the day."
    yield from (f"{column} is no input: {reason}." for column, reason in made.left_out.items())
    yield from _of_features(made, seen)
    yield made.canary.told


def _alike(seen: Seen, made: ProjectPlan) -> Iterator[str]:
    """Of classes whose names differ in the case of letters alone."""
    spelled: dict[str, list[str]] = {}
    for name in seen.classes if made.kinds.get(made.label) == "class" else ():
        spelled.setdefault(name.casefold(), []).append(name)
    for names in (names for names in spelled.values() if len(names) > 1):
        yield f"{' and '.join(names)} are classes of their own; write them alike if they are one."


def _of_features(made: ProjectPlan, seen: Seen) -> Iterator[str]:
    if made.repository:
        yield f"Features of {made.repository.folder}, by {', '.join(made.repository.keys)}: {made.repository.told}."
    elif made.looked_up:
        before = ", with what came before it" if made.histories else ""
        yield f"Features are looked up in Feast by {made.entity} as they stood at {made.time}{before}."
    elif made.entity and made.time and not made.content:
        yield f"Some {made.entity} has two rows of one {made.time}, so nothing is looked up by them: a plain split."

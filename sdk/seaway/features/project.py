"""What a user's feature definitions hand over: Feast's objects, their source tables, and the rows to learn from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seaway.errors import InvalidSpec
from seaway.features.feast_import import import_feast
from seaway.storage import load_object

if TYPE_CHECKING:
    import pyarrow as pa

EVENT_TIME, LABEL_TIME = "event_timestamp", "label_timestamp"
RESERVED = "__seaway"  # begins the names of columns that a join makes


@dataclass(frozen=True)
class FeatureProject:
    """A feature project, named in pipelines as `package.module:attribute`.

    Attributes:
        name: Feast's project name.
        service: Name of the feature service whose features the examples carry.
        objects: Feast entities, feature views and feature services; file sources lie in `sources/`.
        build_sources: `(tables folder, sources folder)`: writes the Parquet file of each file source.
        entity_rows: `(tables folder)`: one row an example, with the join keys, the model's inputs known without a
            look-up, the label, `event_timestamp` (prediction time, UTC) and `label_timestamp` (when the label is
            known, UTC). Rows without a label are left out here, in words.
        label: Name of the label column.
        numeric: Inputs that are numbers; missing is NaN.
        categorical: Inputs that are text.
        keep: Further columns of `entity_rows` that the examples carry, for identity and slices.
        task: What it means to predict the label, which says what its values may be.
        recent_rows: As `entity_rows`, of the rows that a model is watched by: those without a label, too. None takes
            `entity_rows`.
    """

    name: str
    service: str
    objects: Sequence[Any]
    build_sources: Callable[[Path, Path], None]
    entity_rows: "Callable[[Path], pa.Table]"
    label: str
    numeric: Sequence[str]
    categorical: Sequence[str]
    keep: Sequence[str] = ()
    task: str = "binary"
    recent_rows: "Callable[[Path], pa.Table] | None" = None

    def __post_init__(self) -> None:
        if twice := sorted(set(self.numeric) & set(self.categorical)):
            raise InvalidSpec(f"{', '.join(twice)} cannot be numeric and categorical; keep each input in one list.")
        if self.label in (*self.numeric, *self.categorical):
            raise InvalidSpec(f"The label {self.label} is listed as an input; the model would read its own answer.")


def load_project(definitions: str) -> FeatureProject:
    """The project that `definitions` names.

    Raises:
        InvalidSpec: nothing of that name, or it is no `FeatureProject`.
    """
    import_feast()
    project = load_object(definitions)
    if not isinstance(project, FeatureProject):
        raise InvalidSpec(f"{definitions} is a {type(project).__name__}; name a seaway.features.FeatureProject.")
    return project

"""A Feast repository that there is already, taken as it is: its definitions, and the files that hold its values."""

import copy
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seaway.errors import FeaturesUnavailable
from seaway.features.feast_import import import_feast

if TYPE_CHECKING:
    from feast import Entity, FeatureService, FeatureView

CONFIG, SERVICE = "feature_store.yaml", "seaway"
WHOLE, TEXT = ("INT32", "INT64"), ("STRING",)
NUMBER = (*WHOLE, "FLOAT32", "FLOAT64", "BOOL")


@dataclass(frozen=True)
class ExistingRepository:
    """What a repository's registry lists, as `FeatureProject` takes it.

    Attributes:
        folder: Of `feature_store.yaml`.
        service: The feature service whose features are looked up; one of all views where the repository has none.
        objects: Entities, feature views and that service; file sources lie in `sources/`.
        keys: Join keys, and whether each is a whole number.
        features: The service's features, and whether each is a number; those of other types are left out.
    """

    folder: Path
    service: str
    objects: tuple[Any, ...]
    files: Mapping[str, Path]
    keys: Mapping[str, bool]
    features: Mapping[str, bool]

    @property
    def numeric(self) -> list[str]:
        return [name for name, number in self.features.items() if number]

    @property
    def categorical(self) -> list[str]:
        return [name for name, number in self.features.items() if not number]

    @property
    def told(self) -> str:
        return f"{', '.join(self.features)} (service {self.service})"

    def copy_sources(self, tables: Path, sources: Path) -> None:
        """As `FeatureProject.build_sources`: copies the files of the views; the tables are not looked at."""
        for name, file in self.files.items():
            shutil.copyfile(file, sources / f"{name}.parquet")


def read_repository(folder: Path | str) -> ExistingRepository:
    """Read a repository to which `feast apply` was done.

    Raises:
        FeaturesUnavailable: there is none in the folder, it lists no views, or one is not of Parquet files.
    """
    folder = Path(folder).absolute()
    if not (folder / CONFIG).is_file():
        raise FeaturesUnavailable(f"{folder} has no {CONFIG}; name the folder of a Feast repository.")
    return _Reader(folder).read()


class _Reader:
    def __init__(self, folder: Path) -> None:
        import_feast()
        from feast import FeatureStore

        from seaway.features.repository import told
        from seaway.features.sources import LIBRARY_ERRORS

        self.folder = folder
        try:
            self.store: FeatureStore = FeatureStore(repo_path=str(folder))
            self.views: list[FeatureView] = self.store.list_feature_views()
        except LIBRARY_ERRORS as error:
            raise FeaturesUnavailable(f"The Feast repository {folder} cannot be read: {told(error)}") from error
        if not self.views:
            raise FeaturesUnavailable(f"The registry of {folder} lists no feature view; run `feast apply` in it.")

    def read(self) -> ExistingRepository:
        service = self._service()
        named = {projection.name for projection in service.feature_view_projections}
        views = [view for view in self.views if view.name in named]
        files = {view.name: self._file(view) for view in views}
        moved = [_moved(view) for view in views]
        fields = [field for projection in service.feature_view_projections for field in projection.features]
        kinds = {field.name: _type(field.dtype) for field in fields}
        return ExistingRepository(
            self.folder,
            service.name,
            (*self.entities.values(), *moved, service),
            files,
            {key: kind in WHOLE for view in views for key, kind in self._keys(view)},
            {name: kind in NUMBER for name, kind in kinds.items() if kind in (*NUMBER, *TEXT)},
        )

    @cached_property
    def entities(self) -> "dict[str, Entity]":
        return {entity.name: entity for entity in self.store.list_entities()}

    def _service(self) -> "FeatureService":
        """The first by name, else one of all views."""
        from feast import FeatureService

        services = sorted(self.store.list_feature_services(), key=lambda service: service.name)
        return services[0] if services else FeatureService(name=SERVICE, features=list(self.views))

    def _keys(self, view: "FeatureView") -> list[tuple[str, str]]:
        return [(column.name, _type(column.dtype)) for column in view.entity_columns]

    def _file(self, view: "FeatureView") -> Path:
        from feast import FileSource

        source = view.batch_source
        named = getattr(source, "path", type(source).__name__)
        path = self.folder / str(named)
        if not isinstance(source, FileSource) or not path.is_file():
            raise FeaturesUnavailable(
                f"Feature view {view.name} of {self.folder} reads {named}, which is no "
                "Parquet file here; export its rows as one, and let the view's FileSource name it."
            )
        return path


def _moved(view: "FeatureView") -> "FeatureView":
    """The view, its file in the folder of sources, as if it had never been applied."""
    from feast import FileSource

    moved, source = copy.copy(view), view.batch_source
    moved.batch_source = FileSource(
        name=source.name,
        path=f"sources/{view.name}.parquet",
        timestamp_field=source.timestamp_field,
        created_timestamp_column=source.created_timestamp_column,
        field_mapping=source.field_mapping,
    )
    moved.source = moved.batch_source
    moved.materialization_intervals = []
    return moved


def _type(dtype: Any) -> str:
    return str(getattr(dtype, "name", dtype))

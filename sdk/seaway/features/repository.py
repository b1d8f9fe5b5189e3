"""Building a Feast repository: sources, registry, and the latest values in the online store."""

import inspect
import logging
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from seaway.errors import DataUnreadable, FeaturesUnavailable
from seaway.features import stores
from seaway.features.feast_import import import_feast
from seaway.features.project import FeatureProject, load_project
from seaway.storage import read_json, write_json

if TYPE_CHECKING:
    from feast import FeatureStore, FeatureView
    from ibis.expr.types import Table

TOLD = 300  # characters of a library's error
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FeatureRepository:
    """A Feast repository: `views` and the rows of each one's source; `definitions` names what made it."""

    path: Path
    definitions: str
    rows: Mapping[str, int]

    @property
    def views(self) -> tuple[str, ...]:
        return tuple(self.rows)

    @classmethod
    def open(cls, path: Path) -> "FeatureRepository":
        """Raises DataUnreadable: `path` is not a repository that `build` wrote."""
        content = read_json(path / "repository.json")
        return cls(path, content["definitions"], content["rows"])

    @property
    def project(self) -> FeatureProject:
        return load_project(self.definitions)


def build(tables: Path, definitions: str, output: Path, online: bool = True) -> FeatureRepository:
    """Write the sources, apply the definitions and, where `online`, materialize the latest value of each key.

    Raises:
        InvalidSpec: `definitions` names no `FeatureProject`.
        DataUnreadable: a table is missing or lacks a column.
        FeaturesUnavailable: a feature view has no rows, or Feast refuses the definitions.
    """
    project = load_project(definitions)
    (output / "sources").mkdir(parents=True, exist_ok=True)
    for name in ("registry.db", "online.db", "repository.json"):
        (output / name).unlink(missing_ok=True)
    _build_sources(project, tables, output / "sources")
    (output / "feature_store.yaml").write_text(_config(project.name), encoding="utf-8")
    shutil.copyfile(inspect.getfile(sys.modules[definitions.partition(":")[0]]), output / "definitions.py")
    rows = _apply(project, output, online)
    write_json(output / "repository.json", {"definitions": definitions, "rows": rows})
    return FeatureRepository(output, definitions, rows)


def _config(project: str) -> str:
    import yaml

    content = {"project": project, "provider": "local", **stores.stores(), "entity_key_serialization_version": 3}
    return yaml.safe_dump(content, sort_keys=False)


def _build_sources(project: FeatureProject, tables: Path, sources: Path) -> None:
    import duckdb

    try:
        project.build_sources(tables, sources)
    except (duckdb.IOException, duckdb.BinderException, duckdb.InvalidInputException) as error:
        raise DataUnreadable(f"The feature sources of {project.name} cannot be built from {tables}: {error}") from error


def open_store(path: Path) -> "FeatureStore":
    """The Feast store in the folder `path`; times without a zone are UTC in a database of any zone."""
    import_feast()
    from feast import FeatureStore

    os.environ["PGTZ"] = "UTC"  # which libpq has a server use for what this process asks of it
    return FeatureStore(repo_path=str(path))


def _apply(project: FeatureProject, output: Path, online: bool) -> dict[str, int]:
    from seaway.features import source_checks, sources

    try:
        store = open_store(output)
        store.apply(list(project.objects))
        named = {one.name for one in project.objects}
        views = [view for view in store.list_feature_views() if view.name in named]  # a registry may have former ones
    except (*sources.LIBRARY_ERRORS, *stores.errors()) as error:
        raise FeaturesUnavailable(f"Feast refuses the definitions of {project.name}: {told(error)}") from error
    for view in views:
        _check_time_to_live(view)
        source_checks.check(view, output)
    spans = {view.name: _span(output, view) for view in views}
    if (moved := stores.published(store, views, output)) != views:
        store.apply(moved)
    if online:
        if valid := max((view.ttl for view in views if view.ttl), default=None):
            for view in views:
                _check_end(output, view, valid)
        _materialize(store, spans)
        _tell_expired(views, {name: last for name, (_, _, last) in spans.items()})
    return {name: rows for name, (rows, _, _) in spans.items()}


def told(error: Exception) -> str:
    """A library's error in a line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:TOLD]}"


def _check_time_to_live(view: "FeatureView") -> None:
    if view.ttl and view.ttl < timedelta(0):
        raise FeaturesUnavailable(
            f"Feature view {view.name} has a time-to-live of {view.ttl}, so no value of it would ever be seen; give a "
            "positive one, or none."
        )


def _tell_expired(views: "Sequence[FeatureView]", ends: Mapping[str, datetime]) -> None:
    """Say of which views nothing is valid any more: no look-up online finds a value of them."""
    end = max(ends.values())
    for view in views:
        if view.ttl and view.ttl < end - ends[view.name]:
            log.warning(
                "The online store has no value of feature view %s: its last is of %s, and no longer valid at the end "
                "of the data, %s, by its time-to-live of %s",
                *(view.name, ends[view.name], end, view.ttl),
            )


def _check_end(output: Path, view: "FeatureView", valid: timedelta) -> None:
    """Raises: FeaturesUnavailable: a few rows lie further after all others than these span, as a past "never" does.

    The end of the data would be there, and past their time-to-live (`valid`, the longest of any view) all that is true.
    """
    from seaway.features.sources import columns, located, read

    source, keys = located(view.batch_source, output), columns(view, view.entity_columns)
    rows = read(source, str(output), keys)
    rows = rows.filter(rows[source.timestamp_field] <= datetime.now(UTC))
    time = rows[source.timestamp_field]
    others = rows.filter(time < time.max())[source.timestamp_field]
    last, first, before = (one.execute() for one in (time.max(), others.min(), others.max()))
    if not keys or first is None or last - before <= max(before - first, valid):
        return
    late, known = (table.select(keys).distinct().count().execute() for table in (rows.filter(time == last), rows))
    if late < known / 2:
        raise FeaturesUnavailable(
            f"Column {source.timestamp_field} of feature view {view.name} ends at {last} for {late} of {known} keys, "
            f"and all else at {before}: at the end of the data nothing else would be valid any more. Where that time "
            f"stands for none, leave it empty."
        )


def _materialize(store: "FeatureStore", spans: "Mapping[str, tuple[int, datetime, datetime]]") -> None:
    """Latest values into the online store; what is past its time-to-live would not be served and stays out."""
    from seaway.features.sources import LIBRARY_ERRORS

    end = max(last for _, _, last in spans.values())
    for name, (_, first, _) in spans.items():
        ttl = store.get_feature_view(name).ttl
        start = end - ttl if ttl and ttl < end - first else first
        try:
            store.materialize(start, end, feature_views=[name])
        except (*LIBRARY_ERRORS, *stores.errors()) as error:
            raise FeaturesUnavailable(
                f"The latest values of feature view {name} cannot be put into the online store: {told(error)}"
            ) from error


def _span(output: Path, view: "FeatureView") -> "tuple[int, datetime, datetime]":
    """Rows with a time, and the first and the last of their times; what is yet to come is nobody's latest value.

    A row far in the future is a usual way to say that something has no end; as the end of the data it would put all
    else past its time-to-live.
    """
    from seaway.features.sources import LIBRARY_ERRORS, columns, located, read

    source, keys = located(view.batch_source, output), columns(view, view.entity_columns)
    now = datetime.now(UTC)
    try:
        keyed = read(source, str(output), keys)
        whole = read(source, str(output)).count().execute()
        time = keyed[source.timestamp_field]
        known = time.as_table().filter(time <= now)[time.get_name()]
        rows, count, first, last = (one.execute() for one in (time.count(), known.count(), known.min(), known.max()))
        _tell_ambiguous(view, keyed, [*keys, source.timestamp_field], columns(view, view.features))
    except LIBRARY_ERRORS as error:
        raise FeaturesUnavailable(f"The source of feature view {view.name} cannot be read: {told(error)}") from error
    if not count:
        lacking = " before now" if rows else f" with a key ({', '.join(keys)})" if whole else ""
        raise FeaturesUnavailable(
            f"The source of feature view {view.name} has no rows{lacking}; check the ingested tables."
        )
    if rows < whole:
        log.warning(
            "%d rows of feature view %s have no key (%s) and are nobody's", whole - rows, view.name, ", ".join(keys)
        )
    if count < rows:
        log.warning(
            "%d rows of feature view %s are in the future and stay out of the online store", rows - count, view.name
        )
    return whole, first.to_pydatetime(), last.to_pydatetime()


def _tell_ambiguous(view: "FeatureView", rows: "Table", when: list[str], features: list[str]) -> None:
    """Say that rows of one key and time differ: which of them counts is open, in training and online."""
    created = view.batch_source.created_timestamp_column
    moments = [*when, *([created] if created else [])]
    values, known = (rows.select(*dict.fromkeys(names)).distinct() for names in ([*moments, *features], moments))
    if twice := values.count().execute() - known.count().execute():
        log.warning(
            "Feature view %s has %d rows that differ from another of the same %s; which of them counts is open: leave "
            "one of each, or name the column that says which was written last (created_timestamp_column)",
            *(view.name, twice, ", ".join(moments)),
        )

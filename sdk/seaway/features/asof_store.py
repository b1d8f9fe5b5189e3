"""A Feast offline store whose point-in-time join is DuckDB's ASOF join.

Feast's DuckDB store joins every entity row with every earlier feature row of its key and then keeps the latest; its
work grows with the product of the two. An ASOF join sorts both sides once. It gives the same rows because:

- the time-to-live is one constant a view, so when the latest earlier feature row has expired, all others have too;
- rows of one key and time that differ in created timestamp are reduced to the last created before the join.

Rows that agree in key, time and created timestamp have no order in Feast either. Everything but the join (reading and
writing sources, materializing, saved datasets, monitoring) is Feast's own store; so is the join itself where its
created-timestamp cut-off, a source other than a Parquet file, or a Substrait transformation is asked for.
A relative path of a source is taken from the repository's folder, as Feast does elsewhere; its own DuckDB store takes
it from the working folder.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import ibis
import pandas as pd
from feast import FeatureView
from feast.data_format import ParquetFormat
from feast.data_source import DataSource
from feast.infra.offline_stores.duckdb import (
    DuckDBOfflineStore,
    DuckDBOfflineStoreConfig,
    _write_data_source,
)
from feast.infra.offline_stores.file_source import FileSource
from feast.infra.offline_stores.ibis import (
    IbisRetrievalJob,
    deduplicate,
    pull_all_from_table_or_query_ibis,
    pull_latest_from_table_or_query_ibis,
)
from feast.infra.offline_stores.offline_store import RetrievalJob, RetrievalMetadata
from feast.infra.offline_stores.offline_utils import infer_event_timestamp_from_entity_df
from feast.infra.registry.base_registry import BaseRegistry
from feast.on_demand_feature_view import OnDemandFeatureView
from feast.repo_config import RepoConfig
from ibis.expr.datatypes import DataType
from ibis.expr.types import Table, Value

from seaway.errors import DataUnreadable
from seaway.features.project import RESERVED
from seaway.features.sources import columns as columns_of
from seaway.features.sources import located, read, reader

FOREVER = timedelta(days=365 * 9999)  # between any two times


class AsofOfflineStoreConfig(DuckDBOfflineStoreConfig):  # type: ignore[misc]
    """`offline_store: {type: seaway.features.asof_store.AsofOfflineStore}`; options as of Feast's DuckDB store."""

    type: str = "seaway.features.asof_store.AsofOfflineStore"


class AsofOfflineStore(DuckDBOfflineStore):  # type: ignore[misc]
    """Feast's DuckDB offline store with an ASOF join."""

    @staticmethod
    def get_historical_features(
        config: RepoConfig,
        feature_views: list[FeatureView],
        feature_refs: list[str],
        entity_df: pd.DataFrame | str,
        registry: BaseRegistry,
        project: str,
        full_feature_names: bool = False,
        filter_by_created_timestamp: bool = False,
    ) -> RetrievalJob:
        """Features of each entity row as they stood at its time; all entity rows are kept, duplicates too."""
        on_demand = OnDemandFeatureView.get_requested_odfvs(feature_refs, project, registry)
        substrait = any(view.mode == "substrait" for view in on_demand)
        parquet = all(_is_parquet(view) for view in feature_views)
        if filter_by_created_timestamp or substrait or not parquet or isinstance(entity_df, str):
            located = [_located_view(view, config) for view in feature_views]
            return DuckDBOfflineStore.get_historical_features(
                config, located, feature_refs, entity_df, registry, project, full_feature_names,
                filter_by_created_timestamp,
            )  # fmt: skip
        event = infer_event_timestamp_from_entity_df(dict(entity_df.dtypes))
        rows = entity_df.assign(**{event: _times(entity_df[event])})
        sides = [
            _FeatureSide.read(_located_view(view, config), config, feature_refs, full_feature_names, number)
            for number, view in enumerate(feature_views)
        ]
        table = ibis.memtable(rows)
        for side in sides:
            _check(table, side)
        return IbisRetrievalJob(
            join(table, event, sides),
            on_demand,
            full_feature_names,
            metadata=RetrievalMetadata(
                features=feature_refs,
                keys=[name for name in rows.columns if name != event],
                min_event_timestamp=rows[event].min().to_pydatetime(),
                max_event_timestamp=rows[event].max().to_pydatetime(),
            ),
            **_target(config),
            repo_path=str(config.repo_path),
        )

    @staticmethod
    def pull_latest_from_table_or_query(
        config: RepoConfig,
        data_source: DataSource,
        join_key_columns: list[str],
        feature_name_columns: list[str],
        timestamp_field: str,
        created_timestamp_column: str | None,
        start_date: datetime,
        end_date: datetime,
    ) -> RetrievalJob:
        """Feast's own, of a source as `seaway.features.sources` reads it."""
        return pull_latest_from_table_or_query_ibis(
            config=config,
            join_key_columns=join_key_columns,
            feature_name_columns=feature_name_columns,
            timestamp_field=timestamp_field,
            created_timestamp_column=created_timestamp_column,
            start_date=start_date,
            end_date=end_date,
            **_source(config, data_source, join_key_columns),
            **_target(config),
        )

    @staticmethod
    def pull_all_from_table_or_query(
        config: RepoConfig,
        data_source: DataSource,
        join_key_columns: list[str],
        feature_name_columns: list[str],
        timestamp_field: str,
        created_timestamp_column: str | None = None,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
    ) -> RetrievalJob:
        """Feast's own, of a source as `seaway.features.sources` reads it."""
        return pull_all_from_table_or_query_ibis(
            config=config,
            join_key_columns=join_key_columns,
            feature_name_columns=feature_name_columns,
            timestamp_field=timestamp_field,
            created_timestamp_column=created_timestamp_column,
            start_date=start_date,
            end_date=end_date,
            **_source(config, data_source, join_key_columns),
            **_target(config),
        )


def _source(config: RepoConfig, data_source: DataSource, keys: list[str]) -> dict[str, Any]:
    """Where Feast's functions read, and by what."""
    return {"data_source": located(data_source, config.repo_path), "data_source_reader": reader(keys)}


def _target(config: RepoConfig) -> dict[str, Any]:
    """Where Feast's jobs write, and by what."""
    store = config.offline_store
    return {
        "data_source_writer": _write_data_source,
        "staging_location": store.staging_location,
        "staging_location_endpoint_override": store.staging_location_endpoint_override,
    }


@dataclass(frozen=True)
class _FeatureSide:
    """One feature view's rows, reduced to one a key and time, under names that cannot collide.

    `keys` maps the entity frame's columns to the table's; `features` maps result names to the table's.
    """

    view: str
    table: Table
    time: str
    keys: dict[str, str]
    features: dict[str, str]
    ttl: timedelta | None

    @classmethod
    def read(
        cls, view: FeatureView, config: RepoConfig, feature_refs: Sequence[str], full_names: bool, number: int
    ) -> "_FeatureSide":
        source = view.batch_source
        table = read(source, str(config.repo_path), columns_of(view, view.entity_columns))
        renamed = {new: old for old, new in source.field_mapping.items() if old in table.columns}
        table = table.rename(renamed)
        names = _requested(view, feature_refs)
        keys = view.projection.join_key_map or {column.name: column.name for column in view.entity_columns}
        columns = dict.fromkeys((*keys, *names))
        marked = {name: f"{RESERVED}{number}_{name}" for name in columns}
        time, created = (
            f"{RESERVED}{number}",
            f"{RESERVED}{number}_created" if source.created_timestamp_column else None,
        )
        values = {marked[name]: table[name] for name in columns} | {time: table[source.timestamp_field]}
        if created:
            values[created] = table[source.created_timestamp_column]
        table = table.select(**values)
        latest = deduplicate(table, [*(marked[name] for name in keys), time], time, created)
        prefix = f"{view.projection.name_alias or view.name}__" if full_names else ""
        return cls(
            view.name,
            latest,
            time,
            {column: marked[key] for key, column in keys.items()},
            {prefix + name: marked[name] for name in names},
            view.ttl,
        )


def _check(rows: Table, side: _FeatureSide) -> None:
    """Refuse entity rows that cannot be joined with a view. Raises: DataUnreadable, with view and column."""
    for column, key in side.keys.items():
        if column not in rows.columns:
            raise DataUnreadable(f"The entity rows lack {column}, the key of feature view {side.view}.")
        given, wanted = rows[column].type(), side.table[key].type()
        if _kind(given) != _kind(wanted) and not given.is_null():
            raise DataUnreadable(
                f"Key {column} of the entity rows is {given}, and in feature view {side.view} it is {wanted}; make "
                "them one type."
            )
    if twice := sorted(side.features.keys() & set(rows.columns)):
        raise DataUnreadable(
            f"The entity rows have a column {', '.join(twice)}, and feature view {side.view} gives one of that name; "
            "rename it in the rows, or leave the feature out of the service."
        )


def _kind(of: DataType) -> str:
    """What compares: all numbers with each other, else values of one type."""
    return "number" if of.is_numeric() else type(of).__name__


def join(rows: Table, event: str, sides: Sequence[_FeatureSide]) -> Table:
    """`rows` with each side's latest values that are no older than its time-to-live, else null."""
    joined = rows
    for side in sides:
        keys = [rows[column] == side.table[key] for column, key in side.keys.items()]
        joined = joined.asof_join(side.table, on=rows[event] >= side.table[side.time], predicates=keys)
    return joined.select(
        *rows.columns,
        **{result: _unexpired(joined, event, side, name) for side in sides for result, name in side.features.items()},
    )


def _unexpired(joined: Table, event: str, side: _FeatureSide, name: str) -> Value:
    if not side.ttl or side.ttl > FOREVER:
        return joined[name]
    return (joined[side.time] + ibis.literal(side.ttl) >= joined[event]).ifelse(joined[name], ibis.null())


def _located_view(view: FeatureView, config: RepoConfig) -> FeatureView:
    copied = copy.copy(view)
    copied.batch_source = located(view.batch_source, config.repo_path)
    return copied


def _requested(view: FeatureView, feature_refs: Sequence[str]) -> list[str]:
    prefix = f"{view.projection.name_to_use()}:"
    return [ref.split(":")[1] for ref in feature_refs if ref.startswith(prefix)]


def _is_parquet(view: FeatureView) -> bool:
    source = view.batch_source
    return isinstance(source, FileSource) and (
        isinstance(source.file_format, ParquetFormat)
        or (source.file_format is None and source.path.endswith(".parquet"))
    )


def _times(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Timestamps as they are; text and objects read as UTC."""
    inferred = column.infer_objects()
    return inferred if pd.api.types.is_datetime64_any_dtype(inferred) else pd.to_datetime(inferred, utc=True)

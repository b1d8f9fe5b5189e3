"""Where Feast keeps registry, history and latest values: in the repository's folder, or where a file of settings says.

The environment's `SEAWAY_FEATURE_STORES` names that file, YAML, with any of the three keys that `feature_store.yaml`
has for them: `registry`, `offline_store`, `online_store`. What it says goes into the repository as it is, so secrets
are named there as `${VARIABLE}`, which Feast fills in wherever it opens the repository.
"""

import copy
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seaway.errors import FeaturesUnavailable, InvalidSpec
from seaway.extras import advice

if TYPE_CHECKING:
    from feast import FeatureStore, FeatureView

VARIABLE = "SEAWAY_FEATURE_STORES"
OURS: dict[str, Any] = {
    "registry": "registry.db",
    "online_store": {"type": "sqlite", "path": "online.db"},
    "offline_store": {"type": "seaway.features.asof_store.AsofOfflineStore"},
}
POSTGRES = "postgres"
SECRET = re.compile(r"://[^/@:]*:(?!\$\{)[^/@]+@|\bpassword=(?!\$\{)[^,\s&]", re.IGNORECASE)
OF_CLIENTS = {
    "psycopg": "Error",
    "psycopg_pool": "PoolTimeout",
    "redis": "RedisError",
    "sqlalchemy.exc": "SQLAlchemyError",
}
LONGEST = 63  # of a name in PostgreSQL


def stores() -> dict[str, Any]:
    """The three stores, as `feature_store.yaml` has them.

    Raises:
        InvalidSpec: the file cannot be read, has other keys, an offline store of another kind, or a secret in it.
    """
    import yaml

    if not (named := os.environ.get(VARIABLE)):
        return OURS
    try:
        wanted = yaml.safe_load(Path(named).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidSpec(f"{VARIABLE} names {named}, which is no YAML that can be read: {error}") from error
    if not isinstance(wanted, dict) or not wanted.keys() <= OURS.keys():
        raise InvalidSpec(f"{named} has to have keys of {', '.join(OURS)}, and no others.")
    if (kind := _kind(wanted.get("offline_store", OURS["offline_store"]))) not in (
        POSTGRES,
        _kind(OURS["offline_store"]),
    ):
        raise InvalidSpec(f"{named} has the offline store {kind}; features are built into `{POSTGRES}` or files.")
    if secret := next(_secrets(wanted), None):
        raise InvalidSpec(f"{named} has a password in {secret}; name a variable of the environment there: ${{NAME}}.")
    return OURS | wanted


def errors() -> tuple[type[Exception], ...]:
    """What the clients of stores raise, those that have been imported."""
    return tuple(getattr(sys.modules[module], name) for module, name in OF_CLIENTS.items() if module in sys.modules)


def published(store: "FeatureStore", views: "Sequence[FeatureView]", repository: Path) -> "list[FeatureView]":
    """The views as the offline store reads them: files stay as they are, PostgreSQL gets a table of each one's rows.

    A table replaces that of the build before, in one transaction for all of them.

    Raises:
        FeaturesUnavailable: PostgreSQL does not take them, or its driver is missing.
    """
    if store.config.offline_store.type != POSTGRES:
        return list(views)
    try:
        from adbc_driver_postgresql import dbapi
    except ImportError as error:
        raise FeaturesUnavailable(
            f"Features in PostgreSQL need a package that is missing. {advice(error.name)}"
        ) from error
    config = store.config.offline_store
    names = {view.name: _table(store.config.project, view.name) for view in views}
    try:
        with dbapi.connect(_address(config)) as connection, connection.cursor() as cursor:
            for view in views:
                rows = _rows(view, repository)
                cursor.adbc_ingest(names[view.name], rows, mode="replace", db_schema_name=config.db_schema)
            connection.commit()
    except dbapi.Error as error:
        raise FeaturesUnavailable(f"PostgreSQL does not take the features: {' '.join(str(error).split())}") from error
    return [_of_table(view, f"{config.db_schema}.{names[view.name]}") for view in views]


def _address(config: Any) -> str:
    """Feast's settings of PostgreSQL as libpq takes them."""
    given = {
        **{name: getattr(config, name) for name in ("host", "port", "user", "password", "sslmode")},
        "dbname": config.database,
        **{name: getattr(config, f"{name}_path") for name in ("sslkey", "sslcert", "sslrootcert")},
    }
    escaped = {name: re.sub(r"([\\'])", r"\\\1", str(value)) for name, value in given.items() if value is not None}
    return " ".join(f"{name}='{value}'" for name, value in escaped.items())


def _rows(view: "FeatureView", repository: Path) -> Any:
    """Of a view's source, as `sources.read` gives them."""
    from seaway.features.sources import columns, located, read

    return read(
        located(view.batch_source, repository), str(repository), columns(view, view.entity_columns)
    ).to_pyarrow()


def _of_table(view: "FeatureView", table: str) -> "FeatureView":
    """The view, with a table for its file."""
    from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource

    moved, source = copy.copy(view), view.batch_source
    moved.batch_source = moved.source = PostgreSQLSource(
        name=table,  # a registry takes no source of another kind under the file's name
        table=table,
        timestamp_field=source.timestamp_field,
        created_timestamp_column=source.created_timestamp_column,
        field_mapping=source.field_mapping,
    )
    moved.materialization_intervals = []
    return moved


def _table(project: str, view: str) -> str:
    """A view's table: a name that needs no quotes in SQL, which Feast does not give it."""
    name = f"{project}_{view}".lower()
    if len(name) > LONGEST or not re.fullmatch(r"[a-z_]\w*", name, re.ASCII):
        raise FeaturesUnavailable(
            f"Feature view {view} of {project} would be the table {name} of PostgreSQL: use letters, digits and _ "
            f"only, {LONGEST} of them at most."
        )
    return name


def _kind(store: object) -> str:
    return str(store.get("type")) if isinstance(store, dict) else str(store)


def _secrets(value: object, where: str = "") -> Iterator[str]:
    """Keys of what looks like a password that is written out."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if "password" in str(key) and not str(inner).startswith("${"):
                yield f"{where}{key}"
            yield from _secrets(inner, f"{where}{key}.")
    elif isinstance(value, str) and SECRET.search(value):
        yield where.rstrip(".")

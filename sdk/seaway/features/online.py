"""The latest values of a feature service by entity keys, from whatever online store Feast's own configuration names.

Values are read by the interface that all of Feast's stores have, one question a feature view. What is older than its
view's time-to-live is missing, as it is in the rows that a model learned from.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seaway.errors import FeaturesUnavailable, InvalidSpec, SeawayError
from seaway.features.feast_import import import_feast

if TYPE_CHECKING:
    from feast import FeatureStore, FeatureView, ValueType

AT_ONCE = 500  # keys of one question; SQLite takes no more than some thousand
DATATYPES = {
    "INT32": "INT32",
    "INT64": "INT64",
    "BOOL": "BOOL",
    "DOUBLE": "FP64",
    "FLOAT": "FP32",
}  # of keys; else text
NO_ENTITY = "__dummy_id"  # Feast's key of a view that has none

Key = tuple[Any, ...]
Row = tuple[datetime | None, Mapping[str, Any]]  # when the values became known, and what they are by feature
Clock = Callable[[], datetime]


@dataclass(frozen=True)
class _View:
    """A feature view as the service uses it: `keys` are (join key, name in a request, type)."""

    view: "FeatureView"
    keys: tuple[tuple[str, str, "ValueType"], ...]
    features: tuple[str, ...]
    ttl: timedelta | None


class OnlineFeatures:
    """Reads a service's features; not for use from several threads at once.

    Args:
        repository: Folder of `feature_store.yaml`, whose online store has been filled (`feast materialize`).
        service: Feature service; empty where the repository has one only.
        clock: What time it is, by which values expire.

    Raises:
        FeaturesUnavailable: Feast cannot open the repository.
        InvalidSpec: there is no such service, or it has features that are computed on demand.
    """

    def __init__(self, repository: Path, service: str = "", clock: Clock = lambda: datetime.now(UTC)) -> None:
        self._store, self._clock = _open(repository), clock
        self._views = _views(self._store, service)
        self._provider = self._store._get_provider()  # the only way to a store's own interface

    @property
    def keys(self) -> dict[str, str]:
        """The datatype of each join key by the name that a request gives it."""
        return {
            name: DATATYPES.get(kind.name, "BYTES")
            for view in self._views
            for _, name, kind in view.keys
            if name != NO_ENTITY
        }

    @property
    def features(self) -> tuple[str, ...]:
        """Names of what is looked up."""
        return tuple(feature for view in self._views for feature in view.features)

    def read(self, keys: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
        """Each feature's value row by row; None where the store has none, or none that is still valid.

        Raises:
            FeaturesUnavailable: the store does not answer.
            InvalidSpec: a key is none of its view's type.
        """
        rows = len(next(iter(keys.values()))) if keys else 1
        columns: dict[str, list[Any]] = {}
        for view in self._views:
            asked = [
                tuple("" if name == NO_ENTITY else keys[name][row] for _, name, _ in view.keys) for row in range(rows)
            ]
            found = self._found(view, list(dict.fromkeys(key for key in asked if None not in key)))
            for feature in view.features:
                columns[feature] = [found[key].get(feature) if key in found else None for key in asked]
        return columns

    def _found(self, view: _View, keys: Sequence[Key]) -> dict[Key, Mapping[str, Any]]:
        """Valid values by key."""
        now, found = self._clock(), dict[Key, Mapping[str, Any]]()
        for start in range(0, len(keys), AT_ONCE):
            part = keys[start : start + AT_ONCE]
            for key, (known, values) in zip(part, self._ask(view, part), strict=True):
                if known is not None and (view.ttl is None or now - known <= view.ttl):
                    found[key] = values
        return found

    def _ask(self, view: _View, keys: Sequence[Key]) -> list[Row]:
        from feast.type_map import feast_value_type_to_python_type

        entities = _entities(view, keys)
        try:
            answers = self._provider.online_read(self._store.config, view.view, entities, list(view.features))
        except Exception as error:  # whatever a store's client raises
            raise FeaturesUnavailable(
                f"The online store has no values of feature view {view.view.name}: {type(error).__name__}: {error}"
            ) from error
        return [
            (_utc(known), {name: feast_value_type_to_python_type(value) for name, value in (values or {}).items()})
            for known, values in answers
        ]


def _open(repository: Path) -> "FeatureStore":
    from seaway.features.repository import open_store, told

    import_feast()
    try:
        return open_store(repository)
    except SeawayError:
        raise
    except Exception as error:  # Feast reads any YAML, and imports what that names
        raise FeaturesUnavailable(f"Feast cannot open the repository {repository}: {told(error)}") from error


def _views(store: "FeatureStore", service: str) -> list[_View]:
    services = {one.name: one for one in store.list_feature_services()}
    if not service and len(services) == 1:
        service = next(iter(services))
    if service not in services:
        raise InvalidSpec(
            f"The repository has no feature service {service!r}, it has {sorted(services)}; name one of them, or apply "
            "the definitions that have it."
        )
    on_demand = {view.name for view in store.list_on_demand_feature_views()}
    projections = services[service].feature_view_projections
    if computed := sorted(on_demand & {projection.name for projection in projections}):
        raise InvalidSpec(
            f"Feature service {service} computes {', '.join(computed)} on demand, which is not done here: leave it out "
            "of the service, and send its features with the request."
        )
    return [_view(store, projection) for projection in projections]


def _view(store: "FeatureStore", projection: Any) -> _View:
    view = store.get_feature_view(projection.name)
    renamed = projection.join_key_map or {}
    keys = tuple((column.name, renamed.get(column.name, column.name), column.dtype.to_value_type())
                 for column in view.entity_columns)  # fmt: skip
    return _View(view, keys, tuple(feature.name for feature in projection.features), view.ttl or None)


def _entities(view: _View, keys: Sequence[Key]) -> list[Any]:
    try:
        return [_entity(view, key) for key in keys]
    except (TypeError, ValueError, AttributeError) as error:
        wanted = {name: kind.name for _, name, kind in view.keys}
        raise InvalidSpec(f"A key of feature view {view.view.name} is none of {wanted}: {error}.") from error


def _entity(view: _View, key: Key) -> Any:
    from feast.protos.feast.types.EntityKey_pb2 import EntityKey
    from feast.type_map import python_values_to_proto_values

    values = [
        python_values_to_proto_values([value], kind)[0] for value, (_, _, kind) in zip(key, view.keys, strict=True)
    ]
    return EntityKey(join_keys=[join for join, _, _ in view.keys], entity_values=values)


def _utc(time: datetime | None) -> datetime | None:
    """Some stores give times without a zone, which are UTC."""
    return time.replace(tzinfo=UTC) if time is not None and time.tzinfo is None else time

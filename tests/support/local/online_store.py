"""A Feast repository whose online store holds what a test wrote into it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Any

import pandas as pd
from feast import Entity, FeatureService, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.types import Array, Float32, Int64, String
from postgres import running
from seaway.model_server import own_packages

CLIENTS = Path(__file__).parents[1]
NOW = datetime.now(UTC).replace(microsecond=0)
WEATHER = 11
CONFIG = """\
project: small
provider: local
registry: registry.db
online_store: {online}
entity_key_serialization_version: 3
"""
SQLITE = "{type: sqlite, path: online.db}"
shop = Entity(name="shop", join_keys=["shop"], value_type=ValueType.STRING)
item = Entity(name="item", join_keys=["item"], value_type=ValueType.INT64)


def view(name: str, entities: list[Entity], fields: dict[str, Any], ttl: timedelta) -> FeatureView:
    source = FileSource(name=f"{name}_rows", path=f"{name}.parquet", timestamp_field="at")
    schema = [Field(name=field, dtype=kind) for field, kind in fields.items()]
    keys = [Field(name=one.join_key, dtype=String if one is shop else Int64) for one in entities]
    return FeatureView(name=name, entities=entities, schema=[*keys, *schema], source=source, ttl=ttl)


SITE = view("site", [shop], {"distance": Float32, "weather": Array(Float32)}, timedelta(days=2))
STOCK = view("stock", [shop, item], {"left": Int64, "shelf": String}, timedelta(0))
WORLD = view("world", [], {"rate": Float32}, timedelta(days=1))
VIEWS = (SITE, STOCK, WORLD)
SERVICES = (
    FeatureService(name="all", features=list(VIEWS)),
    FeatureService(name="site", features=[SITE]),
    FeatureService(name="sold_from", features=[SITE.with_join_key_map({"shop": "sold_from"}), STOCK[["left"]]]),
)
ROWS = {
    "site": pd.DataFrame(
        {
            "shop": ["a", "b", "old", "bare"],
            "distance": [100.0, 250.5, 7.0, None],
            "weather": [[0.1 * place for place in range(WEATHER)], [0.5] * WEATHER, [0.0] * WEATHER, None],
            "at": [NOW, NOW - timedelta(minutes=30), NOW - timedelta(days=3), NOW],
        }
    ),
    "stock": pd.DataFrame(
        {"shop": ["a", "a", "b"], "item": [1, 2, 1], "left": [3, 0, 8], "shelf": ["x", "y", "z"],
         "at": [NOW - timedelta(days=90)] * 3}
    ),
    "world": pd.DataFrame({"rate": [1.5], "at": [NOW]}),
}  # fmt: skip


def repository(folder: Path, online: str = SQLITE) -> Path:
    """`folder` with a feature store, applied and filled."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "feature_store.yaml").write_text(CONFIG.format(online=online))
    for name, rows in ROWS.items():
        rows.to_parquet(folder / f"{name}.parquet")
    store = FeatureStore(repo_path=str(folder))
    store.apply([shop, item, *VIEWS, *SERVICES])
    for name, rows in ROWS.items():
        keys = {"__dummy_id": ""} if name == "world" else {}
        store.write_to_online_store(name, rows.assign(**keys))
    return folder


@contextmanager
def redis(folder: Path, program: str) -> Iterator[str]:
    """A Redis of this test's own, on a Unix socket; gives Feast's configuration of it."""
    _bring("redis_client")
    socket = folder / "redis.sock"
    command = [program, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)]
    with Popen(command, stdout=DEVNULL) as server:
        try:
            while not socket.exists():
                assert server.poll() is None
            yield f"{{type: redis, connection_string: 'localhost:0,unix_socket_path={socket}'}}"
        finally:
            server.terminate()


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A PostgreSQL of this test's own, on a Unix socket in `folder`; gives Feast's configuration of it."""
    _bring("postgres_client")
    with running(folder):
        yield (
            f"{{type: postgres, host: {folder}, database: postgres, user: seaway, password: none, sslmode: disable}}"
        )


def _bring(client: str) -> None:
    """A store's client, installed once into the user's cache: which packages a pin brings depends on the Python."""
    listed = CLIENTS / client / "requirements.txt"
    path = own_packages.environment(listed, Path.home() / ".cache" / "seaway-tests")["PYTHONPATH"]
    sys.path.append(path.split(os.pathsep)[0])

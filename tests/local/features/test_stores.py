"""Registry and history in a real PostgreSQL and latest values in a real Redis: what files give, and no secret kept."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import online_store
import pandas as pd
import postgres
import pytest
import small_features
import yaml
from seaway.errors import FeaturesUnavailable, InvalidSpec
from seaway.features import OnlineFeatures, SplitSpec, build, training_examples
from seaway.features.stores import VARIABLE
from small_features import SHOPS, A

DEFINITIONS = "small_features:PROJECT"
REDIS = shutil.which("redis-server")
KEYS = {"shop": [*(f"s{shop}" for shop in range(SHOPS)), "nobody"]}
needs_servers = pytest.mark.skipif(
    postgres.BIN is None or REDIS is None, reason="no PostgreSQL or no redis-server on this machine"
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file that names both servers, the password by a variable."""
    file = tmp_path_factory.mktemp("settings") / "stores.yaml"
    with postgres.folder() as data, online_store.postgres(data) as configured, postgres.folder() as short:
        _keep_time_elsewhere(data)
        short.mkdir()
        with online_store.redis(short, str(REDIS)) as online:
            offline = yaml.safe_load(configured) | {"password": "${SEAWAY_TEST_SECRET}"}
            registry = {"registry_type": "sql", "path": f"postgresql+psycopg://seaway@/postgres?host={data}"}
            content = {"registry": registry, "offline_store": offline, "online_store": yaml.safe_load(online)}
            file.write_text(yaml.safe_dump(content))
            yield file


def _keep_time_elsewhere(server: Path) -> None:
    from adbc_driver_postgresql import dbapi

    address = f"postgresql://seaway@/postgres?host={server}"
    with dbapi.connect(address, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("ALTER DATABASE postgres SET timezone TO 'Asia/Tokyo'")


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("SEAWAY_TEST_SECRET", "hush")
    return lambda **changes: monkeypatch.setattr(
        small_features, "PROJECT", small_features.project(**changes), raising=False
    )


def made(folder: Path) -> pd.DataFrame:
    """The examples of the repository that is built in `folder`."""
    folder.mkdir(exist_ok=True)
    build(folder, DEFINITIONS, folder / "repository")
    files = {name: folder / f"{name}.parquet" for name in SplitSpec().fractions}
    training_examples(folder / "repository", folder, SplitSpec(), files)
    return pd.concat([pd.read_parquet(file) for file in files.values()], ignore_index=True)


def zone(settings: Path) -> str:
    """In which this process is told times by the server of history."""
    import psycopg

    offline = yaml.safe_load(settings.read_text())["offline_store"]
    with psycopg.connect(host=offline["host"], user=offline["user"], dbname=offline["database"]) as connection:
        return str(connection.execute("SHOW timezone").fetchone()[0])  # type: ignore[index]


@needs_servers
def test_servers_give_what_files_give(
    settings: Path, project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project()
    expected = made(tmp_path / "files")
    latest = OnlineFeatures(tmp_path / "files" / "repository", "").read(KEYS)
    monkeypatch.setenv(VARIABLE, str(settings))
    pd.testing.assert_frame_equal(made(tmp_path / "servers"), expected)
    assert OnlineFeatures(tmp_path / "servers" / "repository", "").read(KEYS) == latest
    left = {file.name for file in (tmp_path / "servers" / "repository").iterdir()}
    assert not left & {"registry.db", "online.db"}, "a store of files was made, too"
    assert "hush" not in (tmp_path / "servers" / "repository" / "feature_store.yaml").read_text()
    assert zone(settings) == "UTC", "times without a zone would be those of Tokyo"


@needs_servers
def test_the_last_build_is_what_servers_have(
    settings: Path, project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(settings))
    project()
    first = made(tmp_path / "one")["price"]
    project(a=A.assign(price=A["price"] + 1000))
    assert (made(tmp_path / "two")["price"] == first + 1000).all()


@needs_servers
def test_a_server_that_is_away_is_told(
    settings: Path, project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = yaml.safe_load(settings.read_text())
    for key, changed in (
        ("registry", {"registry_type": "sql", "path": f"postgresql+psycopg://seaway@/postgres?host={tmp_path}"}),
        ("offline_store", content["offline_store"] | {"host": str(tmp_path)}),
        ("online_store", {"type": "redis", "connection_string": f"localhost:0,unix_socket_path={tmp_path}/none"}),
    ):
        (tmp_path / "away.yaml").write_text(yaml.safe_dump(content | {key: changed}))
        monkeypatch.setenv(VARIABLE, str(tmp_path / "away.yaml"))
        project()
        with pytest.raises(FeaturesUnavailable):
            build(tmp_path, DEFINITIONS, tmp_path / "repository")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("registry: [", "no YAML"),
        ("store: redis", "no others"),
        ("offline_store: {type: bigquery}", "bigquery"),
        ("offline_store: {type: postgres, password: hush}", r"offline_store\.password"),
        ("registry: {registry_type: sql, path: 'postgresql+psycopg://me:hush@db/feast'}", r"registry\.path"),
        ("online_store: {type: redis, connection_string: 'redis:6379,password=hush'}", "connection_string"),
    ],
)
def test_settings_that_cannot_be_taken_are_told(
    project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, told: str
) -> None:
    project()
    (tmp_path / "stores.yaml").write_text(content)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "stores.yaml"))
    with pytest.raises(InvalidSpec, match=told) as raised:
        build(tmp_path, DEFINITIONS, tmp_path / "repository")
    assert "hush" not in str(raised.value)
    assert os.environ[VARIABLE] in str(raised.value)

"""Features out of a real PostgreSQL: one that hangs costs the deadline, and one that was away is asked again."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import online_store
import postgres
import pytest
from seaway.errors import FeaturesUnavailable
from seaway.features import OnlineFeatures
from seaway.model_server.transformer.lookup import FOUND, MISSING, REFUSE, Lookup, Patience

pytestmark = pytest.mark.skipif(postgres.BIN is None, reason="no PostgreSQL on this machine")
KEYS = {"shop": ["a", "nobody"]}
DISTANCES = [100.0, None]


@pytest.fixture(scope="module")
def server() -> Iterator[Path]:
    """The folder of a PostgreSQL that holds the features, with the repository beside it."""
    with postgres.folder() as folder, online_store.postgres(folder) as configuration:
        online_store.repository(folder.with_name("store"), configuration)
        yield folder


def lookup(server: Path, fallback: str, deadline_s: float = 60.0) -> Lookup:
    repository = server.with_name("store")
    return Lookup(lambda: OnlineFeatures(repository, "site"), Patience(deadline_s, fallback), threads=1)


def test_a_server_that_hangs_costs_the_deadline_and_is_asked_again(server: Path) -> None:
    warm, hurried = lookup(server, REFUSE), lookup(server, MISSING, 0.2)

    async def ask() -> None:
        assert (await warm(KEYS))[1]["distance"] == DISTANCES
        while (await hurried(KEYS))[0] != FOUND:
            pass  # its first question opens the store
        paused = postgres.processes(server)
        try:
            for one in paused:
                one.suspend()
            how, values = await hurried(KEYS)
            assert (how, values["distance"]) == (MISSING, [None, None])
        finally:
            for one in paused:
                one.resume()
        while (found := await hurried(KEYS))[0] != FOUND:
            pass
        assert found[1]["distance"] == DISTANCES

    asyncio.run(ask())


def test_a_server_that_was_started_anew_is_asked_by_a_new_connection(server: Path) -> None:
    asked = lookup(server, REFUSE)

    async def ask() -> None:
        assert (await asked(KEYS))[1]["distance"] == DISTANCES
        with postgres.stopped(server), pytest.raises(FeaturesUnavailable, match="feature view site"):
            await asked(KEYS)
        assert (await asked(KEYS))[1]["distance"] == DISTANCES
        with postgres.stopped(server):
            pass
        assert (await asked(KEYS))[1]["distance"] == DISTANCES, "a connection that is lost is kept"

    asyncio.run(ask())

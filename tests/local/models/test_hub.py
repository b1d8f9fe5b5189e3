"""Model versions in Kubeflow's model registry: the real one where it is on PATH, and what it was seen to answer."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from seaway import models, platforms
from seaway.errors import InvalidSpec, PackageRefused, ProductionChanged, RegistryUnavailable
from seaway.models.comparison import model_hash
from seaway.models.package import content_sha256
from seaway.platforms.home import home
from seaway.platforms.hub import server
from seaway.platforms.hub.registry import HubRegistry
from seaway.platforms.hub.server import HubServer

from fake_hub import FakeHub, fake_hub  # isort: skip
from hub_server import hub  # isort: skip
from small_package import small_package  # isort: skip


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two models, and a state folder for the module."""
    folder = tmp_path_factory.mktemp("packages")
    return [small_package(folder / str(seed), folder / "home", seed=seed) for seed in (1, 2)]


@pytest.fixture(scope="module", params=["real", "played"])
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "played":
        with fake_hub() as played:
            yield played.url
    else:
        with hub(tmp_path_factory.mktemp("hub")) as real:
            yield real


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, packages: list[Path]) -> None:
    monkeypatch.setenv("SEAWAY_HOME", str(packages[0].parents[1] / "home"))
    for name in ("MLFLOW_TRACKING_URI", "SEAWAY_STORAGE", "SEAWAY_HUB_TOKEN_FILE", "SEAWAY_HUB_PAGES"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def registry(address: str, monkeypatch: pytest.MonkeyPatch) -> HubRegistry:
    monkeypatch.setenv("SEAWAY_HUB_URI", address)
    return HubRegistry()


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with fake_hub() as one:
        monkeypatch.setenv("SEAWAY_HUB_URI", one.url)
        yield one


def test_the_setting_names_it(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWAY_MODEL_REGISTRY", "hub")
    monkeypatch.setenv("SEAWAY_HUB_URI", address)
    assert isinstance(platforms.current(models.ModelRegistry), HubRegistry)


def test_a_model_goes_into_production_and_another_replaces_it(registry: HubRegistry, packages: list[Path]) -> None:
    run = registry.log_training("m", {}, {"auc": 0.7}, [], model_hash(packages[0]))
    assert registry.production("m") is None
    assert registry.versions("m") == []
    first = models.production_or_first(registry, "m", packages[0])
    assert registry.register("m", packages[0]) == first.version == "1"
    assert models.verify(first.package, models.verifying_key(home() / "keys")).lineage.seed == 1
    assert registry.register("m", packages[1]) == "2"
    registry.promote("m", "2", over=content_sha256(packages[0])[:12])
    with pytest.raises(ProductionChanged, match="m version 2 is in production"):
        registry.promote("m", "1", over=content_sha256(packages[0])[:12])
    current = registry.production("m")
    assert current is not None
    assert (current.version, models.Lineage.read(current.package).seed) == ("2", 2)
    told = registry.versions("m")
    assert [(one.version, one.production, one.run_id) for one in told] == [("2", True, ""), ("1", False, run)]
    assert told[1].tags["seed"] == "1"


@pytest.mark.parametrize("name", ["O'Brien's", 'say "hi"', "50 % off", "größe 日本", "a#b?c", "a&name=b"])
def test_a_model_may_have_an_odd_name(registry: HubRegistry, packages: list[Path], name: str) -> None:
    assert registry.register(name, packages[0]) == registry.register(name, packages[0]) == "1"
    registry.promote(name, "1")
    current = registry.production(name)
    assert current is not None
    assert (current.name, current.version) == (name, "1")


def test_more_versions_than_a_page_has_are_all_told(
    registry: HubRegistry, packages: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "PAGE", 1)
    assert [registry.register("pages", package) for package in packages] == ["1", "2"]
    assert [one.version for one in registry.versions("pages")] == ["2", "1"]


def test_what_a_rollout_stated_is_beside_the_version(
    registry: HubRegistry, packages: list[Path], tmp_path: Path
) -> None:
    version = models.production_or_first(registry, "stated", packages[0]).version
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "statement.json").write_text("{}")
    for _ in range(2):
        registry.log_evidence("stated", version, tmp_path / "evidence")
    found = registry.production("stated")
    assert found is not None
    stated = Path(f"{found.package}.rollout")
    assert [file.name for file in stated.iterdir()] == ["statement.json"]
    kept = HubServer.named()
    model = kept.model("stated")
    assert model is not None
    artifacts = list(kept.artifacts(next(kept.versions(model["id"]))["id"]))
    assert sorted(one["artifactType"] for one in artifacts) == ["doc-artifact", "model-artifact"]


def test_the_number_that_another_took_meanwhile_is_left_to_it(
    registry: HubRegistry, packages: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    late = HubRegistry()
    read, seen = HubServer.versions, []

    def stale(self: HubServer, model: str) -> Any:
        found = list(read(self, model))
        if self is late._hub and len(seen) < 2:  # looks for its package, then for the highest number
            seen.append(found)
            if len(seen) == 2:
                registry._hub.make(f"registered_models/{model}/versions", name="1", registeredModelId=model)
        return iter(found)

    monkeypatch.setattr(HubServer, "versions", stale)
    assert late.register("taken", packages[0]) == "2"


def test_promoting_what_was_never_registered_says_so(registry: HubRegistry, packages: list[Path]) -> None:
    with pytest.raises(RegistryUnavailable, match="has no nobody"):
        registry.promote("nobody", "1")
    registry.register("somebody", packages[0])
    with pytest.raises(RegistryUnavailable, match="has no somebody version 7"):
        registry.promote("somebody", "7")


def test_a_version_that_somebody_else_made_is_named(registry: HubRegistry) -> None:
    model = registry._hub.make("registered_models", name="foreign")
    registry._hub.make(f"registered_models/{model['id']}/versions", name="v1", registeredModelId=model["id"])
    registry.promote("foreign", "v1")
    with pytest.raises(RegistryUnavailable, match="Version v1 of foreign has no package"):
        registry.production("foreign")


def test_a_page_is_told_where_somebody_can_open_it(
    registry: HubRegistry, packages: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    version = registry.register("page", packages[0])
    assert registry.version_page("page", version) == ""
    monkeypatch.setenv("SEAWAY_HUB_PAGES", "https://kubeflow/model-registry/ours/")
    assert registry.version_page("page", version).startswith("https://kubeflow/model-registry/ours/registered-models/")


def test_a_package_changed_in_the_storage_does_not_come_out_of_it(registry: HubRegistry, packages: list[Path]) -> None:
    kept = models.production_or_first(registry, "changed", packages[0]).package
    shutil.rmtree(kept)
    for file in (home() / "registry" / "changed").rglob("lineage.json"):
        file.write_text(file.read_text().replace('"seed": 1', '"seed": 9'))
    with pytest.raises(PackageRefused):
        registry.production("changed")


def test_a_registration_that_was_cut_off_is_taken_up(played: FakeHub, packages: list[Path]) -> None:
    played.refused["POST .*/artifacts"] = 500
    with pytest.raises(RegistryUnavailable, match=r"answered 500 .* told to refuse"):
        HubRegistry().register("cut", packages[0])
    assert HubRegistry().register("cut", packages[0]) == "1"
    HubRegistry().promote("cut", "1")
    assert HubRegistry().production("cut") is not None


def test_a_server_that_is_busy_for_a_moment_is_asked_again(played: FakeHub, packages: list[Path]) -> None:
    played.refused["GET .*registered_model[?]"] = 503
    assert HubRegistry().register("busy", packages[0]) == "1"


def test_the_token_is_shown_and_its_lack_told(
    played: FakeHub, packages: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played.token = "secret"  # noqa: S105
    with pytest.raises(RegistryUnavailable, match="answered 401") as refused:
        HubRegistry().register("token", packages[0])
    assert "SEAWAY_HUB_TOKEN_FILE" in str(refused.value)
    (tmp_path / "token").write_text("secret\n")
    monkeypatch.setenv("SEAWAY_HUB_TOKEN_FILE", str(tmp_path / "token"))
    assert HubRegistry().register("token", packages[0]) == "1"
    monkeypatch.setenv("SEAWAY_HUB_TOKEN_FILE", str(tmp_path / "none"))
    with pytest.raises(InvalidSpec, match="cannot be read"):
        HubRegistry()


@pytest.mark.parametrize(
    ("url", "told"),
    [("http://127.0.0.1:9", "does not answer"), ("no address", "does not answer"), ("", "Set SEAWAY_HUB_URI")],
)
def test_a_server_that_is_not_there_is_told(url: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWAY_HUB_URI", url)
    with pytest.raises((RegistryUnavailable, InvalidSpec), match=told):
        HubRegistry().versions("m")


def test_another_server_is_told_from_a_registry(played: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWAY_HUB_URI", f"{played.url}/elsewhere")
    with pytest.raises(RegistryUnavailable, match="has no API of Kubeflow's model registry"):
        HubRegistry().versions("m")

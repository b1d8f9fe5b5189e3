"""Objects of a namespace: what is written over, deleted and listed is what was read."""

from typing import Any

import pytest
from api_proxy import ApiProxy
from seaway.errors import AdmissionRefused, InvalidSpec, ObjectChanged, ObjectDeleted
from seaway.platforms.kubernetes.client import objects as module
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import CONFIG_MAPS, Resource

BOATS = Resource("example.com", "v1", "boats", "Boat")


@pytest.fixture
def objects(connection: Connection) -> Objects:
    return Objects(connection)


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def test_a_patch_is_of_the_object_that_was_read(objects: Objects) -> None:
    read = objects.create(CONFIG_MAPS, config_map("mine", step="1"))
    now = objects.patch(CONFIG_MAPS, read, [{"op": "replace", "path": "/data/step", "value": "2"}])
    with pytest.raises(ObjectChanged, match="show-managed-fields"):
        objects.patch(CONFIG_MAPS, read, [{"op": "replace", "path": "/data/step", "value": "3"}])
    assert objects.get(CONFIG_MAPS, "mine") == now


def test_a_patch_that_the_server_does_not_take_is_told_as_wrong_not_as_late(objects: Objects) -> None:
    read = objects.create(CONFIG_MAPS, config_map("mine", step="1"))
    with pytest.raises(InvalidSpec, match="kubectl explain configmaps"):
        objects.patch(CONFIG_MAPS, read, [{"op": "replace", "path": "/data/step", "value": {"not": "text"}}])


def test_a_patch_of_what_is_gone_says_so(objects: Objects) -> None:
    read = objects.create(CONFIG_MAPS, config_map("mine"))
    objects.connection.request("DELETE", CONFIG_MAPS.path(objects.namespace, "mine"), {})
    with pytest.raises(ObjectDeleted, match="any more"):
        objects.patch(CONFIG_MAPS, read, [{"op": "add", "path": "/data", "value": {}}])


def test_what_has_taken_the_place_of_an_object_is_not_deleted_for_it(objects: Objects) -> None:
    before = objects.create(CONFIG_MAPS, config_map("mine"))
    objects.connection.request("DELETE", CONFIG_MAPS.path(objects.namespace, "mine"), {})
    after = objects.create(CONFIG_MAPS, config_map("mine"))
    objects.delete(CONFIG_MAPS, "mine", before["metadata"]["uid"])
    assert objects.get(CONFIG_MAPS, "mine") == after
    objects.delete(CONFIG_MAPS, "nobody's")


def test_a_list_of_several_pages_is_whole(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    for number in range(5):
        objects.create(CONFIG_MAPS, config_map(f"map-{number}"))
    listed = objects.list(CONFIG_MAPS)
    assert [item["metadata"]["name"] for item in listed.items if "map-" in item["metadata"]["name"]] == [
        f"map-{number}" for number in range(5)
    ]


def test_a_dry_run_leaves_nothing(objects: Objects) -> None:
    assert objects.create(CONFIG_MAPS, config_map("mine"), dry_run=True)["metadata"]["name"] == "mine"
    assert objects.get(CONFIG_MAPS, "mine") is None


def test_a_server_that_hangs_up_on_a_write_whose_time_is_over_has_an_operator_that_is_down(
    proxied: Connection, proxy: ApiProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WRITE_S", 0)
    monkeypatch.setattr(module, "WEBHOOK_S", 0.5)
    proxy.inject(lambda request: request.method == "PATCH", lose_answer=True, times=1000)
    manifest = {"apiVersion": BOATS.api_version, "kind": BOATS.kind, "metadata": {"name": "boat"}}
    with pytest.raises(AdmissionRefused, match=r"operator of boats\.example\.com is probably down"):
        Objects(proxied).apply(BOATS, manifest)

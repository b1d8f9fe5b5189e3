"""`seaway backends`: what can carry out each port."""

from typing import Any

from seaway import platforms, registry
from seaway.cli.output import print_json, print_table
from seaway.registry import Backend, Port


def show_backends(as_json: bool) -> None:
    """Print the registry, and which backend `auto` takes at this place, or among which it asks the cluster."""
    found = [_of(port, one) for port in registry.PORTS.values() for one in registry.backends(port.name).values()]
    if as_json:
        print_json(found)
        return
    print_table(("port", "backend", "where", "taken", "what it must do"), [_row(one) for one in found])


def _of(port: Port, backend: Backend) -> dict[str, Any]:
    asked = port.by_setting and backend in platforms.choices(port.name)
    taken = not port.by_setting or (not asked and platforms.chosen(port.name) == backend.name)
    ours = {"port": port.option, "backend": backend.name, "place": backend.place, "does": port.does}
    return {**ours, "taken": taken, "asked": asked}


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    mark = "asked" if one["asked"] else "*" if one["taken"] else ""
    return one["port"], one["backend"], one["place"], mark, one["does"]

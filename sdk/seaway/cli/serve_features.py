"""`seaway serve-features`: an endpoint's requests by entity keys, its features looked up online."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from seaway.cli.predict import newest
from seaway.errors import InvalidSpec
from seaway.storage import read_text


def serve_features(
    name: str, repository: Path, service: str, deadline_ms: float, fallback: str, at: str, port: int,
    where: tuple[str | None, str | None, Path | None], address: str,
) -> None:  # fmt: skip
    """Serve until Ctrl-C or SIGTERM; `where` is the endpoint's run, its URL, and the file of its token.

    Raises:
        InvalidSpec: a setting, the service or the time cannot be.
        FeaturesUnavailable: Feast cannot open the repository.
        EndpointFailed: there is no such endpoint.
        PortTaken: the port is in use.
    """
    from seaway.features import OnlineFeatures
    from seaway.model_server.transformer.lookup import Patience
    from seaway.model_server.transformer.program import serve

    patience = Patience(deadline_ms / 1000, fallback)
    clock = _clock(at)
    upstream = _upstream(name, *where)
    serve(upstream, lambda: OnlineFeatures(repository, service, clock), patience, port, address, _tell(name))


def _upstream(name: str, run: str | None, url: str | None, token: Path | None) -> Any:
    from seaway.model_server.transformer.application import Upstream

    if url and token:
        return Upstream(url.rstrip("/"), name, _read(token))
    endpoint = newest(name, run)
    return Upstream((url or endpoint.url).rstrip("/"), name, endpoint.tokens, endpoint.host)


def _read(token: Path) -> Callable[[], Sequence[str]]:
    return lambda: [read_text(token).strip()]


def _clock(at: str) -> Callable[[], datetime]:
    """Raises: InvalidSpec."""
    if not at:
        return lambda: datetime.now(UTC)
    try:
        time = datetime.fromisoformat(at)
    except ValueError as error:
        raise InvalidSpec(f"{at!r} is no time: {error}. Write 2026-01-31T12:00:00+00:00.") from error
    fixed = time if time.tzinfo else time.replace(tzinfo=UTC)
    return lambda: fixed


def _tell(name: str) -> Callable[[str, Any], None]:
    def tell(url: str, form: Any) -> None:
        typer.echo(
            f"{name} takes {', '.join(form.keys)} at {url}, and looks up {len(form.looked_up)} inputs. Ctrl-C ends."
        )

    return tell

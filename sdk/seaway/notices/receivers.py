"""Who is told: an address of one line, `slack://...`, `mailto://...`, `json://...` or `alertmanager://HOST:PORT`."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

import apprise
import requests

from seaway.errors import InvalidSpec, NoticeFailed
from seaway.notices.notice import Notice

ALERTMANAGER = {"alertmanager": "http", "alertmanagers": "https"}
TIMEOUT_S = 30.0


def parsed(text: str) -> list[str]:
    """The addresses of a text, one a line; lines that are empty or begin with `#` are left out."""
    lines = (line.strip() for line in text.splitlines())
    return list(dict.fromkeys(line for line in lines if line and not line.startswith("#")))


def named(address: str) -> str:
    """The address without its keys, for people."""
    if urlsplit(address).scheme in ALERTMANAGER:
        return re.sub(r"//[^/@]*@", "//***@", address.partition("?")[0])
    known = apprise.Apprise.instantiate(address, suppress_exceptions=True)
    return str(known.url(privacy=True)).partition("?")[0] if known else f"{address.partition(':')[0]}://***"  # type: ignore[no-untyped-call]


def deliverer(address: str) -> Callable[[Notice], None]:
    """What sends a notice there.

    Raises:
        InvalidSpec: it is no address that a notice can be sent to; the message has none of its keys.
    """
    if urlsplit(address).scheme in ALERTMANAGER:
        return lambda notice: _alert(address, notice)
    receiver = apprise.Apprise(asset=apprise.AppriseAsset(app_id="Seaway", app_desc="Seaway"))
    if not receiver.add(address):
        raise InvalidSpec(
            f"{named(address)} is no address of a receiver. Write one a line, as apprise has them: "
            "slack://TOKEN/#channel, mailtos://USER:PASSWORD@HOST?to=ADDRESS, jsons://HOST/path, or alertmanager://HOST:PORT."
        )
    return lambda notice: _notify(receiver, named(address), notice)


def _notify(receiver: apprise.Apprise, name: str, notice: Notice) -> None:
    kind = apprise.NotifyType.FAILURE if notice.failed else apprise.NotifyType.SUCCESS
    taken = receiver.notify(
        title=notice.title, body=notice.body, notify_type=kind, body_format=apprise.NotifyFormat.MARKDOWN
    )
    if not taken:
        raise NoticeFailed(f"{name} did not take the notice of run {notice.run}; its own words are in the log above.")


def _alert(address: str, notice: Notice) -> None:
    """One alert by Alertmanager's API, version 2. It fires until Alertmanager's `resolve_timeout`."""
    place = urlsplit(address)
    url = place._replace(scheme=ALERTMANAGER[place.scheme], path=f"{place.path.rstrip('/')}/api/v2/alerts").geturl()
    alert = {
        "labels": {
            "alertname": "SeawayRunFailed" if notice.failed else "SeawayRunEnded",
            "severity": "warning" if notice.failed else "info",
            "run": notice.run,
        },
        "annotations": {"summary": notice.title, "description": notice.body},
        "startsAt": datetime.now(UTC).isoformat(),
    }
    try:
        answer = requests.post(url, json=[alert], timeout=TIMEOUT_S)
    except requests.RequestException as error:
        raise NoticeFailed(f"{named(address)} cannot be reached ({type(error).__name__}).") from error
    if not answer.ok:
        raise NoticeFailed(f"{named(address)} did not take the alert of run {notice.run}: status {answer.status_code}.")

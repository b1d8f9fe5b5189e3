"""Telling each receiver once, whatever is tried again."""

import hashlib
import logging
from collections.abc import Sequence

from seaway.errors import NoticeFailed, SeawayError
from seaway.notices.notice import Notice
from seaway.notices.receivers import deliverer, named
from seaway.reporting.evidence import keep, kept_file

TOLD = "notices"  # of the files in the run's folder
log = logging.getLogger(__name__)


def tell(notice: Notice, receivers: Sequence[str], folder: str, kept_as: str = TOLD) -> int:
    """Send a notice to those who have not had it, and return how many have.

    Args:
        receivers: their addresses, see `receivers`; all are tried.
        folder: URI of the run's own folder, in which stands who was told. Where that cannot be read or written the
            notice is sent all the same, for it may tell of just that; a step that is tried again tells again.
        kept_as: what that is called there, where a run tells of more than its end.

    Raises:
        InvalidSpec: an address is none; nobody was told.
        NoticeFailed: some did not take it; they are named, without their keys.
    """
    if not receivers:
        log.warning("Nobody is told: SEAWAY_NOTIFY, or the Secret seaway-notices in a pod, names no receiver.")
    delivering = {_key(address): (named(address), deliverer(address)) for address in receivers}
    told, refused = _told(folder, kept_as), []
    for key, (name, deliver) in delivering.items():
        if key in told:
            log.info("%s was told before", name)
            continue
        try:
            deliver(notice)
        except NoticeFailed as error:
            refused.append(str(error))
            continue
        log.info("%s was told", name)
        told.add(key)
        keep(folder, kept_as, {"receivers": sorted(told)})
    if refused:
        raise NoticeFailed(" ".join(refused))
    return len(told & delivering.keys())


def _told(folder: str, kept_as: str) -> set[str]:
    try:
        return set(kept_file(folder, kept_as).get("receivers", ()))
    except SeawayError as error:
        log.warning("Who was told before is not known: %s", error)
        return set()


def _key(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()

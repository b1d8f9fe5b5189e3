from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from seaway.platforms.kubernetes.client.backoff import LONGEST_S, Backoff
from seaway.platforms.kubernetes.client.objects import lines
from seaway.platforms.kubernetes.jobs.pod_logs import Cursor, Seen

START = datetime(2026, 1, 1, tzinfo=UTC)
Log = list[tuple[str, datetime]]


class Chunks:
    """An answer that arrives in these pieces."""

    def __init__(self, chunks: list[bytes]) -> None:
        self.chunks = chunks

    def stream(self, amt: int | None, decode_content: bool) -> list[bytes]:
        return self.chunks


@given(st.lists(st.binary(max_size=8)))
def test_lines_are_whole_however_they_are_cut(chunks: list[bytes]) -> None:
    text = b"".join(chunks)
    whole = text.split(b"\n")
    assert list(lines(Chunks(chunks))) == (whole[:-1] if whole[-1] == b"" else whole)


@st.composite
def written_logs(draw: st.DrawFn) -> Log:
    """Lines in the order of the file; those of two streams may be at the same time, or half a second out of order."""
    steps = draw(st.lists(st.tuples(st.integers(0, 900), st.integers(0, 500)), min_size=1, max_size=60))
    zone = timezone(timedelta(hours=draw(st.integers(-2, 2))))
    newest, log = START, []
    for step, behind in steps:
        newest += timedelta(milliseconds=step)
        stamp = (newest - timedelta(milliseconds=behind)).astimezone(zone).isoformat(timespec="microseconds")
        log.append((stamp, datetime.fromisoformat(stamp)))
    return log


@given(written_logs(), st.lists(st.integers(0, 60), max_size=6))
def test_a_resumed_log_has_every_line_once(log: Log, breaks: list[int]) -> None:
    """The server filters by whole seconds, line by line, as the kubelet does."""
    cursor, told = Cursor(), list[int]()
    for until in [*sorted(breaks), len(log)]:
        repeated, query = cursor.resume(), cursor.query()
        since = datetime.fromisoformat(query["sinceTime"]) if query else START - timedelta(days=1)
        offered = [(i, stamp) for i, (stamp, at) in enumerate(log[:until]) if at >= since]
        told += [i for i, stamp in offered if cursor.is_new(stamp, repeated)]
    assert sorted(told) == list(range(len(log)))


def test_a_restart_is_seen_with_the_instance_before_it() -> None:
    status = {
        "containerID": "containerd://b",
        "state": {"running": {}},
        "lastState": {"terminated": {"containerID": "containerd://a"}},
    }
    assert Seen.of(status) == Seen("containerd://b", ended=False, before="containerd://a")


def test_a_container_between_two_lives_has_none_before_it() -> None:
    status = {
        "containerID": "containerd://a",
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"containerID": "containerd://a"}},
    }
    assert Seen.of(status) == Seen("containerd://a", ended=True, before="")


@given(st.integers(0, 5000))
def test_pauses_are_bounded(failures: int) -> None:
    assert 0 <= Backoff(60, failures=failures).pause_s() <= LONGEST_S


def test_patience_ends_only_when_failures_go_on() -> None:
    backoff = Backoff(limit_s=0)
    assert not backoff.failed()
    assert Backoff(limit_s=60).failed()

"""Real held-out examples, sent in time order as requests; labels become known only when their time has come."""

import heapq
import logging
import math
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seaway.errors import DataUnreadable, InvalidSpec
from seaway.features.project import EVENT_TIME, LABEL_TIME
from seaway.rollout.requests import Answers
from seaway.rollout.yardstick import Yardstick
from seaway.serving import ARMS, Client, DeployedEndpoint, InferenceRefused, InferenceUnavailable
from seaway.serving.feature_log import row_id

log = logging.getLogger(__name__)

Times = np.ndarray[Any, np.dtype[np.int64]]
NANOSECONDS = 1e9  # of a second
GIVE_UP_S = 40.0  # longer than a proxy waits for its server (30 s), so that its error says whose the request was


@dataclass(frozen=True)
class Answer:
    """One request's outcome; `loss` is None where the arm failed, NaN where its answer is none that can be used.

    Not `answered`: the connection was cut or nothing came in time; `arm` is empty where the weights chose it.
    """

    arm: str
    latency_s: float
    loss: float | None
    answered: bool = True


@dataclass(frozen=True, order=True)
class Pending:
    """A request whose label is not yet known: when it will be (ns), and each arm's loss by it."""

    due: int
    number: int
    losses: tuple[tuple[str, float], ...]


class Replay(AbstractContextManager["Replay"]):
    """Sends a Parquet file's rows through an endpoint by a pool of kept-alive connections.

    The clock is the event time of the row sent last. `shadow` is the share of rows asked of both arms, so that their
    losses are compared on the same request. Rows without times are sent as they are, their labels known at once.

    Args:
        examples: rows in any order with the label and the model's inputs, and perhaps `event_timestamp` and
            `label_timestamp`.
        endpoint: a deployed one with two arms.
        yardstick: what says how far an answer is from the truth; None where answers are only to be usable.
        shadow: share in [0, 1].
        connections: requests in flight at a time.
        timeout_s: seconds after which an answer is of no use: it counts as an error of its arm.
        give_up_s: seconds after which no answer is waited for any more.
        keys: columns whose values make a request's id, which names its row where served features are logged.
        speed: how much faster than its rows' times a pass is sent; 0 sends them as fast as they are answered.
        passes: how often the rows are sent. Few rows can show that a model fails or is slow by being sent again; how
            well it predicts them they show once, so only the first pass has losses.

    Raises:
        DataUnreadable: the file is missing, empty, or lacks a column, or a label that the judge could not use.
        InvalidSpec: an argument is out of range.
    """

    def __init__(
        self,
        examples: Path,
        endpoint: DeployedEndpoint,
        yardstick: Yardstick | None = None,
        shadow: float = 0.3,
        connections: int = 16,
        timeout_s: float = 10.0,
        give_up_s: float = GIVE_UP_S,
        keys: Sequence[str] = (),
        passes: int = 1,
        speed: float = 0.0,
    ) -> None:
        if speed < 0:
            raise InvalidSpec(f"speed is {speed}; give 1 for the recorded times, 60 for a minute in each second.")
        if passes < 1:
            raise InvalidSpec(f"passes is {passes}; the rows are sent at least once.")
        if not 0 <= shadow <= 1 or connections < 1 or not 0 < timeout_s <= give_up_s:
            raise InvalidSpec(
                f"Replay needs 0 <= shadow <= 1, connections >= 1, 0 < timeout_s <= give_up_s; got {shadow}, "
                f"{connections}, {timeout_s}, {give_up_s}."
            )
        self._endpoint, self._shadow, self._timeout_s, self._give_up_s = endpoint, shadow, timeout_s, give_up_s
        self._keys, self._passes = list(keys), passes
        self._rows = in_time(_read(examples, keys))
        self._events, self._due = times(self._rows)
        self._speed, self._begun = speed, (-1, 0.0)
        self._judged = yardstick is not None
        self._loss = yardstick.losses(self._rows, str(examples)) if yardstick else _no_loss
        self._next, self._pending = 0, list[Pending]()
        self._pool = ThreadPoolExecutor(connections, thread_name_prefix="replay")
        self._local = threading.local()
        self._clients: list[Client] = []

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        for client in self._clients:
            client.close()

    def send(self, count: int, control: float = 0.0) -> Answers:
        """Send the next rows; see `Requests`."""
        shadow = max(self._shadow, control)
        numbers = self._numbers(count)
        wanted = list({**self._inputs, **dict.fromkeys(self._keys)})
        columns = self._rows.slice(numbers.start % self._rows.num_rows, len(numbers)).select(wanted).to_pydict()
        rows = [{name: columns[name][index] for name in columns} for index in range(len(numbers))]
        answers = Answers(sent=len(numbers), routed=dict.fromkeys(ARMS, 0))
        self._begin(numbers)
        asked = self._pool.map(self._ask, numbers, rows, [shadow] * len(rows))
        for number, outcomes in zip(numbers, asked, strict=True):
            self._note(number, outcomes, answers)
        self._next = numbers.stop
        self._settle(answers)
        return answers

    def _begin(self, numbers: range) -> None:
        """The clock of a pass starts with the first row that is sent of it."""
        current = numbers.start // self._rows.num_rows
        if numbers and self._begun[0] != current:
            first = self._events[numbers.start % self._rows.num_rows]
            self._begun = current, time.monotonic() - (self._since_first(first) if self._speed else 0.0)

    def _since_first(self, event: np.int64) -> float:
        """Seconds from the start of a pass to a row of that time."""
        return float(event - self._events[0]) / NANOSECONDS / self._speed

    def _wait(self, number: int) -> None:
        """Until the row's time has come."""
        if self._speed:
            due = self._begun[1] + self._since_first(self._events[number % self._rows.num_rows])
            time.sleep(max(due - time.monotonic(), 0.0))

    def _numbers(self, count: int) -> range:
        """The next requests, all of one pass."""
        rows = self._rows.num_rows
        begun = self._next // rows
        return range(self._next, min(self._next + count, (begun + 1) * rows, self._passes * rows))

    def position(self) -> Any:
        pending = [[one.due, one.number, [list(pair) for pair in one.losses]] for one in self._pending]
        return {"next": self._next, "pending": pending}

    def resume(self, position: Any) -> None:
        self._next = position["next"]
        self._pending = [
            Pending(due, number, tuple((arm, value) for arm, value in losses))
            for due, number, losses in position["pending"]
        ]

    @cached_property
    def _inputs(self) -> Mapping[str, Sequence[int]]:
        """Shape of one row of each model input, by name."""
        metadata = self._client().metadata(self._endpoint.name)
        shapes = {spec["name"]: [1, *spec["shape"][1:]] for spec in metadata["inputs"]}
        _require(self._rows, shapes, "the replayed examples")
        return shapes

    def _client(self) -> Client:
        if not hasattr(self._local, "client"):
            self._local.client = Client(
                self._endpoint.url, self._endpoint.token(), self._give_up_s, self._endpoint.host
            )
            self._clients.append(self._local.client)
        client: Client = self._local.client
        return client

    def _ask(self, number: int, row: Mapping[str, Any], shadow: float) -> list[Answer]:
        """One answer by the weights, or one of each arm for a row in the shadow sample."""
        inputs = {name: np.array([row[name]], object).reshape(shape) for name, shape in self._inputs.items()}
        name = row_id([row[key] for key in self._keys])
        request = self._client().request(self._endpoint.name, inputs, name)
        shadowed = math.floor((number + 1) * shadow) > math.floor(number * shadow)
        arms = (ARMS if number % 2 else ARMS[::-1]) if shadowed else (None,)
        self._wait(number)
        return [self._infer(number, request, arm) for arm in arms]

    def _infer(self, number: int, request: bytes, arm: str | None) -> Answer:
        client = self._client()
        client.arm = client.version = ""
        begun = time.perf_counter()
        try:
            outputs = client.answer(self._endpoint.name, request, arm)
        except (InferenceUnavailable, InferenceRefused) as error:
            log.debug("a replayed request failed: %s", error)
            refused = isinstance(error, InferenceRefused)
            answered = refused or bool(client.arm or client.version)
            latency_s = time.perf_counter() - begun
            return Answer(self._arm(client) or arm or "", latency_s, math.nan if refused else None, answered)
        latency_s = time.perf_counter() - begun
        answered_by = self._arm(client) or arm or ""
        in_time_s = latency_s <= self._timeout_s and answered_by in ARMS
        return Answer(
            answered_by,
            latency_s,
            self._loss(answered_by, number % self._rows.num_rows, outputs) if in_time_s else math.nan,
        )

    def _arm(self, client: Client) -> str:
        """The arm that answered, as the route says, or by the model's version: somebody else's route may name no arm,
        and may not heed the arm that was asked for."""
        versions = {arm.version: name for name, arm in self._endpoint.arms.items()}
        return client.arm or versions.get(client.version, "")

    def _note(self, number: int, outcomes: Sequence[Answer], answers: Answers) -> None:
        losses = []
        for answer in outcomes:
            _count(answer, answers)
        if len(outcomes) == 1 and outcomes[0].arm in ARMS:
            answers.routed[outcomes[0].arm] += 1
        for answer in (answer for answer in outcomes if answer.arm in ARMS and answer.loss is not None):
            answers.latencies_s[answer.arm].append(answer.latency_s)
            if math.isnan(answer.loss or 0.0):
                answers.invalid[answer.arm] += 1
            elif self._judged and number < self._rows.num_rows:
                losses.append((answer.arm, answer.loss or 0.0))
        if losses:
            heapq.heappush(self._pending, Pending(int(self._due[number]), number, tuple(losses)))

    def _settle(self, answers: Answers) -> None:
        """Take the losses of all requests whose label time has passed."""
        sent = min(self._next, self._rows.num_rows)
        now = int(self._events[sent - 1]) if sent else 0
        while self._pending and self._pending[0].due <= now:
            item = heapq.heappop(self._pending)
            losses = dict(item.losses)
            for arm, loss in losses.items():
                answers.losses[arm].append(loss)
            if len(losses) == len(ARMS):
                answers.differences.append(losses["candidate"] - losses["stable"])


def _count(answer: Answer, answers: Answers) -> None:
    if answer.arm not in ARMS:
        answers.unattributed += 1
    else:
        counts = answers.answered if answer.answered else answers.lost
        counts[answer.arm] += 1
        answers.failed[answer.arm] += answer.answered and answer.loss is None


def _no_loss(arm: str, number: int, outputs: Mapping[str, Any]) -> float:
    """Of an answer that is only to be usable: every value of its first output is a number."""
    try:
        values = np.asarray(next(iter(outputs.values()), []), dtype=float)
    except (TypeError, ValueError):
        return math.nan
    return 0.0 if values.size and np.isfinite(values).all() else math.nan


def _read(examples: Path, columns: Sequence[str]) -> pa.Table:
    try:
        rows = pq.read_table(examples)
    except (OSError, pa.ArrowException) as error:
        raise DataUnreadable(
            f"{examples} cannot be read as Parquet ({error}); write the replay examples anew."
        ) from error
    if not rows.num_rows:
        raise DataUnreadable(f"{examples} has no rows; a rollout needs held-out examples to send.")
    _require(rows, columns, str(examples))
    return rows


def _require(rows: pa.Table, names: Sequence[str] | Mapping[str, Any], where: str) -> None:
    if missing := [name for name in names if name not in rows.column_names]:
        raise DataUnreadable(f"{where} lack {', '.join(missing)}; there are: {', '.join(rows.column_names)}.")


def in_time(rows: pa.Table) -> pa.Table:
    """The rows in the order of their time, where they have one."""
    return rows.sort_by(EVENT_TIME) if EVENT_TIME in rows.column_names else rows


def times(rows: pa.Table) -> tuple[Times, Times]:
    """When each row happens and when its label is known, in nanoseconds; its place where it has no time."""
    places = np.arange(rows.num_rows, dtype=np.int64)
    events = _nanoseconds(rows, EVENT_TIME) if EVENT_TIME in rows.column_names else places
    known = EVENT_TIME in rows.column_names and LABEL_TIME in rows.column_names
    return events, _nanoseconds(rows, LABEL_TIME) if known else events


def _nanoseconds(rows: pa.Table, name: str) -> Times:
    found: Times = rows[name].cast(pa.timestamp("ns")).to_numpy().astype("int64")
    return found

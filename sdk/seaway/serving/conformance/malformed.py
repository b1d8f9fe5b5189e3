"""Requests that are wrong: each is refused by itself, and those beside it are answered as if they were alone."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from seaway.serving.conformance.check import Check, alike, answered, refused, require
from seaway.serving.conformance.target import Target

DEEP, HUGE = 100_000, 20_000  # lists in lists; digits of a number
AT_ONCE = 8
ROUNDS = 3


def wrong(target: Target) -> dict[str, object]:
    """A request of each kind, by what is wrong with it: objects, or bytes as they are sent."""

    def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        request = target.request()
        change(request["inputs"][0])
        return request

    first = target.tensors[0]
    numbers = [one["name"] for one in target.tensors if one["datatype"] not in ("BYTES", "BOOL")]
    texts = [one["name"] for one in target.tensors if one["datatype"] == "BYTES"]
    return {
        "no JSON": b"{",
        "no text": b"\xff\xfe\x00",
        "nothing": b"",
        "a list": [],
        "an object without inputs": {},
        "inputs that are no list": {"inputs": {}},
        "inputs of words": {"inputs": ["a"]},
        "deeply nested JSON": b'{"inputs": ' + b"[" * DEEP + b"]" * DEEP + b"}",
        "an input that is missing": {"inputs": target.tensors[1:]},
        "an input that is unknown": target.request(inputs=[*target.tensors, {**first, "name": "seaway-unknown"}]),
        "an input that is there twice": {"inputs": [*target.tensors, first]},
        "an output that is unknown": target.request(outputs=[{"name": "seaway-unknown"}]),
        "an input without values": changed(lambda one: one.pop("data")),
        "a batch of none": changed(lambda one: one.update(shape=[0, *one["shape"][1:]], data=[])),
        "a shape of words": changed(lambda one: one.update(shape=["a"])),
        "a negative size": changed(lambda one: one.update(shape=[-1, *one["shape"][1:]])),
        "sizes that are negative together": changed(lambda one: one.update(shape=[-one["shape"][0], -1])),
        "a size that is true": changed(lambda one: one.update(shape=[True, *one["shape"][1:]], data=one["data"][:1])),
        "a size of a fraction": changed(lambda one: one.update(shape=[float(one["shape"][0]), *one["shape"][1:]])),
        "a size beyond 64 bits": changed(lambda one: one.update(shape=[2**64 + 2, *one["shape"][1:]])),
        "sizes beyond 64 bits together": changed(lambda one: one.update(shape=[2**32, 2**32])),
        "a shape of null": changed(lambda one: one.update(shape=None)),
        "another rank": changed(lambda one: one.update(shape=[*one["shape"], 2, 3])),
        "too few values": changed(lambda one: one.update(data=one["data"][:-1])),
        "an unknown datatype": changed(lambda one: one.update(datatype="FP7")),
        "a name of null": changed(lambda one: one.update(name=None)),
        "values of objects": changed(lambda one: one.update(data=[{} for _ in one["data"]])),
        "values at two depths": changed(lambda one: one.update(data=[one["data"][:1], *one["data"][1:]])),
        "one object after another": json.dumps(target.request()).encode() * 2,
        "a constant": b"NaN",
        "an id that is no text": target.request(id={"a": 1}),
        **{f"a number of many digits for {name}": _with_value(target, name, b"9" * HUGE) for name in numbers},
        **{f"half of a letter for {name}": _with_value(target, name, b'"\\ud800"') for name in texts},
        **{f"a letter of bytes for {name}": _with_value(target, name, b'"\xe9"') for name in texts},
    }


def _with_value(target: Target, name: str, value: bytes) -> bytes:
    """The first of an input, as JSON that Python would not write."""
    request = target.request()
    tensor = next(one for one in request["inputs"] if one["name"] == name)
    tensor["data"] = ["SEAWAY-VALUE", *tensor["data"][1:]]
    return json.dumps(request).encode().replace(b'"SEAWAY-VALUE"', value)


def every_wrong_request_is_refused_and_told_why(target: Target) -> None:
    for what, body in wrong(target).items():
        refused(target.infer(body), what)


def another_model_is_not_found(target: Target) -> None:
    for method, path in (("GET", ""), ("GET", "/ready"), ("POST", "/infer")):
        body = json.dumps(target.request()).encode() if method == "POST" else None
        answer = target.ask(method, f"/v2/models/seaway-unknown{path}", body)
        require(answer.refused, f"{method} of an unknown model is answered {answer.told}")


def those_beside_wrong_requests_are_answered_as_if_alone(target: Target) -> None:
    alone = answered(target.infer(target.request())).json["outputs"]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(target.infer, _mixed(target)))
    for place, answer in enumerate(answers):
        if place % 2:
            require(answer.refused, f"a wrong request among others is answered {answer.told}")
        else:
            same = alike(answered(answer).json["outputs"], alone)
            require(same, "a right request beside wrong ones is answered otherwise")


def _mixed(target: Target) -> Iterator[object]:
    for _ in range(ROUNDS):
        for bad in wrong(target).values():
            yield from (target.request(), bad)


CHECKS: tuple[Check, ...] = (
    every_wrong_request_is_refused_and_told_why,
    another_model_is_not_found,
    those_beside_wrong_requests_are_answered_as_if_alone,
)

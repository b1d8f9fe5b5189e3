"""hyperopt's and Hyperas' spaces: what hyperopt draws is a point of the space that is read of its source."""

import json
from pathlib import Path
from typing import Any

from hyperopt.pyll.stochastic import sample
from seaway.tuning import SearchSpace
from seaway.tuning.dialects import Search, read

PLAIN = """
import numpy as np
from hyperopt import fmin, hp, tpe
from hyperopt.pyll import scope

LOW = 1e-4
rate = hp.loguniform("learning rate", np.log(LOW), np.log(10 ** -1))
space = {
    "rate": rate,
    "dropout": hp.uniform("dropout", 0, 0.5),
    "units": scope.int(hp.quniform("units", 9, 130, 8)),
    "grow": hp.qloguniform("grow", 0, 3, 2),
    "layers": hp.randint("layers", 4),
    "depth": hp.randint("depth", 2, 5),
    "leaves": hp.uniformint("leaves", 3, 6),
    "kernel": hp.choice("kernel", ["linear", "rbf", None]),
    "deep": {"share": hp.quniform("share", 0.1, 0.95, 0.1)},
    "seed": 3,
}
algorithm = tpe.suggest
"""
BRANCHES = """
from hyperopt import hp

space = hp.choice("model", [
    {"type": "forest", "trees": hp.randint("trees", 10, 100)},
    {"type": "svm", "cost": hp.loguniform("cost", -3, 3)},
])
"""


def found_in(folder: Path, text: str) -> Search:
    (folder / "space.py").write_text(text)
    return read(folder / "space.py")


def draws(text: str) -> list[Any]:
    """Points of hyperopt itself."""
    names: dict[str, Any] = {}
    exec(text, names)  # noqa: S102  # of this file
    return [sample(names["space"]) for _ in range(400)]


def plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=float))


def test_what_hyperopt_draws_is_a_point_here(tmp_path: Path) -> None:
    found = found_in(tmp_path, PLAIN)
    space = SearchSpace.parse(found.arguments()["space"])
    points = [{**one, "deep.share": one["deep"]["share"]} for one in draws(PLAIN)]
    for point in points:
        space.check({name: plain(point[name]) for name in space.parameters})
    for name in ("grow", "layers", "depth", "leaves", "kernel", "deep.share"):  # of few values, so each is drawn
        seen = {round(value, 6) if isinstance(value := plain(point[name]), float) else value for point in points}
        assert seen == set(space.parameters[name].values() or ()), name
    assert found.params == {"seed": 3} and found.algorithm == "tpe" and found.lost == []


def test_options_with_parameters_of_their_own_become_conditions(tmp_path: Path) -> None:
    space = SearchSpace.parse(found_in(tmp_path, BRANCHES).arguments()["space"])
    for point in draws(BRANCHES):
        space.check(plain({"model": point["type"], **{name: value for name, value in point.items() if name != "type"}}))
    assert space.active({"model": "svm"}, "cost") and not space.active({"model": "forest"}, "cost")


def test_what_cannot_be_said_is_named(tmp_path: Path) -> None:
    lost = found_in(
        tmp_path,
        "from hyperopt import hp\nimport os\n"
        "space = {'a': hp.uniform('a', 0, 1), 'b': hp.normal('b', 0, 1), 'c': hp.pchoice('c', [(0.1, 1), (0.9, 2)]),\n"
        "         'd': hp.uniform('d', 0, float(os.environ['D'])), 'e': print()}",
    ).lost
    assert [one.partition(" ")[0].rstrip(":") for one in lost] == ["b", "c", "d", "e"]


def test_hyperas_names_its_braces_by_what_they_are_given_to(tmp_path: Path) -> None:
    found = found_in(
        tmp_path,
        "from hyperas import optim\nfrom hyperas.distributions import choice, uniform\n\n\ndef model(x):\n"
        "    net.add(Dense({{choice([256, 512])}}))\n    net.add(Dropout({{uniform(0, 1)}}))\n"
        "    net.add(Dropout({{uniform(0, 0.5)}}))\n    net.fit(batch_size={{choice([64, 128])}}, epochs=1)\n"
        "    rate = {{loguniform(-5, 0)}}\n    noise = {{normal(0, 1)}}\n",
    )
    space = SearchSpace.parse(found.arguments()["space"])
    assert list(space.parameters) == ["Dense", "Dropout", "Dropout_1", "batch_size", "rate"]
    assert space.parameters["Dropout_1"].high == 0.5  # type: ignore[union-attr]
    assert found.lost == ["noise: a normal has no bounds, which a range here needs: name low and high by hand"]

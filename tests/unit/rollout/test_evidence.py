"""What a rollout states, and whether a broken link of its chain is found."""

import base64
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fake_rollout import SHA256, FakeEndpoint
from seaway.cli.app import app
from seaway.errors import EvidenceRefused, PackageRefused
from seaway.models import signing_keys
from seaway.models.attestation import Statement, attest, read_attestation
from seaway.models.package import content_sha256
from seaway.platforms.local.serving.rollout_state import FileRolloutStore
from seaway.rollout import Decision, Notary, Observation, Policy, Rollout, RolloutPlan, Step, Warrant, run
from seaway.rollout.evidence import LOOKS_FILE, STATEMENT_FILE, looks_json
from seaway.rollout.verification import Asked, Finding, Served, check_chain
from seaway.serving import Arm, DeployedEndpoint
from small_package import small_package
from typer.testing import CliRunner

POLICY = Policy(latency=None, quality=None, min_requests=20, budget=6_000)
HOLDS = dict.fromkeys(("package", "lineage", "statement", "decision"), Finding.HOLDS)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("evidence")


@pytest.fixture(scope="module")
def packed(home: Path) -> Path:
    return small_package(home / "small", home)


@pytest.fixture(scope="module")
def key(home: Path) -> Path:
    return signing_keys(home / "keys").private


@pytest.fixture(scope="module")
def public(home: Path) -> Path:
    return signing_keys(home / "keys").public


def planned(package: Path, folder: Path, **settings: Any) -> RolloutPlan:
    stable = Arm("old", str(folder / "old"), "stable", SHA256["stable"])
    candidate = Arm("new", str(package), "candidate", content_sha256(package))
    endpoint = DeployedEndpoint("flights", "r1", folder, arms={"stable": stable, "candidate": candidate})
    steps = (Step(10, 200), Step(50, 400), Step(100, 100))
    return RolloutPlan(endpoint, steps, POLICY, model="flights version 2", approver="Ada", **settings)


def rolled_out(plan: RolloutPlan, served: FakeEndpoint, key: Path) -> Rollout:
    store = FileRolloutStore(plan.endpoint.folder / "journal.json")
    return run(plan, served, served, served, store, Notary.beside(plan.endpoint, key))


@pytest.fixture(scope="module")
def promoted(packed: Path, key: Path, home: Path) -> Path:
    """A package with the evidence of its promotion beside it."""
    shutil.copytree(packed, home / "promoted" / "package")
    plan = planned(home / "promoted" / "package", home / "promoted")
    assert rolled_out(plan, FakeEndpoint(), key).promoted
    return home / "promoted" / "package"


@pytest.fixture
def package(promoted: Path, tmp_path: Path) -> Path:
    """A copy to break."""
    shutil.copytree(promoted.parent, tmp_path / "copy")
    return tmp_path / "copy" / "package"


def stated(package: Path, name: str = STATEMENT_FILE) -> Path:
    return package.with_name("package.rollout") / name


def said(package: Path, public: Path) -> Statement:
    return read_attestation(stated(package).read_text(), public, "here")


def findings(package: Path, public: Path, **settings: Any) -> dict[str, Finding]:
    return {link.name: link.finding for link in check_chain("it", str(package), public, **settings)}


class Recorder(FakeEndpoint):
    """Notes which stage was stated, and kept, when a weight is set."""

    def __init__(self, file: Path, public: Path) -> None:
        super().__init__()
        self.file, self.public, self.stages = file, public, dict[int, str]()

    def set_weights(self, endpoint: DeployedEndpoint, weights: Mapping[str, int]) -> None:
        statement = read_attestation(self.file.read_text(), self.public, "here")
        self.stages[weights["candidate"]] = statement.predicate["stage"]
        super().set_weights(endpoint, weights)


def test_what_allows_a_weight_is_stated_and_kept_before_it_is_set(
    packed: Path, key: Path, public: Path, tmp_path: Path
) -> None:
    shutil.copytree(packed, tmp_path / "package")
    served = Recorder(stated(tmp_path / "package"), public)
    rolled_out(planned(tmp_path / "package", tmp_path), served, key)
    assert served.stages == {10: "start", 50: "start", 100: "decision"}
    statement = said(tmp_path / "package", public)
    assert statement.subjects == {"flights version 2": content_sha256(tmp_path / "package")}
    assert {key: statement.predicate[key] for key in ("stage", "decision", "approver", "allows")} == {
        "stage": "end",
        "decision": "PROMOTE",
        "approver": "Ada",
        "allows": 100,
    }


class Failing(Notary):
    """Cannot keep a statement of one stage."""

    stage = ""

    def certify(self, statement: Statement, looks: Any) -> Warrant:
        if statement.predicate["stage"] == self.stage:
            raise PackageRefused("the key is gone")
        return super().certify(statement, looks)


@pytest.mark.parametrize(("stage", "seen"), [("start", [0]), ("decision", [10, 50, 0]), ("end", [10, 50, 100, 0])])
def test_a_rollout_that_cannot_be_stated_goes_no_further(
    packed: Path, key: Path, tmp_path: Path, stage: str, seen: list[int]
) -> None:
    plan, served = planned(packed, tmp_path), FakeEndpoint()
    notary = Failing(key, str(tmp_path / "evidence"))
    object.__setattr__(notary, "stage", stage)
    with pytest.raises(PackageRefused, match="the key is gone"):
        run(plan, served, served, served, FileRolloutStore(tmp_path / "journal.json"), notary)
    assert served.history == seen


def test_a_whole_chain_holds(package: Path, public: Path) -> None:
    assert findings(package, public) == HOLDS


def forged(package: Path, key: Path, public: Path, **changes: Any) -> None:
    """Signed by the right key, and not by a rollout."""
    statement = said(package, public)
    stated(package).write_text(attest(replace(statement, predicate={**statement.predicate, **changes}), key))


def altered(package: Path, key: Path, public: Path) -> None:
    envelope = json.loads(stated(package).read_text())
    payload = base64.b64decode(envelope["payload"]).replace(b'"approver": "Ada"', b'"approver": "Eve"')
    stated(package).write_text(json.dumps({**envelope, "payload": base64.b64encode(payload).decode()}))


def without_statement(package: Path, key: Path, public: Path) -> None:
    stated(package).unlink()


def without_looks(package: Path, key: Path, public: Path) -> None:
    stated(package, LOOKS_FILE).unlink()


def other_looks(package: Path, key: Path, public: Path) -> None:
    looks = json.loads(stated(package, LOOKS_FILE).read_text())
    looks[0]["candidate"]["errors"] += 1
    stated(package, LOOKS_FILE).write_text(json.dumps(looks))


def of_another_package(package: Path, key: Path, public: Path) -> None:
    statement = replace(said(package, public), subjects={"flights version 1": "c" * 64})
    stated(package).write_text(attest(statement, key))


def signed_by_somebody(package: Path, key: Path, public: Path) -> None:
    stated(package).write_text(attest(said(package, public), signing_keys(package.parent / "eve").private))


def not_a_rollouts(package: Path, key: Path, public: Path) -> None:
    statement = replace(said(package, public), predicate_type="https://slsa.dev/provenance/v1")
    stated(package).write_text(attest(statement, key))


def changed_weights(package: Path, key: Path, public: Path) -> None:
    with (package / "model.safetensors").open("ab") as file:
        file.write(b"x")


def made_up(package: Path, key: Path, public: Path) -> None:
    """A promotion on looks of which the judge says nothing of the kind."""
    few = [Observation(time=1.0, measured_at=1.0, weight=10)]
    stated(package, LOOKS_FILE).write_bytes(looks_json(few))
    import hashlib

    forged(package, key, public, looks={"count": 1, "sha256": hashlib.sha256(looks_json(few)).hexdigest()})


def rolled_back(package: Path, key: Path, public: Path) -> None:
    forged(package, key, public, decision="ROLLBACK", reason="Errors: worse.")


def unfinished(package: Path, key: Path, public: Path) -> None:
    forged(package, key, public, stage="decision")


BROKEN: dict[Callable[[Path, Path, Path], None], dict[str, Finding]] = {
    altered: {"statement": Finding.WRONG, "decision": Finding.WRONG},
    without_statement: {"statement": Finding.MISSING, "decision": Finding.MISSING},
    without_looks: {"decision": Finding.MISSING},
    other_looks: {"decision": Finding.WRONG},
    of_another_package: {"statement": Finding.WRONG},
    signed_by_somebody: {"statement": Finding.WRONG, "decision": Finding.WRONG},
    not_a_rollouts: {"statement": Finding.WRONG, "decision": Finding.WRONG},
    changed_weights: {"package": Finding.WRONG, "statement": Finding.WRONG},
    made_up: {"decision": Finding.WRONG},
    rolled_back: {"decision": Finding.WRONG},
    unfinished: {"decision": Finding.WRONG},
}


@pytest.mark.parametrize("broken", BROKEN, ids=[one.__name__ for one in BROKEN])
def test_each_broken_link_is_named(
    package: Path, key: Path, public: Path, broken: Callable[[Path, Path, Path], None]
) -> None:
    broken(package, key, public)
    assert findings(package, public) == {**HOLDS, **BROKEN[broken]}


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value that is no container."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [leaf for key, part in parts for leaf in leaves(part, (*path, key))]
    yield from found or [path]


def with_leaf(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy: Any = list(value) if isinstance(value, list) else dict(value)
    copy[path[0]] = with_leaf(copy[path[0]], path[1:], new)
    return copy


def test_no_word_of_a_statement_can_be_altered(promoted: Path, public: Path) -> None:
    """Of its payload, and of the envelope around it."""
    envelope = json.loads(stated(promoted).read_text())
    payload = json.loads(base64.b64decode(envelope["payload"]))
    changed = [
        {**envelope, "payload": base64.b64encode(json.dumps(with_leaf(payload, path, "x")).encode()).decode()}
        for path in leaves(payload)
    ]
    others = [{}, [], None, {**envelope, "signatures": []}, {**envelope, "payloadType": "text/plain"}]
    signature = envelope["signatures"][0]
    others += [{**envelope, "signatures": [{**signature, key: "AAAA"}]} for key in ("sig", "keyid")]
    assert len(changed) > 40
    for forgery in (*changed, *others):
        with pytest.raises(EvidenceRefused):
            read_attestation(json.dumps(forgery), public, "here")


def test_a_signed_statement_that_no_rollout_makes_is_wrong_and_breaks_nothing(
    package: Path, key: Path, public: Path
) -> None:
    for name, nonsense in (("looks", None), ("time", 3), ("policy", {}), ("packages", []), ("seaway", [])):
        forged(package, key, public, **{name: nonsense})
        found = findings(package, public, asked=Asked(since=datetime(2020, 1, 1, tzinfo=UTC)))
        assert Finding.WRONG in (found["statement"], found["decision"]) or name == "seaway"
    stated(package).write_bytes(b"\xff\xfe")
    assert findings(package, public) == {**HOLDS, "statement": Finding.WRONG, "decision": Finding.WRONG}


def test_a_statement_by_another_leave_or_from_before_is_refused(package: Path, public: Path) -> None:
    now, day = datetime.now(UTC), timedelta(days=1)
    assert findings(package, public, asked=Asked("Ada", now - day)) == HOLDS
    for asked in (Asked("Eve"), Asked("Ada", now + day)):
        assert findings(package, public, asked=asked) == {**HOLDS, "statement": Finding.WRONG}


def test_a_statement_of_another_release_does_not_stand_for_this_one(
    package: Path, promoted: Path, key: Path, public: Path, tmp_path: Path
) -> None:
    """Replayed whole, looks and all: first that of another package, then this package's own earlier one."""
    other = small_package(tmp_path / "other", tmp_path / "home", bias=0.5)
    shutil.copytree(stated(package).parent, stated(other).parent)
    theirs = signing_keys(tmp_path / "home" / "keys").public
    assert findings(other, theirs)["statement"] is Finding.WRONG
    about = {link.name: link.detail for link in check_chain("it", str(other), public)}
    assert "The statement is about package" in about["statement"]
    assert rolled_out(planned(package, tmp_path), FakeEndpoint(failing=0.5), key).decision is Decision.ROLLBACK
    began = datetime.fromisoformat(said(package, public).predicate["time"]) + timedelta(seconds=1)
    shutil.copytree(stated(promoted).parent, stated(package).parent, dirs_exist_ok=True)
    assert findings(package, public, asked=Asked(since=began))["statement"] is Finding.WRONG


def test_a_failed_candidate_has_a_statement_that_says_so(packed: Path, key: Path, public: Path, tmp_path: Path) -> None:
    shutil.copytree(packed, tmp_path / "package")
    plan = planned(tmp_path / "package", tmp_path)
    assert rolled_out(plan, FakeEndpoint(failing=0.5), key).decision is Decision.ROLLBACK
    assert said(tmp_path / "package", public).predicate["allows"] == 0
    assert findings(tmp_path / "package", public) == {**HOLDS, "decision": Finding.WRONG}


def test_lineage_is_compared_with_the_rows(package: Path, public: Path, tmp_path: Path) -> None:
    (tmp_path / "rows").write_bytes(b"small")
    (tmp_path / "others").write_bytes(b"other")
    assert findings(package, public, train=tmp_path / "rows") == HOLDS
    assert findings(package, public, train=tmp_path / "others") == {**HOLDS, "lineage": Finding.WRONG}


@pytest.mark.parametrize(("weight", "finding"), [(50, Finding.HOLDS), (100, Finding.HOLDS), (101, Finding.WRONG)])
def test_a_candidates_weight_is_compared_with_what_is_allowed(
    package: Path, public: Path, weight: int, finding: Finding
) -> None:
    assert findings(package, public, served=Served(weight)) == {**HOLDS, "decision": finding}


def test_annotations_of_a_route_are_compared_with_the_envelope_in_them(package: Path, public: Path) -> None:
    statement = said(package, public)
    warrant = Warrant(stated(package).read_text(), "r1", statement.predicate["packages"]["candidate"]["sha256"], 100)
    whole = {**HOLDS, "route": Finding.HOLDS}
    assert findings(package, public, served=Served(100, warrant)) == whole
    forged = replace(warrant, candidate="c" * 64)
    assert findings(package, public, served=Served(100, forged)) == {**whole, "route": Finding.WRONG}


def test_the_command_ends_with_1_where_a_link_does_not_hold(package: Path, public: Path) -> None:
    runner = CliRunner()
    command = ["verify", str(package), "--public-key", str(public)]
    whole = runner.invoke(app, command)
    assert (whole.exit_code, whole.output.count("holds")) == (0, 4), whole.output
    without_statement(package, public, public)
    broken = runner.invoke(app, [*command, "--output", "json"])
    assert broken.exit_code == 1
    assert [link["finding"] for link in json.loads(broken.output)] == ["holds", "holds", "missing", "missing"]

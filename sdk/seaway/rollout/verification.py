"""Is a model served for a reason? The chain from package to decision, each link checked by the public key alone."""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from seaway.approvals import is_by
from seaway.errors import DataUnreadable, EvidenceRefused, SeawayError
from seaway.models import Lineage, verify
from seaway.models.attestation import Statement, evidence_uri, read_attestation
from seaway.models.package import content_sha256
from seaway.rollout.evidence import DECISION, END, LOOKS_FILE, PREDICATE_TYPE, STATEMENT_FILE, warrant_of
from seaway.rollout.judge.autocorrelation import Prior
from seaway.rollout.judge.decision import judge_fast
from seaway.rollout.judge.verdict import Decision
from seaway.rollout.observations import Observation
from seaway.rollout.plan import FULL
from seaway.rollout.policy import Policy
from seaway.rollout.state import from_values
from seaway.rollout.warrant import Warrant
from seaway.storage import sha256, storage_for
from seaway.version import VERSION


class Finding(StrEnum):
    """What a link of the chain turned out to be."""

    HOLDS = "holds"
    MISSING = "missing"
    WRONG = "wrong"


@dataclass(frozen=True)
class Link:
    """One link of the chain of `what`, a package or an endpoint's arm."""

    what: str
    name: str
    finding: Finding
    detail: str

    @property
    def holds(self) -> bool:
        return self.finding is Finding.HOLDS


@dataclass(frozen=True)
class Served:
    """An arm's share of an endpoint's traffic in per cent, and the statement that its route shows, if any."""

    weight: int
    shown: Warrant | None = None


@dataclass(frozen=True)
class Asked:
    """By whose leave a statement has to be, empty for anybody's, and how old it may be at most."""

    approver: str = ""
    since: datetime | None = None

    def require(self, said: Mapping[str, Any]) -> None:
        """Raises: EvidenceRefused."""
        if self.approver and not is_by(said["approver"], self.approver):
            raise EvidenceRefused(
                f"{said['approver']} answers for this rollout, not {self.approver}. Ask for that leave, and roll it "
                "out again."
            )
        stated = datetime.fromisoformat(said["time"])
        if self.since and stated < self.since:
            raise EvidenceRefused(
                f"The statement is of {stated:%Y-%m-%d %H:%M}, before {self.since:%Y-%m-%d %H:%M}: it has expired, or "
                "belongs to an earlier release. Roll the model out again."
            )


def check_chain(
    what: str,
    package: str,
    public_key: Path,
    evidence: str = "",
    train: Path | None = None,
    served: Served | None = None,
    asked: Asked | None = None,
) -> list[Link]:
    """The links of one package, those after a broken one included.

    Args:
        what: its name in the links.
        package: folder or URI.
        evidence: folder or URI of what was stated about it; empty: beside the package.
        train: the rows that it is said to be trained on, to compare.
        served: of a candidate; then what is stated has to allow its weight, not to have promoted it.
        asked: what a statement has to say as well.
    """
    with tempfile.TemporaryDirectory(prefix="seaway-verify-") as scratch:
        folder, stated = Path(scratch) / "package", Path(scratch) / "evidence"
        _fetch(package, folder)
        _fetch(evidence or evidence_uri(package), stated)
        chain = _Chain(what, folder, public_key, stated, train, served, asked or Asked())
        return [chain.link(name, check) for name, check in chain.checks.items()]


def _fetch(uri: str, target: Path) -> None:
    """Copy what is there; what is not is found missing later."""
    if storage_for(uri).exists(uri):
        storage_for(uri).download(uri, target)


class _Missing(Exception):
    """A link is not there."""


@dataclass(frozen=True)
class _Chain:
    what: str
    package: Path
    public_key: Path
    stated: Path
    train: Path | None
    served: Served | None
    asked: Asked

    @property
    def checks(self) -> Mapping[str, Callable[[], str]]:
        shown = {"route": self._route} if self.served and self.served.shown else {}
        return {
            "package": self._package,
            "lineage": self._lineage,
            "statement": self._statement,
            **shown,
            "decision": self._decision,
        }

    def link(self, name: str, check: Callable[[], str]) -> Link:
        try:
            return Link(self.what, name, Finding.HOLDS, check())
        except _Missing as missing:
            return Link(self.what, name, Finding.MISSING, str(missing))
        except SeawayError as error:
            return Link(self.what, name, Finding.WRONG, str(error))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            told = f"what is stated is not as a rollout states it ({error!r}): no rollout of Seaway has made it"
            return Link(self.what, name, Finding.WRONG, told)

    def _package(self) -> str:
        self._require_package()
        checked = verify(self.package, self.public_key)
        return f"signed, content {checked.sha256}"

    def _lineage(self) -> str:
        self._require_package()
        lineage = Lineage.read(self.package)
        if self.train and (found := sha256(self.train)) != lineage.data_sha256:
            raise EvidenceRefused(
                f"The lineage names training rows {lineage.data_sha256}; {self.train} has {found}. It was trained on "
                "other rows, or they were changed since."
            )
        replaced = f", to replace {lineage.parent}" if lineage.parent else ""
        compared = " (compared)" if self.train else ""
        return f"rows {lineage.data_sha256}{compared}, code {lineage.code_version}{replaced}"

    def _statement(self) -> str:
        statement = self._read()
        self._require_package()
        digest = content_sha256(self.package)
        if digest not in statement.subjects.values():
            about = ", ".join(statement.subjects.values())
            raise EvidenceRefused(f"The statement is about package {about}; this one's content is {digest}.")
        said = statement.predicate
        self.asked.require(said)
        rollout = said["rollout"]
        return (
            f"signed at {said['time']}, stage {said['stage']} of run {rollout['run']} on endpoint "
            f"{rollout['endpoint']}, approved by {said['approver']}"
        )

    def _route(self) -> str:
        """What a policy of the cluster could not check: its words are the envelope's, and the envelope is signed."""
        shown = self.served.shown if self.served else None
        if shown is None:
            raise _Missing("the route shows no statement")
        said = warrant_of(shown.envelope, self._checked(shown.envelope, "the route"))
        if said != shown:
            raise EvidenceRefused(
                f"The route's annotations allow {shown.allows} % for {shown.candidate} in run {shown.run}; the signed "
                f"envelope among them allows {said.allows} % for {said.candidate} in run {said.run}. Somebody wrote "
                "them by hand: set the traffic back to stable."
            )
        return f"shows what is signed: up to {said.allows} %"

    def _decision(self) -> str:
        statement, looks = self._read(), self._looks()
        said = statement.predicate
        told = said["looks"]
        kept = sha256(self.stated / LOOKS_FILE)
        if (kept, len(looks)) != (told["sha256"], told["count"]):
            raise EvidenceRefused(
                f"The decision rests on {told['count']} looks of hash {told['sha256']}; those beside it are "
                f"{len(looks)} of hash {kept}. They were changed, or belong to another rollout."
            )
        if self.served is not None:
            return self._allowed(said, looks)
        if said["decision"] != Decision.PROMOTE or said["stage"] != END:
            state = "has not ended" if said["stage"] != END else f"ended in {said['decision']}"
            raise EvidenceRefused(f"Its rollout {state}. {said['reason']}".strip())
        stable = said["packages"]["stable"]["sha256"]
        return f"{said['decision']} over {stable} on {len(looks)} looks, {_again(said, looks)}"

    def _allowed(self, said: Mapping[str, Any], looks: Sequence[Observation]) -> str:
        weight = self.served.weight if self.served else 0
        if weight > said["allows"]:
            raise EvidenceRefused(
                f"The candidate has {weight} % of the traffic, and stage {said['stage']} allows {said['allows']} %. "
                "Set the traffic back to stable, and find out who moved it."
            )
        again = f"; {_again(said, looks)}" if said["stage"] == DECISION else ""
        return f"{weight} % of the traffic, up to {said['allows']} % is allowed{again}"

    def _require_package(self) -> None:
        if not self.package.is_dir():
            raise _Missing("there is no such package")

    def _read(self) -> Statement:
        file = self.stated / STATEMENT_FILE
        if not file.is_file():
            raise _Missing("nothing was stated: no rollout has decided about this package; a first model has none")
        return self._checked(file.read_text(encoding="utf-8"), STATEMENT_FILE)

    def _checked(self, envelope: str, where: str) -> Statement:
        statement = read_attestation(envelope, self.public_key, where)
        if statement.predicate_type != PREDICATE_TYPE:
            raise EvidenceRefused(f"The statement says {statement.predicate_type}, not {PREDICATE_TYPE}.")
        return statement

    def _looks(self) -> list[Observation]:
        try:
            return from_values(json.loads((self.stated / LOOKS_FILE).read_bytes()))
        except OSError:
            raise _Missing("the looks on which it was decided are not beside the statement") from None
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise DataUnreadable(f"{LOOKS_FILE} holds no looks ({error!r}).") from error


def _again(said: Mapping[str, Any], looks: Sequence[Observation]) -> str:
    """That the judge says of these looks what is stated; one of another edition may say otherwise, and is not asked.

    Raises:
        EvidenceRefused: it does not.
    """
    if said["seaway"] != VERSION:
        return f"not judged again: that was Seaway {said['seaway']}"
    policy = Policy.from_json(said["policy"])
    partial = [look for look in looks if look.weight is not None and look.weight < FULL]
    noise = {name: Prior(*known) for name, known in said["noise"].items()}
    verdicts = judge_fast(partial, policy, noise).decision, judge_fast(looks, policy, noise).decision
    if verdicts[0] is not Decision.PROMOTE or verdicts[1] in (Decision.ROLLBACK, Decision.INCONCLUSIVE):
        raise EvidenceRefused(
            f"The judge says {verdicts[0]} of the looks before full traffic and {verdicts[1]} of all, not what is "
            "stated: no rollout has made the statement."
        )
    return "judged again with the same result"


def broken(links: Sequence[Link]) -> Iterator[Link]:
    """Those that do not hold."""
    return (link for link in links if not link.holds)

"""A rollout's signed statement in the annotations of its route, where an admission policy reads it.

See docs/design/evidence.md; the policy is made by `install/rollout_policy.py`.
"""

from seaway.platforms.kubernetes.client.permissions import Permission
from seaway.platforms.kubernetes.client.resources import Manifest, Resource
from seaway.rollout.warrant import Warrant

EVIDENCE = "seaway.dev/evidence"  # the envelope
ALLOWS, CANDIDATE, RUN = f"{EVIDENCE}-allows", f"{EVIDENCE}-candidate", f"{EVIDENCE}-run"
ANNOTATIONS = (EVIDENCE, ALLOWS, CANDIDATE, RUN)
ROLLOUTS = Resource("seaway.dev", "v1", "rollouts", "Rollout")  # of no API: only a verb on it is asked about
DRIVES = Permission(ROLLOUTS, ("drive",), "evidence: raising a candidate's weight where manifests/rollouts is applied")


def annotations(warrant: Warrant) -> dict[str, str]:
    """The statement, and what it says in words that a policy can compare."""
    values = (warrant.envelope, str(warrant.allows), warrant.candidate, warrant.run)
    return dict(zip(ANNOTATIONS, values, strict=True))


def presented(manifest: Manifest) -> Warrant | None:
    """What a route's annotations claim; None where there is no statement."""
    found = manifest["metadata"].get("annotations", {})
    envelope, allows, candidate, run = (found.get(name, "") for name in ANNOTATIONS)
    return Warrant(envelope, run, candidate, int(allows) if allows.isdecimal() else 0) if envelope else None

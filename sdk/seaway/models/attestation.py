"""Signed statements about packages: an in-toto Statement v1 in a DSSE envelope, by the key that signs packages."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seaway.errors import EvidenceRefused, PackageRefused
from seaway.storage import storage_for

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
ALGORITHM = "sha256"  # of a subject's digest: `content_sha256` of the package


@dataclass(frozen=True)
class Statement:
    """What is said, in plain JSON values, about packages: their content's SHA-256 by name."""

    subjects: Mapping[str, str]
    predicate_type: str
    predicate: Mapping[str, Any]


def attest(statement: Statement, private_key: Path) -> str:
    """The signed envelope as JSON.

    Raises:
        PackageRefused: the key is missing or is no elliptic-curve key in PEM.
    """
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import Error
    from securesystemslib.signer import CryptoSigner

    try:
        private: Any = load_pem_private_key(private_key.read_bytes(), password=None)
        signer = CryptoSigner(private)
    except (OSError, ValueError, TypeError, Error) as error:
        raise PackageRefused(
            f"{private_key} cannot sign ({error}); give an unencrypted EC private key in PEM."
        ) from error
    envelope = Envelope(_payload(statement), PAYLOAD_TYPE, {})
    envelope.sign(signer)
    return json.dumps(envelope.to_dict())


def read_attestation(text: str, public_key: Path, where: str) -> Statement:
    """What the envelope says, its signature checked first.

    Args:
        where: the envelope's place, for messages.

    Raises:
        EvidenceRefused: it is no envelope, is signed by another key or altered, or holds no statement.
        PackageRefused: the public key is none.
    """
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import Error

    key = _public(public_key)
    try:
        envelope = Envelope.from_dict(json.loads(text))
        envelope.verify([key], threshold=1)
    except (Error, ValueError, LookupError, TypeError, AttributeError) as error:
        raise EvidenceRefused(
            f"The statement at {where} is not vouched for by {public_key} ({_said(error)}): it was altered, or signed "
            "by another key. Get it again from where it was signed, or the public key of who signed it."
        ) from error
    if envelope.payload_type != PAYLOAD_TYPE:
        raise EvidenceRefused(f"The envelope at {where} holds {envelope.payload_type}, not {PAYLOAD_TYPE}.")
    return _statement(envelope.payload, where)


def evidence_uri(package: str) -> str:
    """The folder beside a package, by path or URI, that has what was stated about it."""
    return f"{package.rstrip('/')}.rollout"


def carry_evidence(package: Path, copy: str) -> None:
    """Bring what was stated about a package beside a copy of it, by path or URI; what is there already is kept."""
    stated, target = Path(evidence_uri(str(package))), evidence_uri(copy)
    if stated.is_dir() and not storage_for(target).exists(target):
        storage_for(target).upload(stated, target)


def _payload(statement: Statement) -> bytes:
    value = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {ALGORITHM: digest}} for name, digest in statement.subjects.items()],
        "predicateType": statement.predicate_type,
        "predicate": statement.predicate,
    }
    payload = json.dumps(value, allow_nan=False, sort_keys=True).encode()
    _validate(payload)
    return payload


def _statement(payload: bytes, where: str) -> Statement:
    """Raises: EvidenceRefused: signed, but no statement of in-toto."""
    from google.protobuf.json_format import ParseError

    try:
        _validate(payload)
        value = json.loads(payload)  # in-toto's own reader makes each number a float
        subjects = {subject["name"]: subject["digest"][ALGORITHM] for subject in value["subject"]}
    except (ParseError, ValueError, LookupError) as error:
        raise EvidenceRefused(f"The envelope at {where} holds no in-toto statement: {_said(error)}.") from error
    return Statement(subjects, value["predicateType"], value["predicate"])


def _validate(payload: bytes) -> None:
    """Raises: ParseError, ValueError: no statement, or one that lacks something."""
    from google.protobuf.json_format import Parse
    from in_toto_attestation.v1.statement import Statement as InToto
    from in_toto_attestation.v1.statement_pb2 import Statement as Message

    InToto.copy_from_pb(Parse(payload, Message())).validate()


def _public(public_key: Path) -> Any:
    """Raises: PackageRefused."""
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.exceptions import Error
    from securesystemslib.signer import SSlibKey

    try:
        loaded: Any = load_pem_public_key(public_key.read_bytes())
        return SSlibKey.from_crypto(loaded)
    except (OSError, ValueError, TypeError, Error) as error:
        raise PackageRefused(
            f"{public_key} cannot verify ({error}); give the signer's EC public key in PEM."
        ) from error


def _said(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__

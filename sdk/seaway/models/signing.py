"""Signing of packages by an elliptic-curve key: the OpenSSF model-signing format (a Sigstore bundle, no network)."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seaway.errors import PackageRefused
from seaway.storage import atomic_path

SIGNATURE_BUNDLE = "model.sig"
PRIVATE_KEY, PUBLIC_KEY = "signing.pem", "signing.pub"
PRIVATE_MODE = 0o600


@dataclass(frozen=True)
class Keys:
    """Paths of a key pair in PEM: the private one is for packaging only, the public one goes to who verifies."""

    private: Path
    public: Path


def signing_keys(folder: Path) -> Keys:
    """The key pair of `folder`, made on first use, the private one readable by its owner.

    Of several processes that come first at once, one makes the key and all return it.

    Raises:
        PackageRefused: there is a public key without its private one.
    """
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    keys = Keys(folder / PRIVATE_KEY, folder / PUBLIC_KEY)
    if not keys.private.exists():
        if keys.public.exists():
            raise PackageRefused(
                f"{folder} has only a public key, so nothing can be signed here; add {PRIVATE_KEY}, or give a pod's "
                "namespace the Secret seaway-signing."
            )
        _make_private(keys.private)
    public = load_pem_private_key(keys.private.read_bytes(), password=None).public_key()
    content = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    if not keys.public.exists() or keys.public.read_bytes() != content:
        with atomic_path(keys.public) as draft:
            draft.write_bytes(content)
    return keys


def verifying_key(folder: Path) -> Path:
    """The public key in `folder`, which may be the only one there; a pair is made where there is none."""
    public = folder / PUBLIC_KEY
    return public if public.exists() else signing_keys(folder).public


def _make_private(target: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    content = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_MODE), "wb") as stream:
            stream.write(content)
        os.link(draft, target)  # fails where another process was first, so its key is kept
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)


def sign(package: Path, private_key: Path) -> None:
    """Sign every file of the folder `package` into its `model.sig`.

    Raises:
        PackageRefused: the key is missing or is no elliptic-curve key in PEM.
    """
    from model_signing.signing import Config

    try:
        config = Config().use_elliptic_key_signer(private_key=private_key)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise PackageRefused(
            f"{private_key} cannot sign ({error}); give an unencrypted EC private key in PEM."
        ) from error
    config.set_hashing_config(_hashing()).sign(package, package / SIGNATURE_BUNDLE)


def check_signature(package: Path, public_key: Path) -> None:
    """Check that `model.sig` was made by the key pair of `public_key` over exactly the files that are there.

    Raises:
        PackageRefused: another key, another content, no signature, or no public key.
    """
    from cryptography.exceptions import InvalidSignature
    from model_signing.verifying import Config

    try:
        config = Config().use_elliptic_key_verifier(public_key=public_key).set_hashing_config(_hashing())
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise PackageRefused(
            f"{public_key} cannot verify ({error}); give the signer's EC public key in PEM."
        ) from error
    try:
        config.verify(package, package / SIGNATURE_BUNDLE)
    except (ValueError, TypeError, LookupError, AttributeError, InvalidSignature) as error:
        raise PackageRefused(
            f"{package / SIGNATURE_BUNDLE} does not vouch for the files beside it under {public_key} "
            f"({_reason(error)}); get the package again from where it was signed, or the public key of who signed it."
        ) from error


def _hashing() -> Any:
    from model_signing.hashing import Config

    return Config().set_ignored_paths(paths=[SIGNATURE_BUNDLE], ignore_git_paths=False)


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__

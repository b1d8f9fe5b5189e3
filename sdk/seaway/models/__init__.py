"""Model packages: exported graph, signature, lineage, signing, registry."""

from typing import TYPE_CHECKING, Any

from seaway.models.archive import unpack
from seaway.models.attestation import carry_evidence
from seaway.models.comparison import same_model
from seaway.models.lineage import Lineage, code_version, trace
from seaway.models.loaded import LoadedModel, load
from seaway.models.package import Package, package, verified_copy, verify
from seaway.models.registry import (
    ModelRegistry,
    ModelVersion,
    RegisteredModel,
    log_trained,
    production_or_first,
    register_new,
)
from seaway.models.signature import Signature, TensorSpec
from seaway.models.signing import Keys, signing_keys, verifying_key

if TYPE_CHECKING:
    from seaway.models.flavours.torch_export import ExportedModel

__all__ = [
    "ExportedModel",
    "Keys",
    "Lineage",
    "LoadedModel",
    "ModelRegistry",
    "ModelVersion",
    "Package",
    "RegisteredModel",
    "Signature",
    "TensorSpec",
    "carry_evidence",
    "code_version",
    "load",
    "log_trained",
    "package",
    "production_or_first",
    "register_new",
    "same_model",
    "signing_keys",
    "trace",
    "unpack",
    "verified_copy",
    "verify",
    "verifying_key",
]


def __getattr__(name: str) -> Any:
    if name != "ExportedModel":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from seaway.models.flavours.torch_export import ExportedModel  # imports torch

    return ExportedModel

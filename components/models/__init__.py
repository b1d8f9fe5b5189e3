"""Packages, and the registry of models."""

from seaway_components.models.get_production_model.component import get_production_model
from seaway_components.models.import_model.component import import_model
from seaway_components.models.package_model.component import package_model
from seaway_components.models.promote_model.component import promote_model
from seaway_components.models.register_model.component import register_model

__all__ = ["get_production_model", "import_model", "package_model", "promote_model", "register_model"]

"""Whole pipelines, composed of seaway_components."""

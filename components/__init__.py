"""Reusable KFP components: thin wrappers over the seaway library."""

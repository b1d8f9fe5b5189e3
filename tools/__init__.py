"""Generators of the files that `make generate` writes; no part of the wheel."""

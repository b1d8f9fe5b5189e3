"""The seaway command."""

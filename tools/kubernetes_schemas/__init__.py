"""Derive the schemas that the wheel carries from what their projects publish: one file a kind of source."""

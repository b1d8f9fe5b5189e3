"""Derive the schemas that the wheel carries from what their projects publish; each file here reads one kind of source."""

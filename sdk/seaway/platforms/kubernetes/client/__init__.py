"""The API server: connection, objects, errors, watches, names."""

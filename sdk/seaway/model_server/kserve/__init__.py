"""KServe's own Python model server: its application, registry and metrics, Seaway's batches and handler."""

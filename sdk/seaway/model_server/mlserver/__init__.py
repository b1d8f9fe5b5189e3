"""MLServer, Seldon's and KServe's runtime: its application and registry, Seaway's batches and handler."""

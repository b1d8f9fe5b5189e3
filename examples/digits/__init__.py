"""Which digit does a small picture show? Ten classes that begin with a folder of files."""

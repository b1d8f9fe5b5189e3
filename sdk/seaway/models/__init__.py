"""Model packages: exported graph, signature, lineage, signing, registry."""

"""The flights pipeline behind a person's leave."""

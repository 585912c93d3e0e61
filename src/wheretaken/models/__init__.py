"""Models: what continues a conversation (`base`), the embedded reader, and later hosted models."""

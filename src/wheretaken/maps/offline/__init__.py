"""The provider that needs no network: a world place index, street regions, and their map pictures."""

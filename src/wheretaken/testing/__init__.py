"""Doubles that users can use as well: they stand in for what is paid for or far away, and are strict."""

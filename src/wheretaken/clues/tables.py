"""Reading the tables in `data/`: tab-separated rows, `#` comments, weights written `XX:0.7,YY:0.2`."""

from __future__ import annotations

from importlib import resources


def file_bytes(name: str) -> bytes:
    """Return the content of a file of the package's data folder."""
    return (resources.files("wheretaken.clues") / "data" / name).read_bytes()


def rows(name: str, columns: int) -> list[list[str]]:
    """Return the rows of a table, each with `columns` fields (missing last ones are empty)."""
    found: list[list[str]] = []
    for line in file_bytes(name).decode("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            fields = [field.strip() for field in line.split("\t")]
            found.append(fields + [""] * (columns - len(fields)))
    return found


def pairs(name: str) -> dict[str, str]:
    """Return a table of two columns as a mapping."""
    return {row[0]: row[1] for row in rows(name, 2)}


def weights(text: str) -> dict[str, float]:
    """Parse `XX:0.7,YY:0.2`; a name without a number weighs 1."""
    parts = (part.strip().partition(":") for part in text.split(",") if part.strip())
    return {name: float(weight or 1) for name, _, weight in parts}

"""Where the photos of a table are: found by name, and never outside the data set's folder."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".JPG")
"""Tried in this order for a name without a suffix, such as an id."""


@dataclass
class Gallery:
    """Folders in which a table's photos are looked for, in this order."""

    root: Path
    """No photo outside this folder is ever read: a table from elsewhere must not choose files to be shown."""
    folders: tuple[Path, ...]
    names_are_unique: bool = False
    """A name stands for the same photo in every folder: where the last one was found is looked first."""
    _real_root: str = field(init=False)
    _last: Path | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._real_root = os.path.realpath(self.root)

    def find(self, name: str) -> Path | None:
        """Return the photo of this name, or where it should be when it is missing.

        Returns:
            None when the name leads out of the root: by `..`, as an absolute path, or through a link.
        """
        tidy = name.replace("\\", "/")
        expected: Path | None = None
        for folder in self._order():
            for candidate in _spellings(folder, tidy):
                inside = self._holds(candidate)
                if inside and candidate.is_file():
                    self._last = folder
                    return candidate
                if inside and expected is None:
                    expected = candidate
                if not inside and (candidate.is_file() or ".." in tidy or tidy.startswith("/")):
                    return None
        return expected

    def _order(self) -> tuple[Path, ...]:
        if not self.names_are_unique or self._last is None:
            return self.folders
        return (self._last, *self.folders)

    def _holds(self, path: Path) -> bool:
        real = os.path.realpath(path)
        return real == self._real_root or real.startswith(self._real_root.rstrip(os.sep) + os.sep)


def _spellings(folder: Path, name: str) -> list[Path]:
    """Return the paths that a name may mean in a folder."""
    first, _, rest = name.partition("/")
    found = [folder / name]
    if rest and first == folder.name:
        found.append(folder / rest)  # `--images set/images` beside a table that says `images/1.jpg`
    if PurePosixPath(name).suffix.lower() not in {
        *SUFFIXES,
        ".gif",
        ".bmp",
        ".tif",
        ".tiff",
        ".heic",
        ".avif",
    }:
        found += [path.with_name(path.name + suffix) for path in found for suffix in SUFFIXES if path.name]
    return found

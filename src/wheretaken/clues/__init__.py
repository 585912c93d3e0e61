"""Offline facts that turn a piece of text in a photo into where it can be from.

`read` takes the text of a sign and returns `Clue`s: a telephone number names its region, a domain its
country, a script the countries that write it. Every clue says where its fact is from and how sure it is; a
text that says nothing gives nothing, because a false clue misleads more than a missing one.
"""

from wheretaken.clues.countries import country_name, country_prior, drive_side, language_countries, speed_unit
from wheretaken.clues.model import Clue, ClueKind, Kind
from wheretaken.clues.reading import read

__all__ = [
    "Clue",
    "ClueKind",
    "Kind",
    "country_name",
    "country_prior",
    "drive_side",
    "language_countries",
    "read",
    "speed_unit",
]

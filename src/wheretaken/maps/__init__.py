"""Maps: what a place is (`base`), and who knows about places (one module or folder a provider)."""

from wheretaken.maps.base import (
    Combination,
    MapPicture,
    MapProvider,
    Match,
    MatchKind,
    Member,
    Place,
    StreetView,
    UnsupportedError,
    WebPage,
)

__all__ = [
    "Combination",
    "MapPicture",
    "MapProvider",
    "Match",
    "MatchKind",
    "Member",
    "Place",
    "StreetView",
    "UnsupportedError",
    "WebPage",
]

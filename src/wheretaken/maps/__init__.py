"""Maps: what a place is (`base`), and who knows about places (one module or folder a provider)."""

from wheretaken.maps.base import (
    MapPicture,
    MapProvider,
    Match,
    MatchKind,
    Place,
    StreetView,
    UnsupportedError,
    WebPage,
)

__all__ = [
    "MapPicture",
    "MapProvider",
    "Match",
    "MatchKind",
    "Place",
    "StreetView",
    "UnsupportedError",
    "WebPage",
]

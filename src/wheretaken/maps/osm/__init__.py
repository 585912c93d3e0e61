"""Services over OpenStreetMap's data, each a provider of its own that settings switch on.

| provider | searches | completes | details | reverse | what it is for |
|---|---|---|---|---|---|
| `Nominatim` | yes | no, its policy forbids it | yes | the address | geocoding |
| `Photon` | yes | yes | no | what is near | names typed or read in part |
| `Overpass` | near a position | no | yes | POIs, streets, divisions | everything that is mapped there |

`elements` turns what all three say about an element into a `Place`; tiles are in `wheretaken.maps.tiles`.
"""

from wheretaken.maps.osm.nominatim import Nominatim
from wheretaken.maps.osm.overpass import Overpass
from wheretaken.maps.osm.photon import Photon

__all__ = ["Nominatim", "Overpass", "Photon"]

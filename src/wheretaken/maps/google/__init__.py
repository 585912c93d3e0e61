"""Google Maps Platform: places, addresses, map pictures and Street View.

```
provider ─► places.googleapis.com  Places API (New): text search, autocomplete, details   ─┐
         └► maps.googleapis.com    Geocoding ──────────────────────────────────────────────┴► reading ─► Place
                                   Static Maps, Street View ─► pictures ─► MapPicture, StreetView
```
`faults` reads the errors of both, `languages` says in which language to ask. Positions in mainland China are
GCJ-02 in places, addresses and on the road map; satellite pictures and Street View are WGS-84.
"""

from wheretaken.maps.google.provider import Google

__all__ = ["Google"]

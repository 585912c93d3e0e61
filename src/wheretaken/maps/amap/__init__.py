"""AMap (高德): places, addresses, road maps and satellite pictures of China.

```
MapProvider operation ─► provider  which endpoints, in which order ─► Service ─► restapi, satellite tiles
                            ├─► reading  replies as AMap writes them ─► Place
                            └─► faults   its error codes ─► Fault
```
AMap speaks GCJ-02 in mainland China; positions are converted in `reading` and `provider`, nowhere else.
"""

from wheretaken.maps.amap.provider import AmapProvider

__all__ = ["AmapProvider"]

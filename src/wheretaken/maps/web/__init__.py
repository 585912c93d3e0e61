"""Map services over HTTP: how they are asked (`Service`, which a `Connection` makes as `WebSettings` say).

```
Connection ─► adapter (a module a provider) ─► Service ─► gate ─► ledger     rate, concurrency, queue, quota
                                                  ├─► breaker, deadlines     whether and until when
                                                  └─► wire                 HTTP, where to, keys
```
An adapter builds requests, tells `Fault`s in the words of its service, and turns replies into `Place` and
`MapPicture`. It does not retry, count, time or log. All of this needs the extra `services`.
"""

from wheretaken.errors import MissingExtraError

try:
    from wheretaken.maps.web.connection import Connection
    from wheretaken.maps.web.deadlines import within
    from wheretaken.maps.web.faults import Fault, FaultKind, Response
    from wheretaken.maps.web.ledger import Ledger
    from wheretaken.maps.web.service import Health, Service
    from wheretaken.maps.web.settings import ServiceLimits, WebSettings
except ModuleNotFoundError as error:
    if error.name not in {"httpx2", "stamina", "pydantic_settings"}:
        raise
    raise MissingExtraError("asking map services", "services", error.name) from error

__all__ = [
    "Connection",
    "Fault",
    "FaultKind",
    "Health",
    "Ledger",
    "Response",
    "Service",
    "ServiceLimits",
    "WebSettings",
    "within",
]

"""Fake services that have mishaps on demand: in process through a transport, or on a loopback port.

```
fake = FakeService(lambda asked: Reply.json({"pois": []}), mishaps=at_random(0.2, seed=1))
Service("amap", "https://maps.test", transport=FakeTransport(fake))    # in process
with serve(fake) as base_url: ...                                      # over a real connection
fake.fail(status(429, retry_after=2), half_body(), hang())             # the next three replies
run(main())                                                            # in virtual time: no waiting
fake.asked, fake.counts, fake.most_open                                # what it was asked, and how
```
"""

from wheretaken.testing.services.clock import VirtualTimeLoop, loop_time, run
from wheretaken.testing.services.fake import Asked, Delivery, FakeService, Reply
from wheretaken.testing.services.mishaps import (
    EVERY,
    Mishap,
    at_random,
    garbage,
    half_body,
    hang,
    reset,
    slow,
    stalled_body,
    status,
    wrong_type,
)
from wheretaken.testing.services.server import serve
from wheretaken.testing.services.transport import FakeTransport

__all__ = [
    "EVERY",
    "Asked",
    "Delivery",
    "FakeService",
    "FakeTransport",
    "Mishap",
    "Reply",
    "VirtualTimeLoop",
    "at_random",
    "garbage",
    "half_body",
    "hang",
    "loop_time",
    "reset",
    "run",
    "serve",
    "slow",
    "stalled_body",
    "status",
    "wrong_type",
]

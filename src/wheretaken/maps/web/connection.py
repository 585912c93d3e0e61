"""What all services of one program go through: its settings, and what stands in for the network in tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wheretaken.maps.web.service import Service
from wheretaken.maps.web.settings import WebSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import httpx2
    from pydantic import SecretStr

    from wheretaken.maps.web.faults import Fault, Response
    from wheretaken.maps.web.ledger import Ledger
    from wheretaken.maps.web.settings import ServiceLimits


@dataclass(frozen=True)
class Connection:
    """Makes the services of providers: `Provider.connected(Connection(settings))`."""

    settings: WebSettings = field(default_factory=WebSettings)
    transport: httpx2.AsyncBaseTransport | None = None
    """Sends the requests of all services, instead of the network."""
    ledger: Ledger | None = None
    """Counts the requests of all services; by default each opens the user's own file."""

    def service(
        self,
        name: str,
        base_url: str,
        limits: ServiceLimits | None = None,
        *,
        query: Mapping[str, SecretStr | str] | None = None,
        headers: Mapping[str, SecretStr | str] | None = None,
        secrets: Sequence[SecretStr] = (),
        fault: Callable[[Response], Fault | None] | None = None,
        account: str = "",
    ) -> Service:
        """Return a service that goes through this; arguments are those of `Service`.

        All services are told who asks, as their operators want it, in the User-Agent.
        """
        return Service(
            name,
            base_url,
            limits,
            query=query,
            headers={"User-Agent": self.settings.user_agent, **(headers or {})},
            secrets=secrets,
            fault=fault,
            ledger=self.ledger,
            account=account,
            transport=self.transport,
            proxy=self.settings.proxy,
        )

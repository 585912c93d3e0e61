"""What the server is told when it starts."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wheretaken.errors import UserError
from wheretaken.server.limits import Limits

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import SecretStr

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - to recognise it, not to bind it


@dataclass(frozen=True)
class Address:
    """Where a server listens, and who may use it."""

    host: str = "127.0.0.1"
    port: int = 8001
    """0 for any free one."""
    token: SecretStr | None = None
    """What every request must carry; indispensable where others can reach the server."""
    allow_hosts: tuple[str, ...] = ()
    """Further names by which the server may be addressed."""

    @property
    def hosts(self) -> frozenset[str] | None:
        """Names by which the server may be addressed; None where the token protects it well enough."""
        if self.host in _EVERYWHERE and not self.allow_hosts:
            return None
        named = f"[{self.host}]" if ":" in self.host else self.host
        return LOOPBACK | {named, *self.allow_hosts}

    def check(self) -> None:
        """Refuse what would be unsafe.

        Raises:
            UserError: others can reach the server and no token is set, or it cannot be sent in a header.
        """
        if self.token is not None:
            value = self.token.get_secret_value()
            if not value.isascii() or not value.isprintable() or " " in value or not value:
                raise UserError("the token must be printable ASCII without spaces, to be sent in a header")
        elif not _loopback(self.host):
            raise UserError(
                f"{self.host} can be reached from other machines: set a token with WHERETAKEN_SERVER_TOKEN "
                "or --token, or serve on 127.0.0.1"
            )


@dataclass(frozen=True)
class ServerSettings(Address):
    """What is served, where, and to whom."""

    toolset: str = "worldwide"
    """`worldwide`, `amap`, `google` or `all`."""
    tools_config: Path | None = None
    """A file that says which of them, and what models are told about them (`tools.config`)."""
    workers: int = 1
    cache: str = ""
    """As `server.cache.opened` takes it."""
    limits: Limits = field(default_factory=Limits)


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

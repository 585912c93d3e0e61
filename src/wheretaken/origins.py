"""Which URLs may be asked: the ones that settings name, and nothing that a reply or a model adds to them.

A service is asked at its base URL only. A redirect is followed to the same origin, from http to https of
the same host, or by https to a host that the adapter lists and that is in no private network.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection

_DEFAULT_PORTS = {"http": 80, "https": 443}
_PRIVATE_SUFFIXES = (".localhost", ".local", ".lan", ".internal", ".home.arpa")


@dataclass(frozen=True)
class Origin:
    """Scheme, host and port of a URL."""

    scheme: str
    host: str
    port: int

    @property
    def private(self) -> bool:
        """Whether the host is by its name or address in a private, loopback or link-local network."""
        try:
            return not ipaddress.ip_address(self.host).is_global
        except ValueError:
            last = self.host.rpartition(".")[2]
            # Resolvers take 0x7f.1 and 2130706433 for addresses as well.
            return "." not in self.host or self.host.endswith(_PRIVATE_SUFFIXES) or last[:1].isdigit()


def origin_of(url: str) -> Origin:
    """Return the origin of an absolute http(s) URL.

    Raises:
        ValueError: it is not absolute, has another scheme, or carries a user name or password; the message
            does not repeat the URL, which may carry a key.
    """
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise ValueError("a URL must begin with https:// and a host")
    if "@" in parts.netloc:
        raise ValueError("a URL must not contain a user name or password")
    host = parts.hostname.rstrip(".")
    return Origin(parts.scheme, host, parts.port or _DEFAULT_PORTS[parts.scheme])


def check_base(url: str) -> str:
    """Return a base URL from the settings without its last slash.

    Raises:
        ValueError: as `origin_of`, or it has a query or fragment, or is unencrypted on a public host.
    """
    origin = origin_of(url)
    parts = urlsplit(url)
    if parts.query or parts.fragment:
        raise ValueError("a base URL must have neither ? nor #")
    if origin.scheme == "http" and not origin.private:
        raise ValueError("http:// is for hosts in your own network only; use https://")
    return url.rstrip("/")


def check_template(url: str) -> str:
    """Return a tile URL template with `{z}`, `{x}` and `{y}`, optionally `{key}`, in its path or query.

    Raises:
        ValueError: as `check_base` for its part before the path, or a placeholder is missing or elsewhere.
    """
    parts = urlsplit(url)
    check_base(f"{parts.scheme}://{parts.netloc}")
    rest = f"{parts.path}?{parts.query}"
    if "{" in parts.netloc or not all(name in rest for name in ("{z}", "{x}", "{y}")):
        raise ValueError("a tile URL must have {z}, {x} and {y} behind its host")
    return url


def check_path(path: str) -> bool:
    """Tell whether a path, parts of which may be a model's words, stays below the base URL."""
    segments = unquote(path).split("/")
    plain = not set(path) & set("?#\\") and path.isprintable() and " " not in path
    return (
        plain
        and (not path or (path.startswith("/") and not {"", ".", ".."} & set(segments[1:-1])))
        and (segments[-1] not in {".", ".."})
    )


def may_follow(base: Origin, target: Origin, hosts: Collection[str]) -> bool:
    """Tell whether a redirect from the service at `base` to `target` is followed."""
    if target == base:
        return True
    if target.private or (target.scheme, target.port) != ("https", 443):
        return False
    return target.host in hosts or (target.host == base.host and base.port in {80, 443})

"""How long an answer may be used: what the terms of its service allow, or less where the settings say so.

The terms are a fact of the provider (`MapProvider.keep_days` of an operation); this module knows which
operation a tool asks for. What works on the pictures of a run has no operation: its arguments do not say
which picture is meant, so its answers belong to nobody else. An answer of a service that forbids keeping
is still given to all who wait for it when it comes.

The settings file may name other times in days; terms that are stricter still hold, unless you have an
agreement with the service that allows more than its public terms:

    [cache.days]
    google = 7                # everything that Google answers
    "google/google_search" = 0

    [cache.agreed]
    amap = 30                 # AMap has allowed you to keep its answers for so long
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wheretaken.errors import UserError
from wheretaken.settings import section, settings_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

OPERATIONS = {
    "search_places": "search",
    "amap_keyword_search": "search",
    "google_map_search": "search",
    "amap_input_tips": "suggest",
    "suggest_places": "suggest",
    "find_combination": "combination",
    "place_details": "details",
    "amap_poi_detail": "details",
    "reverse_geocode": "reverse",
    "road_map": "road_map",
    "amap_static_map": "road_map",
    "google_static_map": "road_map",
    "satellite_map": "satellite",
    "amap_satellite_map": "satellite",
    "street_view": "street_view",
    "web_search": "web_search",
    "google_search": "web_search",
}
"""Which operation of `MapProvider` a tool asks for. Tools that are not here are never cached."""

Days = float | None
"""0 for never; None where the terms set no limit."""

USUAL_DAYS = 30.0
"""Places close and move, so that even what may be kept for ever is asked for again."""
_DAY = 86_400.0
_MOST_DAYS = 36_500


@dataclass(frozen=True)
class Policy:
    """Tells for how long answers are kept."""

    terms: Mapping[str, Callable[[str], Days]] = field(default_factory=dict[str, "Callable[[str], Days]"])
    """Of each provider: its `keep_days`. What a provider that is not here answers is not kept."""
    days: Mapping[str, float] = field(default_factory=dict[str, float])
    """Other times than the usual, for `provider` or, before that, for `provider/tool`."""
    agreed: Mapping[str, float] = field(default_factory=dict[str, float])
    """Times that take the place of the terms', named in the same way."""
    failure_seconds: float = 5.0
    """For how long a failure is told to others without asking again."""

    def seconds(self, tool: str, provider: str) -> float | None:
        """Return for how long an answer may be used: 0 for not at all, None when it is its caller's alone."""
        operation = OPERATIONS.get(tool)
        if operation is None:
            return None
        if provider not in self.terms:
            return 0.0
        allowed = _named(self.agreed, provider, tool)
        if allowed is None:
            allowed = self.terms[provider](operation)
        days = _named(self.days, provider, tool)
        wanted = USUAL_DAYS if days is None else days
        return (wanted if allowed is None else min(wanted, allowed)) * _DAY

    @classmethod
    def load(cls, terms: Mapping[str, Callable[[str], Days]], file: Path | None = None) -> Policy:
        """Make the policy of these providers with the times of the settings file.

        Raises:
            UserError: the file's table `cache.days` or `cache.agreed` is not as it should be.
        """
        return cls(terms, _days("days", file), _days("agreed", file))


def _named(days: Mapping[str, float], provider: str, tool: str) -> float | None:
    """Return the time for a tool of a provider, or else for the provider."""
    return days.get(f"{provider}/{tool}", days.get(provider))


def _days(name: str, file: Path | None) -> dict[str, float]:
    days: dict[str, float] = {}
    for key, value in section(f"cache.{name}", file).items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST_DAYS:
            raise UserError(
                f"{settings_file(file)}: cache.{name}.{key} must be a number of days up to {_MOST_DAYS}, "
                "0 for never"
            )
        days[key] = float(value)
    return days

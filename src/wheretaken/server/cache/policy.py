"""How long an answer may be used: what the terms of its service allow, or less where the settings say so.

The terms are a fact of the provider (`MapProvider.keep_days` of an operation); this module knows which
operation a tool asks for. What works on the pictures of a run has no operation: its arguments do not say
which picture is meant, so its answers belong to nobody else. An answer of a service that forbids keeping
is still given to all who wait for it when it comes.

The settings file may name other times in days; terms that are stricter still hold:

    [cache.days]
    amap = 7                  # everything that AMap answers
    "google/google_search" = 0
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

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
    failure_seconds: float = 5.0
    """For how long a failure is told to others without asking again."""

    def seconds(self, tool: str, provider: str) -> float | None:
        """Return for how long an answer may be used: 0 for not at all, None when it is its caller's alone."""
        operation = OPERATIONS.get(tool)
        if operation is None:
            return None
        if provider not in self.terms:
            return 0.0
        allowed = self.terms[provider](operation)
        wanted = self.days.get(f"{provider}/{tool}", self.days.get(provider, USUAL_DAYS))
        return (wanted if allowed is None else min(wanted, allowed)) * _DAY

    @classmethod
    def load(cls, terms: Mapping[str, Callable[[str], Days]], file: Path | None = None) -> Policy:
        """Make the policy of these providers with the times of the settings file.

        Raises:
            UserError: the file's table `cache.days` is not as it should be.
        """
        path = settings_file(file)
        return cls(terms, _days(path) if path.is_file() else {})


def _days(path: Path) -> dict[str, float]:
    table: Any = section("cache", path).get("days", {})
    if not isinstance(table, dict):
        raise UserError(f"{path}: days must be a table, as in [cache.days]")
    days: dict[str, float] = {}
    for name, value in cast("dict[str, Any]", table).items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST_DAYS:
            raise UserError(
                f"{path}: cache.days.{name} must be a number of days up to {_MOST_DAYS}, 0 for never"
            )
        days[name] = float(value)
    return days

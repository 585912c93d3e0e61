"""What is asked over the network, and how much: read from the environment and from `wheretaken.toml`.

Every service has a section: `[maps.amap]` in the file, `WHERETAKEN_AMAP_...` in the environment, which goes
before the file. Keys come from nowhere else, and no text form of the settings shows one. A service that needs
a key is ready when it has one; a public one that needs none is ready when it is enabled, because asking it
tells a stranger what you look for, and its operators do not expect the traffic of a training run.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from wheretaken import __version__
from wheretaken.environment import FileAndEnvironment
from wheretaken.errors import UserError
from wheretaken.origins import check_template
from wheretaken.settings import Count, Key, Positive, ServiceUrl

TileTemplate = Annotated[str, AfterValidator(check_template)]


class ServiceLimits(BaseModel):
    """How much is asked of one service, and how long it may take. Times are in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    per_second: Positive = 5.0
    """Requests a second, over all processes that share the data directory."""
    burst: Count = 5
    """Requests that may go out at once after a pause."""
    concurrency: Count = 8
    """Requests that may be open at the same time in one process."""
    queue: Annotated[int, Field(ge=0)] = 256
    """Calls that may wait in one process; further ones are refused at once."""
    daily: Count | None = None
    """Requests a day, kept across restarts and shared by all processes; none for no limit."""
    quota_utc_offset: Annotated[float, Field(ge=-12, le=14)] = 0.0
    """Hours by which the midnight at which the service starts a new day is ahead of UTC's."""
    deadline: Positive = 20.0
    """Time for a call with all its retries and waiting, unless its caller allows less."""
    attempt: Positive = 8.0
    """Time for one request, from connecting to the last byte."""
    attempts: Count = 3
    """Requests for one call, counting the first."""
    backoff: Positive = 0.25
    """Shortest wait before the first retry, doubled for each further one; as much at most is added."""
    backoff_max: Positive = 4.0
    """Longest wait before a retry, unless the service asks for a longer one."""
    failures: Count = 5
    """Failures in a row after which the service is left alone."""
    cooldown: Positive = 30.0
    """Time for which a failing service is left alone, before one call tries it again."""
    max_text_bytes: Count = 8 * 2**20
    """Largest reply in text that is read."""
    max_picture_bytes: Count = 8 * 2**20
    """Largest picture that is read."""


class ServiceSettings(BaseModel):
    """What all services have in common."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True
    )

    enabled: bool = True
    """Whether this service may be asked."""
    key: Key | None = None
    """The key that the service gave you."""
    limits: ServiceLimits = ServiceLimits()
    """How much is asked of it; what is left out keeps this service's own default."""

    @property
    def ready(self) -> bool:
        """Whether it can be asked: enabled, and with a key."""
        return self.enabled and self.key is not None

    @model_validator(mode="before")
    @classmethod
    def _keep_other_limits(cls, data: Any) -> Any:
        """Put the limits that were given on top of this service's defaults, not on the general ones."""
        if not isinstance(data, dict):
            return data
        fields = cast("dict[str, Any]", data)
        given = fields.get("limits")
        if not isinstance(given, dict):
            return fields
        default = cast("ServiceLimits", cls.model_fields["limits"].get_default())
        return {**fields, "limits": default.model_dump() | cast("dict[str, Any]", given)}


class PublicSettings(ServiceSettings):
    """A service that can be asked without a key, and is therefore off until someone decides to."""

    enabled: bool = False
    """Whether this service may be asked."""
    key: Key | None = None
    """A key, for the servers that want one."""

    @property
    def ready(self) -> bool:
        """Whether it can be asked: enabled."""
        return self.enabled


class AmapSettings(ServiceSettings):
    """AMap (高德): China, in GCJ-02."""

    url: ServiceUrl = "https://restapi.amap.com"
    """Web service API."""
    tiles_url: TileTemplate = "https://webst01.is.autonavi.com/appmaptile?style=6&x={x}&y={y}&z={z}"
    """Satellite tiles."""
    limits: ServiceLimits = ServiceLimits(per_second=3, burst=3, daily=5000, quota_utc_offset=8)
    """How much is asked of it; the default is what a personal key may."""


class GoogleSettings(ServiceSettings):
    """Google Maps Platform."""

    places_url: ServiceUrl = "https://places.googleapis.com"
    """Places API (New)."""
    maps_url: ServiceUrl = "https://maps.googleapis.com"
    """Geocoding, Static Maps and Street View Static API."""
    limits: ServiceLimits = ServiceLimits(per_second=10, burst=10, quota_utc_offset=-8)
    """How much is asked of it; set `daily` to bound what a day can cost."""


class SerperSettings(ServiceSettings):
    """Serper: web and map search."""

    url: ServiceUrl = "https://google.serper.dev"
    """Its API."""


class SearxngSettings(PublicSettings):
    """SearXNG: web search on a server of your own."""

    url: ServiceUrl = "http://127.0.0.1:8080"
    """The server, with `json` among its formats."""


class NominatimSettings(PublicSettings):
    """Nominatim: geocoding of OpenStreetMap."""

    url: ServiceUrl = "https://nominatim.openstreetmap.org"
    """The server; the public one allows a request a second for a whole application."""
    limits: ServiceLimits = ServiceLimits(per_second=1, burst=1, concurrency=1)
    """How much is asked of it; the default is the usage policy of the public server."""


class PhotonSettings(PublicSettings):
    """Photon: search as you type in OpenStreetMap."""

    url: ServiceUrl = "https://photon.komoot.io"
    """The server."""
    limits: ServiceLimits = ServiceLimits(per_second=1, burst=2, concurrency=2)
    """How much is asked of it."""


class OverpassSettings(PublicSettings):
    """Overpass: queries over OpenStreetMap."""

    url: ServiceUrl = "https://overpass-api.de/api"
    """The server."""
    limits: ServiceLimits = ServiceLimits(
        per_second=1, burst=2, concurrency=2, daily=10_000, deadline=60, attempt=40, attempts=2
    )
    """How much is asked of it; the default is what the public server calls fair."""


class XyzSettings(PublicSettings):
    """A server of XYZ tiles, which are stitched to pictures."""

    url: TileTemplate | None = None
    """The tiles; `{key}` is replaced by the key."""
    attribution: str = ""
    """Shown in every picture that is made of these tiles."""
    max_zoom: Annotated[int, Field(ge=0, le=24)] = 19
    """Closest zoom that there is; for a closer picture its tiles are enlarged."""
    tile_size: Literal[256, 512, 1024] = 256
    """Pixels of a tile's side: 512 where the URL asks for tiles in twice the detail (`@2x`)."""
    limits: ServiceLimits = ServiceLimits(per_second=10, burst=16, concurrency=4, max_picture_bytes=2**20)
    """How much is asked of it."""

    @property
    def ready(self) -> bool:
        """Whether it can be asked: enabled, and with a source."""
        return self.enabled and self.url is not None


class TilesSettings(XyzSettings):
    """XYZ tiles of a road map."""

    url: TileTemplate | None = "https://tile.openstreetmap.org/{z}/{x}/{y}.png"
    """The tiles; `{key}` is replaced by the key."""
    attribution: str = "© OpenStreetMap contributors"
    """Shown in every picture that is made of these tiles."""


class ImagerySettings(XyzSettings):
    """XYZ tiles of aerial or satellite imagery. No default: name a source whose terms you accept."""


class RegionSettings(BaseModel):
    """A part of the world where other providers are asked first."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    country_code: Annotated[str, Field(pattern="^[A-Z]{2}$")]
    """ISO 3166-1 alpha-2; a search that is restricted to this country is in the region."""
    first: tuple[str, ...]
    """Names of the providers that are asked first, in this order."""
    box: tuple[float, float, float, float] | None = None
    """South, west, north, east: positions in it are in the region. `CN` needs none: its outline is known."""


class RouterSettings(BaseModel):
    """Which provider is asked first."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    order: tuple[str, ...] = (
        "google", "amap", "photon", "nominatim", "overpass", "serper", "searxng", "tiles", "imagery",
        "offline",
    )  # fmt: skip
    """Providers in the order in which they are asked, such as by what they cost; others come after them."""
    regions: tuple[RegionSettings, ...] = (RegionSettings(country_code="CN", first=("amap",)),)
    """Where another order holds."""
    deadline: Positive = 30.0
    """Seconds for an answer, over all providers that are asked for it."""


class WebSettings(FileAndEnvironment):
    """Every service that can be asked over the network; `WebSettings.load()` reads them.

    The environment goes before what the constructor is given.
    """

    model_config = SettingsConfigDict(env_nested_delimiter="_", env_nested_max_split=1)
    table = "maps"

    contact: str = ""
    """A mail address or page by which operators can reach you; part of the User-Agent, as they ask for."""
    proxy: SecretStr | None = None
    """Proxy for all services; without it, the platform's own settings (`HTTPS_PROXY`) are used."""
    amap: AmapSettings = AmapSettings()
    """AMap (高德)."""
    google: GoogleSettings = GoogleSettings()
    """Google Maps Platform."""
    serper: SerperSettings = SerperSettings()
    """Serper."""
    searxng: SearxngSettings = SearxngSettings()
    """SearXNG."""
    nominatim: NominatimSettings = NominatimSettings()
    """Nominatim."""
    photon: PhotonSettings = PhotonSettings()
    """Photon."""
    overpass: OverpassSettings = OverpassSettings()
    """Overpass."""
    tiles: TilesSettings = TilesSettings()
    """Road map tiles."""
    imagery: ImagerySettings = ImagerySettings()
    """Aerial or satellite tiles."""
    router: RouterSettings = RouterSettings()
    """Which of them is asked first."""

    @property
    def user_agent(self) -> str:
        """What services are told about who asks."""
        about = f" ({self.contact})" if self.contact else ""
        return f"wheretaken/{__version__}{about}"

    def key(self, section: str) -> SecretStr:
        """Return the key of the section of this name.

        Raises:
            UserError: it has none.
        """
        key = cast("ServiceSettings", getattr(self, section)).key
        if key is None:
            raise UserError(
                f"{section} needs a key: set WHERETAKEN_{section.upper()}_KEY or maps.{section}.key"
            )
        return key

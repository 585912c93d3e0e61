"""What can be downloaded by name: a catalogue of facts, each with how well it is known.

The ids come from the publishers' own pages; these were read, but no hub could be asked when this was
written. So what is inside a source (which files, how photos are packed) is taken as it is found: every file
is downloaded, and archives are unpacked where they lie.

- **MAPBench** (arXiv 2601.05432): the README of the paper's repository AMAP-ML/Thinking-with-Map names both
  hubs for both versions; the data sets' pages state Apache-2.0. V1 is the paper's, of lower resolution and
  called deprecated there; V2 has as many test photos (about 2,500), larger, and 6,000 to train on.
- **IMAGEO-Bench** (arXiv 2508.01608): the README of Lingyao1219/benchmark-reverse-geocoding gives the DOI
  10.5281/zenodo.16670471. Not verified: its licence, its size, and whether it holds the tables with the
  truth; that repository has them as well, as `analysis/dataset{1,2,3}_info.csv`.
- **IM2GPS3k** (Vo et al., ICCV 2017, arXiv 1705.04838): its photos were published on a file host that has no
  addresses for programs. Offered is a third party's copy on Hugging Face, which is accepted only if it is,
  byte for byte, the published archive: the SHA-256 is the one that another project recorded of the
  publisher's download. Not verified: that the copy has it. The truth is GeoEstimation's table (TIBHannover),
  which its authors withdrew; it comes from a copy, and is accepted only with the SHA-256 recorded there. The
  licence is not stated. The heads of its columns LAT and LON are swapped; the reader of data sets knows.

A set or a source that has no known id is not offered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from wheretaken.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

HubName = Literal["huggingface", "modelscope", "zenodo"]


@dataclass(frozen=True)
class Extra:
    """A single file from elsewhere that a source needs to be complete."""

    path: str
    """Where it goes."""
    url_path: str
    """Where it is, on the host `github` of the settings."""
    size: int
    """Bytes."""
    checksum: str
    """As in `listing.RemoteFile`."""


@dataclass(frozen=True)
class Source:
    """One place that a data set can be downloaded from."""

    hub: HubName
    """Whose API lists it."""
    id: str
    """`OWNER/NAME`, or a record's number at Zenodo."""
    revision: str = ""
    """A branch, a tag or a commit; nothing where the hub has none."""
    files: tuple[str, ...] = ("*",)
    """Patterns of the paths to download; hidden files are the hub's own and left out."""
    known: Mapping[str, str] = field(default_factory=dict[str, str])
    """Path -> the checksum of the published file, for copies that are not the publisher's."""
    extras: tuple[Extra, ...] = ()
    """What is not at the hub."""


@dataclass(frozen=True)
class CatalogueEntry:
    """A data set that can be downloaded by name."""

    name: str
    title: str
    licence: str
    """As its publisher states it."""
    sources: tuple[Source, ...]
    """The first is used unless another one is asked for."""

    def source(self, hub: HubName | None) -> Source:
        """Return the source at this hub, or the first.

        Raises:
            UserError: The data set is not there; the message says where it is.
        """
        for source in self.sources:
            if hub is None or source.hub == hub:
                return source
        hubs = ", ".join(source.hub for source in self.sources)
        raise UserError(f"{self.name} is not offered by {hub}: use --from {hubs}")


def entry(name: str) -> CatalogueEntry:
    """Return the data set of this name.

    Raises:
        UserError: There is none.
    """
    if name not in CATALOGUE:
        raise UserError(f"{name!r} cannot be downloaded by name: choose from {', '.join(CATALOGUE)}")
    return CATALOGUE[name]


def _mapbench(version: str, note: str) -> CatalogueEntry:
    return CatalogueEntry(
        name=f"mapbench-{version.lower()}",
        title=f"MAPBench {version} ({note})",
        licence="Apache-2.0",
        sources=(
            Source("huggingface", f"GD-ML/MAPBench-{version}", "main"),
            Source("modelscope", f"yux1ang/MAPBench-{version}", "master"),
        ),
    )


_IMAGEO = CatalogueEntry(
    name="imageo",
    title="IMAGEO-Bench (6,152 street scenes, 2,929 places in the United States, 272 private photos)",
    licence="see its record at Zenodo",
    sources=(Source("zenodo", "16670471"),),
)
_IM2GPS3K = CatalogueEntry(
    name="im2gps3k",
    title="IM2GPS3k (3,000 photos from Flickr, 2,997 of them with truth)",
    licence="not stated; each photo is its Flickr author's",
    sources=(
        Source(
            "huggingface",
            "MatchaMacchiato/img2gps3k",
            "main",
            files=("im2gps3ktest.zip",),
            known={
                "im2gps3ktest.zip": "sha256:c3c069a7632983998efcfed52f77687bf6375984fcfb02ec0c5d21fc78ff1892"
            },
            extras=(
                Extra(
                    path="im2gps3k_places365.csv",
                    url_path="media/Junchen-Ding/Geolocation/main/results/im2gps3k_places365.csv",
                    size=435_645,
                    checksum="sha256:0f243d1e23cbb4ab8f0a83fa045ebae642dac2458fb94a1540db6f5f5588031d",
                ),
            ),
        ),
    ),
)
CATALOGUE: Mapping[str, CatalogueEntry] = {
    known.name: known
    for known in (
        _mapbench("V1", "photos of places in China, the paper's lower resolution"),
        _mapbench("V2", "photos of places in China, higher resolution"),
        _IMAGEO,
        _IM2GPS3K,
    )
}
"""Name -> data set."""

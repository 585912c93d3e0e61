"""What a source holds: three hubs' answers read into one list of files with sizes, checksums and URLs.

Formats, as the hubs' own clients read them:

- **Hugging Face**: `GET /api/datasets/ID/revision/REV` gives the commit (`sha`) that all else is pinned to;
  `GET /api/datasets/ID/tree/SHA?recursive=true` lists it in pages (`Link: <...>; rel="next"`), with the
  SHA-256 of large files (`lfs.oid`) and the git blob id of all others (`oid`);
  `GET /datasets/ID/resolve/SHA/PATH` is the file, or a redirect to it.
- **ModelScope**: `GET /api/v1/datasets/ID/repo/tree?Revision=&Recursive=True&PageNumber=&PageSize=` gives
  `{Code, Data: {Files: [{Path, Type, Size, Sha256}]}}`; `GET /api/v1/datasets/ID/repo?Revision=&FilePath=`.
- **Zenodo**: `GET /api/records/ID` gives `{id, files: [{key, size, checksum: "md5:..."}]}`;
  `GET /api/records/ID/files/KEY/content`.

URLs are built on the configured host and never taken from an answer: what a listing says cannot lead a
download elsewhere, and a mirror need not rewrite what it passes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from wheretaken.errors import DataError, ServiceError
from wheretaken.evals.downloads.web import shown

if TYPE_CHECKING:
    import httpx2

    from wheretaken.evals.downloads.catalogue import Source
    from wheretaken.evals.downloads.web import Web

_T = TypeVar("_T")
_PAGE_SIZE = 200
"""What ModelScope's own client asks for."""
_MOST_PAGES = 1_000
"""A listing that goes on longer goes round in circles."""


@dataclass(frozen=True)
class RemoteFile:
    """A file at a source, before it is downloaded."""

    path: str
    """As the source names it: to be looked at before anything is written (`folder.Folder.path`)."""
    size: int
    """Bytes."""
    url: str
    checksum: str = ""
    """`sha256:HEX`, `md5:HEX` or `git:HEX` (a git blob id); empty where the source gives none."""


@dataclass(frozen=True)
class Listing:
    """The files of a source at one revision."""

    revision: str
    files: tuple[RemoteFile, ...]


Size = Annotated[int, Field(ge=0)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Lfs(BaseModel):
    oid: Sha256
    size: Size


class _HuggingFaceFile(BaseModel):
    type: str
    path: str
    size: Size = 0
    oid: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
    lfs: _Lfs | None = None


class _HuggingFaceRevision(BaseModel):
    sha: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]


class _ModelScopeFile(BaseModel):
    path: Annotated[str, Field(alias="Path")]
    type: Annotated[str, Field(alias="Type")]
    size: Annotated[Size, Field(alias="Size")] = 0
    sha256: Annotated[Sha256 | Literal[""] | None, Field(alias="Sha256")] = None


class _ModelScopeFiles(BaseModel):
    files: Annotated[list[_ModelScopeFile] | None, Field(alias="Files")] = None


class _ModelScopePage(BaseModel):
    code: Annotated[Literal[200], Field(alias="Code")]
    data: Annotated[_ModelScopeFiles, Field(alias="Data")]


class _ZenodoFile(BaseModel):
    key: str
    size: Size
    checksum: Annotated[str, Field(pattern=r"^md5:[0-9a-f]{32}$")]


class _ZenodoRecord(BaseModel):
    id: int
    files: list[_ZenodoFile]


async def list_files(web: Web, source: Source) -> Listing:
    """Ask a source what it holds, and keep what the catalogue wants of it.

    Raises:
        DataError: The source offers other bytes than the published ones, or nothing that is wanted.
        ServiceError: The source cannot be reached, or its answer cannot be read.
        UserError: The source wants to know who asks.
    """
    readers = {"huggingface": _huggingface, "modelscope": _modelscope, "zenodo": _zenodo}
    listing = await readers[source.hub](web, source)
    files = [file for file in listing.files if _wanted(file.path, source)]
    if not files:
        raise DataError(f"{source.hub} has no files in {source.id}: choose another source with --from")
    for file in files:
        published = source.known.get(file.path)
        if published is not None and file.checksum != published:
            raise DataError(
                f"{source.hub} {source.id}: {file.path} ({file.checksum}) is not the published file "
                f"({published}): get it from its publisher"
            )
    extras = (
        RemoteFile(e.path, e.size, f"{web.settings.hosts['github']}/{e.url_path}", e.checksum)
        for e in source.extras
    )
    return Listing(listing.revision, (*files, *extras))


def _wanted(path: str, source: Source) -> bool:
    hidden = any(part.startswith(".") and part.strip(".") for part in path.split("/"))
    return not hidden and any(fnmatchcase(path, pattern) for pattern in source.files)


async def _huggingface(web: Web, source: Source) -> Listing:
    host = web.settings.hosts["huggingface"]
    api = f"{host}/api/datasets/{source.id}"
    url = f"{api}/revision/{quote(source.revision, safe='')}"
    sha = _read(TypeAdapter(_HuggingFaceRevision), await web.get(url), url).sha
    url, params = f"{api}/tree/{sha}", {"recursive": "true"}
    adapter = TypeAdapter(list[_HuggingFaceFile])
    files: list[RemoteFile] = []
    for _ in range(_MOST_PAGES):
        response = await web.get(url, params)
        files += (
            RemoteFile(
                file.path,
                file.lfs.size if file.lfs else file.size,
                f"{host}/datasets/{source.id}/resolve/{sha}/{quote(file.path)}",
                f"sha256:{file.lfs.oid}" if file.lfs else f"git:{file.oid}",
            )
            for file in _read(adapter, response, url)
            if file.type == "file"
        )
        link = response.links.get("next")
        if link is None:
            return Listing(sha, tuple(files))
        params = dict(parse_qsl(urlsplit(link["url"]).query))
    raise _endless(url)


async def _modelscope(web: Web, source: Source) -> Listing:
    api = f"{web.settings.hosts['modelscope']}/api/v1/datasets/{source.id}/repo"
    adapter = TypeAdapter(_ModelScopePage)
    files: list[RemoteFile] = []
    for page in range(1, _MOST_PAGES + 1):
        params = {
            "Revision": source.revision,
            "Recursive": "True",
            "PageNumber": page,
            "PageSize": _PAGE_SIZE,
        }
        url = f"{api}/tree"
        found = _read(adapter, await web.get(url, params), url).data.files or []
        files += (
            RemoteFile(
                file.path,
                file.size,
                f"{api}?{urlencode({'Revision': source.revision, 'FilePath': file.path})}",
                f"sha256:{file.sha256}" if file.sha256 else "",
            )
            for file in found
            if file.type == "blob"
        )
        if len(found) < _PAGE_SIZE:
            return Listing(source.revision, tuple(files))
    raise _endless(api)


async def _zenodo(web: Web, source: Source) -> Listing:
    api = f"{web.settings.hosts['zenodo']}/api/records"
    url = f"{api}/{source.id}"
    record = _read(TypeAdapter(_ZenodoRecord), await web.get(url), url)
    files = (
        RemoteFile(
            file.key, file.size, f"{api}/{record.id}/files/{quote(file.key, safe='')}/content", file.checksum
        )
        for file in record.files
    )
    # The id of all versions of a record is answered with the newest one, which has an id of its own.
    return Listing(str(record.id), tuple(files))


def _read(adapter: TypeAdapter[_T], response: httpx2.Response, url: str) -> _T:
    try:
        return adapter.validate_json(response.content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "answer"
        raise ServiceError(
            f"{shown(url)}: the list of files cannot be read ({place}: {first['msg']}): is this the hub's "
            "address?"
        ) from None


def _endless(url: str) -> ServiceError:
    return ServiceError(f"{shown(url)}: the list of files does not end")

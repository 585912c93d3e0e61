"""Whether bytes are what they are said to be: a whole picture of a kind that maps come in.

Only the outermost bytes are looked at; whoever uses the picture decodes it through `photos`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheretaken.maps.web.faults import Fault, FaultKind

if TYPE_CHECKING:
    from wheretaken.maps.web.faults import Response

# First bytes; the mark near the end without which the file is cut (empty where the format has none).
_FORMATS = {
    "image/png": (b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"),
    "image/jpeg": (b"\xff\xd8\xff", b"\xff\xd9"),
    "image/webp": (b"RIFF", b""),
    "image/gif": (b"GIF8", b"\x3b"),
}
_ALIASES = {"image/jpg": "image/jpeg"}
_TAIL = 64


def picture_fault(response: Response) -> Fault | None:
    """Return why a reply is not a whole picture; None if it is one."""
    said = response.media_type
    if said in {"", "application/octet-stream"}:
        # Some tile servers do not say what they send.
        said = next(
            (mime for mime, (first, _) in _FORMATS.items() if response.content.startswith(first)), said
        )
    mime = _ALIASES.get(said, said)
    if mime not in _FORMATS:
        return Fault(FaultKind.TEMPORARY, f"answered {said or 'nothing known'} where a picture was expected")
    first, last = _FORMATS[mime]
    if not response.content.startswith(first):
        return Fault(FaultKind.TEMPORARY, f"answered something that is not the {mime} it is said to be")
    if last not in response.content[-_TAIL:]:
        return Fault(FaultKind.TEMPORARY, f"answered an {mime} that is cut short")
    return None

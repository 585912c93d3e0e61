"""Errors as AMap sends them: HTTP 200, also where a picture was asked for, and JSON that says what is wrong.

`{"status": "0", "info": "INVALID_USER_KEY", "infocode": "10001"}`; the codes and what they mean:
https://lbs.amap.com/api/webservice/guide/tools/info
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from wheretaken.maps.web import Fault, FaultKind

if TYPE_CHECKING:
    from wheretaken.maps.web import Response

_MINUTE = 60.0
_SECOND = 1.0
_WAITS = {"10004": _MINUTE} | dict.fromkeys(("10014", "10015", "10019", "10020", "10021", "10029"), _SECOND)
"""Too many requests, and for how long a limit counts them: 10004 a minute, the others a second."""
_KINDS = {
    # The day's, or the paid, requests of the key or of its account.
    **dict.fromkeys(("10003", "10044", "40000"), FaultKind.QUOTA),
    # Key, service, address, domain, signature, security code, platform, banned address, https, permission,
    # deleted key, banned account, expired permission, expired contract.
    **dict.fromkeys(
        (
            *("10001", "10002", "10005", "10006", "10007", "10008", "10009", "10010"),
            *("10011", "10012", "10013", "10026", "10041", "40002"),
        ),
        FaultKind.ACCESS,
    ),
    **dict.fromkeys(_WAITS, FaultKind.BUSY),
    # Overload, a part that is away, and "unknown error".
    **dict.fromkeys(("10016", "10017", "20003"), FaultKind.TEMPORARY),
}
_MENDABLE = {
    "20000": "an argument is not what it takes; check the id or the query",
    "20001": "an argument is missing",
    "20011": "it knows positions in China only; did you swap latitude and longitude?",
    "20012": "it refuses this query; search for something else",
}
"""What a model can do about it. Any other code that begins with 2 or 3 blames the arguments as well: of the
latter the documentation says to check them first."""


def fault(response: Response) -> Fault | None:
    """Return what AMap says is wrong; None if it says that nothing is, or says nothing in its own way."""
    found: object = response.json
    if response.status != 200 or found is None:
        return None
    reply = cast("dict[str, object]", found) if isinstance(found, dict) else {}
    if reply.get("status") == "1":
        return None
    code, info = str(reply.get("infocode", "")), str(reply.get("info", ""))
    if reply.get("status") != "0":
        return Fault(FaultKind.TEMPORARY, "answered JSON that is not AMap's")
    said = f"{info} ({code})"
    if code in _KINDS:
        return Fault(_KINDS[code], said, _WAITS.get(code))
    if code[:1] in {"2", "3"}:
        return Fault(FaultKind.ARGUMENT, f"{_MENDABLE.get(code, 'check the arguments')} ({info})")
    return Fault(FaultKind.REFUSED, said)

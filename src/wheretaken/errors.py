"""The one exception tree. Who sees a failure is decided by its type.

```
WheretakenError
├── UserError             a person can mend it: the message is one line that says how   (exit 2)
│   ├── PhotoError        a picture that cannot be used: missing, truncated, not a picture, too large
│   ├── MissingExtraError a feature whose optional dependencies are not installed
│   └── DataError         a data file (index, region, trajectory) that is missing or damaged
├── ToolError             a model can mend it: the text goes back to the model, the run goes on
├── ModelError            the model's side failed: no reply, or nothing usable           (exit 4)
└── ServiceError          a service we depend on failed: network, server fault           (exit 4)
    ├── DeadlineError     it gave no answer in the time that there was
    ├── BusyError         more calls are waiting, or being sent, than it takes; try again after `retry_after`
    ├── UnavailableError  it failed several times in a row and is left alone until `retry_after`
    ├── QuotaError        the calls of the day are used up
    └── AccessError       it refuses the key, or the key lacks this permission
```

Anything else that is raised is a bug and is meant to be seen. Nothing here is caught blindly: the agent
loop catches `ToolError`, the sampler and the command line catch `WheretakenError`, nobody catches more.
"""

from __future__ import annotations

from typing import NoReturn


class WheretakenError(Exception):
    """Root of every error that this package raises on purpose."""


class UserError(WheretakenError):
    """Something a person can mend; the message is one line that says how."""


class PhotoError(UserError):
    """A picture that cannot be used."""


class MissingExtraError(UserError):
    """A feature was asked for whose optional dependencies are not installed."""

    def __init__(self, feature: str, extra: str, missing: str) -> None:
        """Name the feature, the extra that provides it and the module that was not found."""
        super().__init__(f"{feature} needs {missing}: run  pip install 'wheretaken[{extra}]'")
        self.feature = feature
        self.extra = extra
        self.missing = missing

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str, str]]:
        """Tell other processes of it."""
        return type(self), (self.feature, self.extra, self.missing)


class DataError(UserError):
    """A data file is missing, damaged or of another version; the message says how to rebuild it."""


class ToolError(WheretakenError):
    """A tool call that the model can correct; the message is written for the model."""


class ModelError(WheretakenError):
    """The model failed to reply, or replied with nothing usable.

    Attributes:
        reason: Which kind of failure, for programs: `key`, `model`, `context`, `tools`, `pictures`,
        `overloaded`,
            `late`, `network`, `reply`, `refused`; empty where it is none of these.
    """

    def __init__(self, message: str, *, reason: str = "") -> None:
        """Say what failed and what mends it, in one line; it never carries a key."""
        super().__init__(message)
        self.reason = reason


class ServiceError(WheretakenError):
    """A service that a tool or a model depends on failed.

    Attributes:
        service: Its name in the settings; empty when the failing side has none.
        retry_after: Seconds after which another try makes sense, where that is known.
    """

    def __init__(self, message: str, *, service: str = "", retry_after: float | None = None) -> None:
        """Say what failed; `message` names the service and never carries a key."""
        super().__init__(message)
        self.service = service
        self.retry_after = retry_after


class DeadlineError(ServiceError):
    """The service gave no answer in the time that there was."""


class BusyError(ServiceError):
    """The service takes no more calls at the moment, or too many already wait for it."""


class UnavailableError(ServiceError):
    """The service failed several times in a row and is not asked for a while."""


class QuotaError(ServiceError):
    """The calls that the service allows a day are used up."""


class AccessError(ServiceError):
    """The service refuses the key, or the key lacks the permission for this call."""


def raise_first(several: BaseExceptionGroup[BaseException]) -> NoReturn:
    """Raise the first error of a group of tasks, which had the others cancelled, as itself."""
    first = several.exceptions[0]
    raise first from first.__cause__

"""wheretaken: finds where a photo was taken, and shows why.

    from wheretaken import locate, locate_sync

Importing this package is cheap on purpose: nothing but this file is loaded until a part is used.
"""

TYPE_CHECKING = False  # type checkers know it by its name, and need not have `typing` loaded for it
if TYPE_CHECKING:
    from wheretaken.api import locate, locate_sync

__version__ = "0.1.0"
__all__ = ["__version__", "locate", "locate_sync"]


def __getattr__(name: str) -> object:
    """Load what the package offers when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from wheretaken import api  # noqa: PLC0415 - see the docstring

    return getattr(api, name)

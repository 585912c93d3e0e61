"""Models by their name: what `--model` takes.

`reader` is the embedded model. `vllm`, `openai:NAME` and the like are presets, with the server's name for the
model behind the colon. Any other name is a table `[models.NAME]` of the settings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from wheretaken.errors import MissingExtraError, UserError
from wheretaken.models.presets import PRESETS
from wheretaken.settings import complaint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wheretaken.models.base import ChatModel
    from wheretaken.models.openai.chat import Server
    from wheretaken.models.settings import ModelSettings, ModelsSettings

READER = "reader"


def open_models(
    name: str, settings: ModelsSettings | None = None, *, base_url: str = ""
) -> Callable[[int], ChatModel]:
    """Return what makes the model of a run from its seed.

    Args:
        name: `reader`, a preset (`vllm`, `openai:NAME`), or a model of the settings.
        settings: Read from the settings file and the environment when they are not given.
        base_url: Asked instead of the address in the preset or the settings. A key goes there only if it
            was for the same host, or is in `WHERETAKEN_MODEL_KEY`.

    Raises:
        UserError: there is no such model, it has no name or key where it needs one, or the settings are
        wrong. MissingExtraError: the libraries that it needs are not installed.
    """
    if name == READER:
        if base_url:
            raise UserError(f"{READER} is embedded and has no --base-url; name a model, such as openai:NAME")
        from wheretaken.models.reader.reader import Reader  # noqa: PLC0415 - loads the OCR's types

        return lambda _seed: Reader()
    return open_server(name, settings, base_url=base_url).chat


def open_server(
    name: str,
    settings: ModelsSettings | None = None,
    *,
    base_url: str = "",
    changes: Mapping[str, Any] | None = None,
) -> Server:
    """Return the server of a model that is asked over HTTP; see `open_models`.

    Args:
        name: As there.
        settings: As there.
        base_url: As there.
        changes: Fields of its settings that are to be others.
    """
    resolved = resolve(name, settings, base_url=base_url)
    try:
        from wheretaken.models.openai.chat import Server  # noqa: PLC0415 - loads the SDK
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    return Server(name, resolved.model_copy(update=changes))


def resolve(name: str, settings: ModelsSettings | None = None, *, base_url: str = "") -> ModelSettings:
    """Return the settings, with the key, of a model that is asked over HTTP; see `open_models`."""
    try:
        from wheretaken.models.settings import (  # noqa: PLC0415 - needs the extra
            KEY_VARIABLE,
            ModelSettings,
            ModelsSettings,
            moved,
        )
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    known = (settings or ModelsSettings.load()).models
    head, _, model = name.partition(":")
    if name in known or head in known:
        entry = known.get(name) or known[head]
        given: dict[str, Any] = {n: getattr(entry, n) for n in ModelSettings.model_fields if n != "preset"}
        given |= {"model": model} if name not in known else {}
    elif head in PRESETS:
        given = dict(PRESETS[head].settings) | {"model": model}
    else:
        raise UserError(f"no model named {name!r}; there are: {', '.join(names(known))}")
    if base_url:
        if moved(str(given["base_url"]), base_url):
            given = _elsewhere(base_url, model or str(given["model"]), KEY_VARIABLE)
        given["base_url"] = base_url
    try:
        made = ModelSettings.model_validate(given).with_key()
    except ValidationError as error:
        steps, reason = complaint(error)
        raise UserError(f"model {name!r}: {'.'.join(steps)}: {reason}") from None
    _check(name, head, made, base_url)
    return made


def _elsewhere(base_url: str, model: str, variable: str) -> dict[str, Any]:
    """Return what is known of a server that was named by its URL: a preset's abilities where it is one's."""
    from wheretaken.models.settings import moved  # noqa: PLC0415 - needs the extra

    for preset in PRESETS.values():
        if not moved(str(preset.settings["base_url"]), base_url):
            return dict(preset.settings) | {"model": model}
    return {"model": model, "key_variable": variable}


def _check(name: str, head: str, made: ModelSettings, base_url: str) -> None:
    preset = PRESETS.get(head)
    if preset is None or preset.local or base_url:
        return
    if not made.model:
        raise UserError(f"{name} serves many models: name one, as in {head}:NAME")
    if made.key is None:
        raise UserError(f"{name} needs a key: set {made.key_variable}")


def names(known: Any) -> list[str]:
    """Return the names that there are, with presets as they are to be written."""
    presets = [f"{name}[:NAME]" if preset.local else f"{name}:NAME" for name, preset in PRESETS.items()]
    return [READER, *known, *presets]


def _missing(error: ModuleNotFoundError) -> Exception:
    if error.name is None or error.name.startswith("wheretaken"):
        return error
    return MissingExtraError("asking a model over HTTP", "models", error.name)

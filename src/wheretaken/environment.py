"""Settings of a table of `wheretaken.toml` before which variables of the environment go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from wheretaken.errors import UserError
from wheretaken.settings import complaint, section, settings_file

if TYPE_CHECKING:
    from pathlib import Path


class FileAndEnvironment(BaseSettings):
    """What the file and the environment say together; `load()` reads them.

    A subclass says how variables are named: `env_nested_delimiter`, and `env_nested_max_split` where deeper
    tables are written as JSON. What the constructor is given counts as the file's.
    """

    model_config = SettingsConfigDict(
        env_prefix="WHERETAKEN_",
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )
    table: ClassVar[str]
    """Which table of the file it is."""

    @classmethod
    def from_table(cls, values: dict[str, Any]) -> Self:
        """Take the file's table."""
        return cls(**values)

    @classmethod
    def load(cls, file: Path | None = None) -> Self:
        """Read the settings file (by default the usual one) and the environment.

        Raises:
            UserError: a file that was named is missing, is not TOML, or a setting is wrong. The message names
                file and setting, and repeats no value, which could be a key.
        """
        values = section(cls.table, file)
        try:
            return cls.from_table(values)
        except ValidationError as error:
            steps, reason = complaint(error)
            where = ".".join(steps if steps[:1] == (cls.table,) else (cls.table, *steps))
            raise UserError(
                f"{where}: {reason}; mend it in {settings_file(file)} or in {cls._variable(steps)}"
            ) from None
        except SettingsError as error:
            raise UserError(f"environment: {error}; a table is written there as JSON") from None

    @classmethod
    def _variable(cls, steps: tuple[str, ...]) -> str:
        """Return the variable that holds a setting, or the table that the setting is in."""
        config = cls.model_config
        split = config.get("env_nested_max_split")
        named = steps if split is None else steps[: split + 1]
        return f"{config.get('env_prefix')}{(config.get('env_nested_delimiter') or '').join(named)}".upper()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the library passes all by name
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment go before the file's table, which arrives as the constructor's arguments."""
        return env_settings, init_settings

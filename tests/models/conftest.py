"""Models behind a scripted server on a real port."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from wheretaken.models.base import ChatModel
from wheretaken.models.opening import open_models
from wheretaken.models.settings import ModelSettings, ModelsSettings
from wheretaken.testing.services import serve
from wheretaken.testing.services.chat import ChatService

Connect = Callable[..., ChatModel]


@pytest.fixture(autouse=True)
def _nothing_configured(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("WHERETAKEN_SETTINGS", "WHERETAKEN_MODEL_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Serve a service, and return a model with these settings that asks it."""
    with ExitStack() as servers:

        def connected(service: ChatService, seed: int = 1, **settings: object) -> ChatModel:
            url = servers.enter_context(serve(service))
            given = {"model": "scripted", "base_url": f"{url}/v1", "timeouts": {"read": 2}, **settings}
            entry = ModelSettings.model_validate(given)
            return open_models("toy", ModelsSettings(models={"toy": entry}))(seed)

        yield connected

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from wheretaken.errors import UserError
from wheretaken.maps.web import ServiceLimits, WebSettings
from wheretaken.maps.web.settings import RegionSettings


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("WHERETAKEN_SETTINGS", "WHERETAKEN_AMAP_KEY", "WHERETAKEN_CONTACT"):
        monkeypatch.delenv(name, raising=False)


def test_without_settings_nothing_is_asked() -> None:
    settings = WebSettings.load()
    sections = [getattr(settings, name) for name in WebSettings.model_fields]
    assert [section for section in sections if getattr(section, "ready", False)] == []


def test_a_key_in_the_environment_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHERETAKEN_AMAP_KEY", " abc123\n")
    amap = WebSettings.load().amap
    assert amap.ready
    assert amap.key is not None
    assert amap.key.get_secret_value() == "abc123"


def test_a_key_that_is_missing_is_asked_for_by_name() -> None:
    with pytest.raises(UserError, match="serper needs a key: set WHERETAKEN_SERPER_KEY"):
        WebSettings.load().key("serper")


def test_a_public_service_is_asked_when_someone_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHERETAKEN_NOMINATIM_ENABLED", "1")
    monkeypatch.setenv("WHERETAKEN_CONTACT", "desk@example.org")
    settings = WebSettings.load()
    assert settings.nominatim.ready
    assert settings.user_agent.endswith("(desk@example.org)")


def test_the_file_is_read_and_the_environment_goes_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wheretaken.toml").write_text(
        '[other]\na = 1\n[maps.amap]\nkey = "file"\nurl = "https://amap.test/"\nlimits.daily = 9\n'
    )
    monkeypatch.setenv("WHERETAKEN_AMAP_KEY", "environment")
    amap = WebSettings.load().amap
    assert amap.key is not None
    assert (amap.key.get_secret_value(), amap.url, amap.limits.daily) == (
        "environment",
        "https://amap.test",
        9,
    )


def test_limits_that_are_not_given_stay_those_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHERETAKEN_NOMINATIM_LIMITS", '{"deadline": 3}')
    limits = WebSettings.load().nominatim.limits
    assert (limits.deadline, limits.per_second, limits.concurrency) == (3, 1, 1)


def test_a_named_file_is_read_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a" / "s.toml"
    path.parent.mkdir()
    path.write_text('[maps]\ncontact = "me"\n')
    monkeypatch.setenv("WHERETAKEN_SETTINGS", str(path))
    assert WebSettings.load().contact == "me"
    path.unlink()
    with pytest.raises(UserError, match=r"s\.toml: cannot be read.*WHERETAKEN_SETTINGS"):
        WebSettings.load()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[maps.amap\n", "line 1"),
        ("maps = 3\n", "maps must be a table"),
        ('contact = "secret"\n[maps]\n', r"contact is in no table; write it below one, such as \[maps\]"),
        ('[maps.amap]\nkeey = "secret"\n', r"maps\.amap\.keey: Extra inputs"),
        ('[maps.bing]\nkey = "secret"\n', r"maps\.bing: Extra inputs"),
        ('[maps.amap]\nkey = "two secrets"\n', r"maps\.amap\.key: a key consists of.*WHERETAKEN_AMAP_KEY"),
        ('[maps.amap]\nkey = ["secret"]\n', r"maps\.amap\.key: Input should be a valid string"),
        (
            '[maps.google]\nplaces_url = "http://a.test/secret"\n',
            r"places_url: http:// is for hosts in your own",
        ),
        ('[maps.imagery]\nurl = "https://a.test/{z}?secret"\n', r"imagery\.url: a tile URL"),
        ("[maps.osm]\nper_second = 0\n", r"maps\.osm: Extra"),
        ("[maps.tiles.limits]\nper_second = 0\n", r"maps\.tiles\.limits\.per_second: .*greater than 0"),
        ('maps.amap = "secret"\n', r"maps\.amap: Input should be"),
    ],
)
def test_a_wrong_file_is_told_in_one_line_that_repeats_no_value(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "wheretaken.toml").write_text(text)
    with pytest.raises(UserError, match=said) as caught:
        WebSettings.load()
    assert "secret" not in str(caught.value)
    assert "wheretaken.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_wrong_environment_is_told_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHERETAKEN_AMAP_LIMITS", "{secret")
    with pytest.raises(UserError, match=r"amap.*JSON") as caught:
        WebSettings.load()
    assert "secret" not in str(caught.value)


def test_every_field_says_what_it_is() -> None:
    models: list[type[BaseModel]] = [WebSettings, ServiceLimits, RegionSettings]
    models += [
        field.annotation
        for field in WebSettings.model_fields.values()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    ]
    assert len(models) == 13
    silent = [f"{m.__name__}.{n}" for m in models for n, f in m.model_fields.items() if not f.description]
    assert silent == []


def test_a_missing_extra_is_named() -> None:
    program = (
        "import sys; sys.modules['stamina'] = None\n"
        "from wheretaken.errors import MissingExtraError\n"
        "try: import wheretaken.maps.web\n"
        "except MissingExtraError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "stamina" in done.stdout
    assert "wheretaken[services]" in done.stdout

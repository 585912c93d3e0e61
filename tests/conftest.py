"""What every test shares: no network, caches of its own, and the real sample data when they are at hand."""

import os
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parents[1]
REQUIRE_ALL = os.environ.get("WHERETAKEN_REQUIRE_ALL") == "1"


# How long an example takes depends on the machine. In CI the examples are the same in every run, so that a
# change is not judged by luck; elsewhere every run tries new ones.
hypothesis.settings.register_profile(
    "ours",
    deadline=None,
    derandomize=REQUIRE_ALL,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("ours")


def pytest_configure() -> None:
    """Keep the suite off the user's own cache; built indexes are reused between runs."""
    state = Path(os.environ.get("WHERETAKEN_TEST_DIR") or ROOT / ".pytest_cache" / "wheretaken")
    os.environ["WHERETAKEN_CACHE_DIR"] = str(state / "cache")
    os.environ["WHERETAKEN_DATA_DIR"] = str(state / "data")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real photographs, extracts and published answers, which are not part of the project."""
    path = Path(os.environ.get("WHERETAKEN_SHARED") or ROOT.parent / "shared").resolve()
    if not (path / "photos" / "places.json").is_file():
        reason = f"sample data not found at {path}; set WHERETAKEN_SHARED"
        if REQUIRE_ALL:
            pytest.fail(reason)
        pytest.skip(reason)
    return path

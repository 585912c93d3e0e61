"""Every source, from its listing to the last byte."""

import hashlib
import json
from pathlib import Path

import pytest

from wheretaken.errors import DataError, ServiceError, UserError
from wheretaken.evals.downloads import CATALOGUE, HubName, Meter, Settings, entry
from wheretaken.evals.downloads.catalogue import CatalogueEntry, Extra, Source
from wheretaken.testing.hub import FakeHub, Fault

from .conftest import SET, Download, contents


@pytest.mark.parametrize("name", ["huggingface", "modelscope", "zenodo"])
def test_all_files_arrive_under_their_names(
    name: HubName, hub: FakeHub, files: dict[str, bytes], get: Download, tmp_path: Path
):
    record = get(name)
    wanted = {path.replace("/", "-"): data for path, data in files.items()} if name == "zenodo" else files
    assert contents(tmp_path / "set") == wanted
    assert record.source == name
    assert {file.path: file.size for file in record.files} == {p: len(data) for p, data in wanted.items()}
    assert json.loads((tmp_path / "set" / "wheretaken-download.json").read_text()) == record.model_dump(
        mode="json"
    )
    kinds = {file.checksum.partition(":")[0] for file in record.files}
    assert (
        kinds
        == {
            "huggingface": {"sha256", "git"},
            "modelscope": {"sha256"},
            "zenodo": {"md5"},
        }[name]
    )


def test_a_second_time_nothing_is_asked(hub: FakeHub, get: Download):
    first = get()
    asked = len(hub.log)
    assert get() == first
    assert get("huggingface") == first
    assert len(hub.log) == asked


def test_a_file_that_went_missing_or_was_cut_off_comes_back_alone(
    hub: FakeHub, files: dict[str, bytes], get: Download, tmp_path: Path
):
    get()
    hub.log.clear()
    (tmp_path / "set" / "test.jsonl").unlink()
    (tmp_path / "set" / "images" / "3 é.jpg").write_bytes(b"cut")
    get()
    assert contents(tmp_path / "set") == files
    assert sum(served.sent for served in hub.log) == len(files["test.jsonl"]) + len(files["images/3 é.jpg"])


def test_what_another_source_brought_is_checked_and_kept(
    hub: FakeHub, files: dict[str, bytes], get: Download, tmp_path: Path
):
    get("huggingface")
    hub.log.clear()
    assert get("modelscope").source == "modelscope"
    assert sum(served.sent for served in hub.log) == 0
    assert contents(tmp_path / "set") == files


def test_the_meter_counts_every_byte_once(hub: FakeHub, files: dict[str, bytes], get: Download):
    seen: list[tuple[int, int]] = []
    meter = Meter(changed=lambda meter: seen.append((meter.arrived, meter.expected)))
    get(meter=meter)
    total = sum(map(len, files.values()))
    assert (meter.arrived, meter.expected) == (total, total)
    assert [arrived for arrived, _ in seen] == sorted(arrived for arrived, _ in seen)


def test_a_folder_holds_one_data_set(get: Download):
    get()
    other = CatalogueEntry("other", "Other", "CC0-1.0", SET.sources)
    with pytest.raises(UserError, match="holds small: choose another folder"):
        get(wanted=other)


def test_only_wanted_files_and_extras(hub: FakeHub, files: dict[str, bytes], get: Download, tmp_path: Path):
    table = b"IMG_ID,LON,LAT\n"
    hub.put_file("/media/o/r/main/truth.csv", table)
    extra = Extra(
        "truth.csv", "media/o/r/main/truth.csv", len(table), f"sha256:{hashlib.sha256(table).hexdigest()}"
    )
    source = Source("huggingface", "owner/small", "main", files=("images/1*",), extras=(extra,))
    get(wanted=CatalogueEntry("some", "Some", "", (source,)))
    wanted = {name: data for name, data in files.items() if name.startswith("images/1")}
    assert contents(tmp_path / "set") == wanted | {"truth.csv": table}


def test_a_copy_that_is_not_the_published_file_is_refused(get: Download, hub: FakeHub):
    source = Source("modelscope", "owner/small", "master", known={"test.jsonl": f"sha256:{'0' * 64}"})
    with pytest.raises(DataError, match=r"test\.jsonl .* is not the published file"):
        get(wanted=CatalogueEntry("copy", "Copy", "", (source,)))
    assert not hub.served("FilePath=")


def test_a_source_that_does_not_have_it(get: Download):
    source = Source("huggingface", "owner/gone", "main")
    with pytest.raises(ServiceError, match=r"owner/gone.*not there \(404\)"):
        get(wanted=CatalogueEntry("gone", "Gone", "", (source,)))
    nothing = Source("huggingface", "owner/small", "main", files=("*.parquet",))
    with pytest.raises(DataError, match="no files"):
        get(wanted=CatalogueEntry("none", "None", "", (nothing,)))


@pytest.mark.parametrize("name", ["huggingface", "modelscope", "zenodo"])
def test_an_answer_that_is_no_listing(name: HubName, hub: FakeHub, get: Download):
    hub.misbehave("", Fault(status=204))
    with pytest.raises(ServiceError, match=r"cannot be read.*is this the hub's address\?"):
        get(name)


def test_the_catalogue_names_what_it_has():
    assert list(CATALOGUE) == ["mapbench-v1", "mapbench-v2", "imageo", "im2gps3k"]
    assert entry("mapbench-v1").source(None).id == "GD-ML/MAPBench-V1"
    assert entry("mapbench-v2").source("modelscope").id == "yux1ang/MAPBench-V2"
    with pytest.raises(
        UserError, match="mapbench-v1 is not offered by zenodo: use --from huggingface, modelscope"
    ):
        entry("mapbench-v1").source("zenodo")
    with pytest.raises(UserError, match="'mapbench' cannot be downloaded by name: choose from mapbench-v1,"):
        entry("mapbench")


def test_settings_come_from_the_environment():
    assert Settings.from_environment({}).hosts["huggingface"] == "https://huggingface.co"
    made = Settings.from_environment({"HF_ENDPOINT": "https://mirror.example/hf/", "HF_TOKEN": " hf_x\n"})
    assert made.hosts["huggingface"] == "https://mirror.example/hf"
    assert made.token == "hf_x"
    for url in ("mirror.example", "ftp://mirror.example", "https://user:word@mirror.example", "https://a b"):
        with pytest.raises(UserError, match="WHERETAKEN_ZENODO_URL is not a URL"):
            Settings.from_environment({"WHERETAKEN_ZENODO_URL": url})

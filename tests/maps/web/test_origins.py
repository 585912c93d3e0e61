from collections.abc import Callable

import pytest

from wheretaken.errors import ServiceError
from wheretaken.maps.web import Service
from wheretaken.origins import Origin, check_base, check_path, check_template, may_follow, origin_of
from wheretaken.testing.services import Asked, FakeService, Reply

Make = Callable[..., Service]


def leads_to(location: str, code: int = 302) -> FakeService:
    """Make a fake that redirects its first path and answers everywhere else with where it was asked."""

    def answer(asked: Asked) -> Reply:
        if asked.path == "/v1/start":
            return Reply(b"", "text/plain", code, {"Location": location})
        return Reply.json([asked.host, asked.path, dict(asked.params)])

    return FakeService(answer)


@pytest.mark.parametrize(
    ("location", "arrives"),
    [
        ("/elsewhere?a=b", ["maps.test", "/elsewhere", {"a": "b"}]),
        ("sibling", ["maps.test", "/v1/sibling", {}]),
        ("https://maps.test:443/x", ["maps.test", "/x", {}]),
        ("https://pictures.test/x", ["pictures.test", "/x", {}]),
    ],
)
@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_a_redirect_to_itself_or_a_listed_host_is_followed(
    location: str, arrives: list[object], code: int, make_service: Make
) -> None:
    service = make_service(leads_to(location, code), hosts=["pictures.test"])
    assert await service.json("/start") == arrives


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.test/x",
        "//evil.test/x",
        "http://maps.test/x",
        "http://pictures.test/x",
        "https://maps.test:8443/x",
        "https://pictures.test:22/x",
        "http://127.0.0.1/x",
        "http://[::1]/x",
        "http://169.254.169.254/latest/meta-data/",
        "https://10.0.0.7/x",
        "https://localhost/x",
        "https://192.168.1.1/",
        "http://2130706433/",
        "https://[::ffff:127.0.0.1]/",
        "https://maps.test@evil.test/",
        "https://user:word@maps.test/x",
        "file:///etc/passwd",
        "ftp://maps.test/x",
        "https://[bad",
    ],
)
async def test_a_redirect_to_anywhere_else_is_not(location: str, make_service: Make) -> None:
    upstream = leads_to(location)
    hosts = ["pictures.test", "10.0.0.7", "192.168.1.1"]
    with pytest.raises(ServiceError):
        await make_service(upstream, hosts=hosts, attempts=1).json("/start")
    assert len(upstream.asked) == 1


async def test_a_server_of_ones_own_may_redirect_to_itself_but_not_into_its_network(
    make_service: Make,
) -> None:
    own = "http://127.0.0.1:8088/v1"
    inside = make_service(leads_to("http://127.0.0.1:8088/x"), base_url=own)
    assert await inside.json("/start") == ["127.0.0.1", "/x", {}]
    for location in ("http://127.0.0.1:6379/", "http://169.254.169.254/", "http://127.0.0.2:8088/"):
        with pytest.raises(ServiceError, match="redirects to where"):
            await make_service(leads_to(location), base_url=own).json("/start")


async def test_a_circle_of_redirects_ends(make_service: Make) -> None:
    upstream = FakeService(lambda _: Reply(b"", "text/plain", 302, {"Location": "/v1/again"}))
    with pytest.raises(ServiceError, match="redirects more than 3 times"):
        await make_service(upstream).json("/start")
    assert len(upstream.asked) == 4


async def test_what_is_posted_is_not_sent_on(make_service: Make) -> None:
    upstream = leads_to("/x", 307)
    with pytest.raises(ServiceError, match="redirects"):
        await make_service(upstream).json("/start", method="POST", body={"q": 1})
    assert len(upstream.asked) == 1


async def test_another_host_does_not_get_the_headers_of_the_service(make_service: Make) -> None:
    upstream = leads_to("https://pictures.test/x")
    await make_service(upstream, hosts=["pictures.test"], headers={"X-Api-Key": "k"}).json("/start")
    first, second = upstream.asked
    assert first.headers["x-api-key"] == "k"
    assert "x-api-key" not in second.headers
    assert second.headers["host"] == "pictures.test"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://maps.test",
        "maps.test",
        "https://",
        "https://u:p@maps.test",
        "https://maps.test/?key=1",
        "https://maps.test/#x",
        "http://maps.test",
        "http://93.184.216.34",
        "",
    ],
)
def test_a_base_url_that_cannot_be_meant_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"URL|http") as caught:
        check_base(url)
    assert "maps.test" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["https://maps.test", "http://localhost:8080/nominatim", "http://nominatim:8080", "http://10.1.2.3"],
)
def test_a_base_url_may_be_public_with_tls_or_ones_own(url: str) -> None:
    assert check_base(url + "/") == url


@pytest.mark.parametrize(
    "url", ["https://{z}.test/{x}/{y}", "https://a.test/{z}/{x}", "http://a.test/{z}/{x}/{y}", "/{z}/{x}/{y}"]
)
def test_a_tile_template_has_its_three_numbers_behind_a_fixed_host(url: str) -> None:
    with pytest.raises(ValueError, match=r"URL|http"):
        check_template(url)
    assert check_template("https://a.test/t?x={x}&y={y}&z={z}&k={key}")


def test_private_is_what_no_public_service_is() -> None:
    for host in ("127.0.0.1", "10.0.0.1", "169.254.1.1", "::1", "fe80::1", "0.0.0.0", "100.64.0.1"):
        assert Origin("https", host, 443).private
    for host in ("localhost", "db", "printer.local", "0x7f.1", "a.internal", "127.1"):
        assert Origin("https", host, 443).private
    for host in ("1.1.1.1", "2606:4700::1111", "maps.test", "restapi.amap.com"):
        assert not Origin("https", host, 443).private


def test_an_upgrade_to_tls_is_followed_on_the_same_host_only() -> None:
    base = origin_of("http://maps.test/v1")
    assert may_follow(base, origin_of("https://maps.test/v1"), ())
    assert not may_follow(base, origin_of("https://other.test/v1"), ())


def test_paths_of_services_pass() -> None:
    for path in (
        "",
        "/",
        "/search",
        "/v1/places/ChIJ-x_1:searchText",
        "/14/8800/5374.png",
        "/a/",
        "/%E5%A4%96",
    ):
        assert check_path(path), path

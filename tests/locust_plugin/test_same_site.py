"""Who may change something: our page and programs, and no other site."""

import socket

import pytest

from ipvsload.locust_plugin.web.same_site import reading_refusal, refusal

HOST = "127.0.0.1:8089"


def refused(login: bool = False, host: str = HOST, **headers: str) -> bool:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return bool(refusal({"Host": host, **named}, login=login))


def test_our_page_may() -> None:
    assert not refused(Sec_Fetch_Site="same-origin", Origin=f"http://{HOST}")
    assert not refused(Origin=f"http://{HOST}")
    assert not refused(host="[::1]:8089", Origin="http://[::1]:8089")
    assert not refused(host="LOCALHOST:8089", Origin="http://localhost:8089")


def test_programs_may() -> None:
    assert not refused()
    assert not refused(host="load.example.com")


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", ""])
def test_other_sites_may_not(site: str) -> None:
    assert refused(Sec_Fetch_Site=site, Origin=f"http://{HOST}")
    assert refused(login=True, Sec_Fetch_Site=site)


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "http://127.0.0.1:8090", "http://127.0.0.1", "null", "", "http://["],
)
def test_where_only_the_origin_is_known_it_is_ours_or_nobodys(origin: str) -> None:
    assert refused(Origin=origin)
    assert refused(login=True, Origin=origin)


def test_an_opaque_origin_may_not_whatever_else_is_said() -> None:
    assert refused(Sec_Fetch_Site="same-origin", Origin="null")


def test_behind_a_proxy_the_browser_knows_better_than_the_host() -> None:
    assert not refused(Sec_Fetch_Site="same-origin", Origin="https://load.example.com")
    assert "Host header" in refusal(
        {"Host": HOST, "Origin": "https://load.example.com"}, login=False
    )


def test_a_name_that_anybody_could_have_given_us_needs_a_login() -> None:
    """DNS rebinding: to the browser, evil.example is this page's own origin."""
    theirs = {"Origin": "http://evil.example:8089", "Sec-Fetch-Site": "same-origin"}
    headers = {"Host": "evil.example:8089", **theirs}
    assert "--web-login" in refusal(headers, login=False)
    assert refusal(headers, login=True) == ""


@pytest.mark.parametrize(
    "name", ["localhost", "locust-master", "box.local", "load.internal", "192.0.2.7", "[fd00::7]"]
)
def test_names_that_are_nobody_elses_need_none(name: str) -> None:
    assert not refused(host=f"{name}:8089", Origin=f"http://{name}:8089")


def test_the_machines_own_name_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "load7")
    monkeypatch.setattr(socket, "getfqdn", lambda name: f"{name}.Example.com")
    assert not refused(host="load7.example.com:8089", Origin="http://load7.example.com:8089")
    assert refused(host="load8.example.com:8089", Origin="http://load8.example.com:8089")


def test_without_a_host_there_is_no_page() -> None:
    assert refusal({"Origin": "http://evil.example"}, login=False)


def test_prometheus_may_read_by_any_name_and_a_page_may_not() -> None:
    headers = {"Host": "load.example.com:8089"}
    assert "--web-login" in reading_refusal(headers, login=False)
    assert reading_refusal(headers, login=True) == ""
    assert reading_refusal(headers, login=False, any_name=True) == ""
    for theirs in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert reading_refusal({**headers, **theirs}, login=False, any_name=True)

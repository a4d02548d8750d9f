"""The page's routes in Locust's web page: what they answer, and what they refuse."""

import json
import subprocess
import sys
from typing import Any

from tests.locust_plugin.simulated import SERVICE, address
from tests.patience import HUNG_AFTER_S


def inside(name: str) -> Any:
    """What a function of inside_page.py found."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.locust_plugin.inside_page", name],
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout)


def test_the_page_its_assets_and_its_data() -> None:
    found = inside("pages")
    status, kind, headers = found["page"]
    assert (status, kind) == (200, "text/html; charset=utf-8")
    assert headers["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert all(found["schedulers"])
    assert not found["outside"]
    assert found["script"] == [200, "application/javascript; charset=utf-8", "no-cache"]
    assert found["again"] == 304
    assert found["beyond"] == [404] * 3
    frame = found["frame"]
    assert found["frame type"] == ["application/json", "no-store"]
    assert frame["offers"]["kill"] == ""
    assert frame["mix"] == {"Long": 1, "Short": 9}
    assert [text for _, _, text in frame["marks"]] == ["start long", "scale to 2", "start short"]
    assert found["next"]["full"] is False
    assert found["next"]["table"]["rows"] == found["next"]["marks"] == []
    assert found["odd"] == [True] * 5
    kind, text = found["table"]
    assert kind == "text/plain; charset=utf-8"
    assert SERVICE[4:] in text
    assert address(2) in text
    assert found["methods"] == [405, 405, 405]


def test_controls_do_what_they_are_told_or_say_why_not() -> None:
    found = inside("control")
    assert found["done"] == [200, {"done": "scheduler lc"}]
    assert found["scheduler"] == "lc"
    assert found["unknown"][0] == 400
    assert "Input should be 'rr', 'wrr'" in found["unknown"][1]["error"]
    assert found["not there"] == [400, {"error": "there is no server 9 now"}]
    assert found["broken"] == [409, {"error": "this kernel has no scheduler twos"}]
    for status, answer in found["bodies"]:
        assert status == 400
        assert answer["error"]
    assert found["large"][0] == 413
    assert found["endless"][0] == found["empty"][0] == 411
    assert found["in the end"] == "lc"


def test_no_other_site_can_change_anything() -> None:
    found = inside("other_sites")
    for how, (status, *_) in found["refused"].items():
        # A preflight is answered, since Locust lets every site read; it changes nothing.
        assert status in ((200,) if how == "preflight" else (403, 415)), how
    assert found["scheduler"] == "sed"
    assert found["own"] == found["program"] == [200, {"done": "scheduler rr"}]


def test_no_other_site_can_read_what_the_page_reads() -> None:
    told = inside("readers")
    ours = {"our page", "a person", "a program", "our page, by https"}
    for who, found in told["found"].items():
        assert found == ([200, 200, 2] if who in ours else [403, 403, 0]), who
    assert told["headers"] == [[["http://localhost"], ["same-origin"], ["nosniff"]]] * 5
    assert "--web-login" in told["reason"]["error"]


def test_it_is_behind_locusts_login() -> None:
    found = inside("login")
    assert found["stranger"] == [[302, "/login"]] * 4
    assert found["stranger's control"] == 302
    assert found["scheduler"] == "sed"
    assert found["member"] == [200] * 4
    assert found["member's control"] == [200, {"done": "scheduler rr"}]
    assert found["member on another site"][0] == 403
    assert not found["index"]


def test_it_goes_where_locust_goes() -> None:
    found = inside("below_a_path")
    assert found["there"] == [200] * 6
    assert found["control"][0] == 200
    assert found["elsewhere"] == 404


def test_locusts_page_has_a_way_to_it_and_the_counts() -> None:
    found = inside("beside")
    assert found["link"]
    assert found["tabs"] == [{"title": "IPVS", "key": "ipvs"}]
    (table,) = found["tables"]
    (stats,) = found["stats"]
    assert table["key"] == stats["key"] == "ipvs"
    for row in stats["data"]:
        assert {column["key"] for column in table["structure"]} <= set(row)
    assert [row["address"] for row in stats["data"]] == [address(1), address(2)]
    assert sum(row["active"] for row in stats["data"]) == 10
    assert {"stats", "errors", "state", "user_count"} <= set(found["keys"])
    assert found["again"] == [["ipvs", 2]]
    assert not found["other routes"]

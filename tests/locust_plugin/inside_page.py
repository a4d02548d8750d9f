"""What tests do with the page's routes, in a process of its own: Locust patches it.

`python -m tests.locust_plugin.inside_page NAME` prints what NAME found, as JSON.
"""

import argparse
import json
import sys
from typing import Any

from flask_login import UserMixin, login_user
from werkzeug.test import Client

from ipvsload.ipvs.schedulers import SCHEDULERS
from tests.locust_plugin.page_server import page
from tests.locust_plugin.simulated import Balancer

OWN = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
PAGE_PARTS = [
    f"/ipvs/{part}" for part in ("assets/live_page.css", "assets/palette.css", "frame", "table")
]
RR = json.dumps({"do": "set_scheduler", "scheduler": "rr"})


def made(base: str | None = None, login: bool = False) -> tuple[Any, Balancer]:
    """Flask's app with a test that has run for six seconds, and its balancer."""
    web_ui, balancer = page(
        argparse.Namespace(base=base, login=login, port=0, servers=2, workers=0)
    )
    balancer.begin()
    for _ in range(60):
        balancer.step()
    if login:
        web_ui.app.config["SECRET_KEY"] = "tests"
        user = type("User", (UserMixin,), {"id": "somebody"})
        web_ui.login_manager.user_loader(lambda name: user())
        web_ui.app.add_url_rule("/enter", "enter", lambda: str(login_user(user())))
    return web_ui.app, balancer


def post(client: Client, body: Any, url: str = "/ipvs/control", **options: Any) -> Any:
    """Status and answer of a POST; as our page sends it, unless said otherwise."""
    options = {"content_type": "application/json", "headers": OWN, **options}
    answer = client.post(url, data=body, **options)
    return [answer.status_code, answer.json]


def pages() -> Any:
    """Every route, as it is asked for."""
    app, _ = made()
    client = app.test_client()
    whole = client.get("/ipvs")
    script = client.get("/ipvs/assets/live_page.js")
    frame = client.get("/ipvs/frame?epoch=-1&after=-1")
    after = {"epoch": frame.json["epoch"], "after": frame.json["stamp"]}
    table = client.get("/ipvs/table")
    return {
        "page": [whole.status_code, whole.content_type, dict(whole.headers)],
        "schedulers": [name in whole.text for name in SCHEDULERS],
        "outside": "//" in whole.text.replace("<!doctype html>", ""),
        "script": [script.status_code, script.content_type, script.headers["Cache-Control"]],
        "again": client.get(
            "/ipvs/assets/live_page.js", headers={"If-None-Match": script.headers["ETag"]}
        ).status_code,
        "beyond": [
            client.get(f"/ipvs/assets/{path}").status_code
            for path in ("../page.py", "..%2fpage.py", "none.js")
        ],
        "frame": frame.json,
        "frame type": [frame.content_type, frame.headers["Cache-Control"]],
        "next": client.get("/ipvs/frame", query_string=after).json,
        "odd": [
            client.get(f"/ipvs/frame?{query}").json["full"]
            for query in ("", "epoch=x&after=y", "epoch=1e9", f"after={'9' * 5000}", "epoch[]=1")
        ],
        "table": [table.content_type, table.text],
        "methods": [
            client.post("/ipvs/frame").status_code,
            client.get("/ipvs/control").status_code,
            client.put("/ipvs/control").status_code,
        ],
    }


def control() -> Any:
    """Actions, right and wrong."""
    app, balancer = made()
    client = app.test_client()
    found = {
        "done": post(client, json.dumps({"do": "set_scheduler", "scheduler": "lc"})),
        "scheduler": balancer.scheduler,
        "unknown": post(client, json.dumps({"do": "set_scheduler", "scheduler": "best"})),
        "not there": post(client, json.dumps({"do": "kill", "server": 9})),
        "broken": post(client, json.dumps({"do": "set_scheduler", "scheduler": "twos"})),
        "bodies": [
            post(client, body)
            for body in ("{", "[]", "null", "7", '"x"', "[" * 9000, "9" * 9000, b"\xff", "{}")
        ],
        "empty": post(client, ""),
        "large": post(client, json.dumps({"do": "x" * 17_000})),
        "endless": post(
            client, None, input_stream=None, headers={**OWN, "Transfer-Encoding": "chunked"}
        ),
    }
    balancer.end()
    return found | {"after the end": post(client, RR), "in the end": balancer.scheduler}


def other_sites() -> Any:
    """Everything that another site's page can have a browser send."""
    app, balancer = made()
    balancer.scheduler = "sed"
    client = app.test_client()
    plain = {"Origin": "http://localhost"}
    cross = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    form = {"do": "set_scheduler", "scheduler": "rr"}
    preflight = client.options(
        "/ipvs/control", headers={**cross, "Access-Control-Request-Method": "POST"}
    )
    found = {
        "form": post(client, form, content_type=None, headers=cross),
        "form of an old browser": post(client, form, content_type=None, headers=plain),
        "plain text": post(client, RR, content_type="text/plain", headers=plain),
        "no type": post(client, RR, content_type=None, headers=OWN),
        "fetch": post(client, RR, headers=cross),
        "fetch of an old browser": post(client, RR, headers={"Origin": "http://evil.example"}),
        "sandbox": post(client, RR, headers={"Origin": "null"}),
        "same site": post(client, RR, headers={**plain, "Sec-Fetch-Site": "same-site"}),
        "another port": post(client, RR, headers={"Origin": "http://localhost:81"}),
        "rebinding": post(
            client,
            RR,
            base_url="http://evil.example/",
            headers={"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"},
        ),
        "preflight": [preflight.status_code],
    }
    return {
        "refused": found,
        "scheduler": balancer.scheduler,
        "own": post(client, RR),
        "program": post(client, RR, headers={}),
    }


def readers() -> Any:
    """Who reads what the page reads: status, and Locust's tab's rows, by who asks."""
    app, _ = made()
    evil = "http://evil.example"
    who: dict[str, tuple[dict[str, str], str]] = {
        "our page": ({"Sec-Fetch-Site": "same-origin"}, "http://localhost"),
        "a person": ({"Sec-Fetch-Site": "none"}, "http://localhost"),
        "a program": ({}, "http://127.0.0.1:8089"),
        "our page, by https": ({"Sec-Fetch-Site": "same-origin"}, "https://load.example.com"),
        "a fetch": ({"Sec-Fetch-Site": "cross-site", "Origin": evil}, "http://localhost"),
        "an old browser's fetch": ({"Origin": evil}, "http://localhost"),
        "an image": ({"Sec-Fetch-Site": "cross-site"}, "http://localhost"),
        "a neighbour": ({"Sec-Fetch-Site": "same-site"}, "http://localhost"),
        "a sandbox": ({"Origin": "null"}, "http://localhost"),
        "rebinding": ({}, "http://evil.example:8089"),
    }
    found = {}
    for name, (headers, base) in who.items():
        client = app.test_client()  # without the statistics that Locust keeps for others
        answers = [
            client.get(path, headers=headers, base_url=base)
            for path in ("/ipvs/frame", "/ipvs/table")
        ]
        stats = client.get("/stats/requests", headers=headers, base_url=base).json
        rows = next(one["data"] for one in stats["extended_stats"] if one["key"] == "ipvs")
        found[name] = [*(answer.status_code for answer in answers), len(rows)]
    client = app.test_client()
    answers = [client.get(path) for path in ("/ipvs", *PAGE_PARTS)]
    names = (
        "Access-Control-Allow-Origin",
        "Cross-Origin-Resource-Policy",
        "X-Content-Type-Options",
    )
    return {
        "found": found,
        "headers": [[answer.headers.getlist(name) for name in names] for answer in answers],
        "reason": client.get("/ipvs/frame", base_url="http://evil.example:8089").json,
    }


def login() -> Any:
    """With --web-login: strangers, and somebody who has logged in."""
    app, balancer = made(login=True)
    balancer.scheduler = "sed"
    stranger, member = app.test_client(), app.test_client()
    member.get("/enter")
    paths = ("/ipvs", "/ipvs/assets/live_page.js", "/ipvs/frame", "/ipvs/table")
    sent = stranger.post("/ipvs/control", data=RR, content_type="application/json", headers=OWN)
    return {
        "stranger": [
            [answer.status_code, answer.headers["Location"].split("?")[0]]
            for answer in map(stranger.get, paths)
        ],
        "stranger's control": sent.status_code,
        "scheduler": balancer.scheduler,
        "member": [member.get(path).status_code for path in paths],
        "member's control": post(member, RR),
        "member on another site": post(member, RR, headers={"Origin": "http://evil.example"}),
        "index": "./ipvs" in stranger.get("/", follow_redirects=True).text,
    }


def below_a_path() -> Any:
    """--web-base-path."""
    app, _ = made(base="/load/test")
    client = app.test_client()
    return {
        "there": [
            client.get(f"/load/test{path}").status_code for path in ("/", "/ipvs", *PAGE_PARTS)
        ],
        "control": post(client, RR, "/load/test/ipvs/control"),
        "elsewhere": client.get("/ipvs").status_code,
    }


def beside() -> Any:
    """Locust's own page and its statistics."""
    app, balancer = made()
    client = app.test_client()
    index = client.get("/").text
    arguments = json.loads(index.split("window.templateArgs = ")[1].split("\n")[0])
    first = client.get("/stats/requests").json
    balancer.step()
    second = client.get("/stats/requests").json  # Locust's kept answer, with our new rows
    return {
        "link": index.index('href="./ipvs"') < index.index('id="root"'),
        "tabs": arguments["extended_tabs"],
        "tables": arguments["extended_tables"],
        "keys": sorted(first),
        "stats": first["extended_stats"],
        "again": [[entry["key"], len(entry["data"])] for entry in second["extended_stats"]],
        "other routes": "ipvs" in client.get("/tasks").text,
    }


if __name__ == "__main__":
    (name,) = sys.argv[1:]
    del sys.argv[1:]  # Locust's page reads them, too
    print(json.dumps(globals()[name]()))  # noqa: T201

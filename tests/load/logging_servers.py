"""The real servers, noting each request that they answer; a child of tests."""

import os
import sys

from ipvsload.testbed.lab import real_servers, server_connection
from ipvsload.testbed.lab.httpbin import HttpAnswer, HttpRequest, answer
from ipvsload.testbed.lab.known_answers import KnownAnswers

_log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
del sys.argv[1:]  # it is not one of the real servers'


def _noted(request: HttpRequest, server: str) -> HttpAnswer:
    os.write(_log, request.target + b"\n")
    return answer(request, server)


server_connection.answer = _noted  # type: ignore[attr-defined]  # stands in for an imported name
KnownAnswers.find = lambda *_: None  # type: ignore[method-assign]  # so that each is answered anew
real_servers.main()

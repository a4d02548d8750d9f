"""The real servers, noting each request that they answer; a child of tests."""

import os
import sys

from ipvsload.testbed.lab import real_servers as realservers
from ipvsload.testbed.lab import server_connection as connection
from ipvsload.testbed.lab.httpbin import Answer, Request, answer

_log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def _noted(request: Request, server: str) -> Answer:
    os.write(_log, request.target + b"\n")
    return answer(request, server)


connection.answer = _noted  # type: ignore[attr-defined]  # stands in for an imported name
realservers.main()

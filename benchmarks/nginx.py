"""An nginx that answers everything from memory, on a core and a port of its own."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CONFIG = """
daemon off;
worker_processes 1;
pid {directory}/pid;
error_log {directory}/error.log;
events {{ worker_connections 2048; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  server {{
    listen {name} backlog=4096;
    location / {{ return 200 "127.0.0.1\\n"; }}
  }}
}}
"""


@contextmanager
def nginx(name: str) -> Iterator[None]:
    """It listens at this address:port, and has the processors of whoever calls this."""
    with tempfile.TemporaryDirectory() as directory:
        config = Path(directory, "nginx.conf")
        config.write_text(_CONFIG.format(directory=directory, name=name))
        process = subprocess.Popen(["nginx", "-c", str(config), "-e", f"{directory}/error.log"])
        try:
            while not (Path(directory, "pid").exists() and Path(directory, "pid").read_text()):
                assert process.poll() is None, "nginx does not start"
                time.sleep(0.01)
            yield
        finally:
            process.terminate()
            process.wait()

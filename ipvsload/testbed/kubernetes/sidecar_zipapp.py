"""The sidecar's code as one file that a stock Python runs: no image of ours is needed.

Python runs a zip archive that has a `__main__.py`. It holds the modules of this
package and of pyroute2 that a fresh interpreter really loads for the sidecar, so
a new import cannot be forgotten. The archive is the binary data of a ConfigMap,
at most 1 MiB (etcd's limit on a request, kubernetes.io/docs/concepts/
configuration/configmap); it has about 40 KiB.
"""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

from ipvsload.errors import TestbedError

MAX_BYTES = 700_000
"""base64 adds a third, and the limit of 1 MiB is for the whole object."""
SIDECAR = "ipvsload.sidecar.pod"
EXAMINER = "ipvsload.sidecar.examine"
RESTORER = "ipvsload.sidecar.put_back"
_PACKAGES = ("ipvsload", "pyroute2")
_LIST = """
import importlib, json, sys
importlib.import_module(sys.argv[1])
print(json.dumps({n: m.__file__ for n, m in sys.modules.items() if getattr(m, "__file__", None)}))
"""
_EPOCH = (1980, 1, 1, 0, 0, 0)  # equal code is equal bytes


def archive(module: str) -> bytes:
    """Make a zip archive that runs `module`'s main(). Raises TestbedError."""
    done = subprocess.run(
        [sys.executable, "-c", _LIST, module], capture_output=True, text=True, timeout=60
    )
    if done.returncode:
        raise TestbedError(f"cannot gather the sidecar's code: {done.stderr.strip()[-300:]}")
    found: dict[str, str] = json.loads(done.stdout)
    # The package pyroute2 itself is never run, only found; see ipvs/netlink.py.
    files = {"pyroute2/__init__.py": b""}
    for name, origin in found.items():
        if name.partition(".")[0] in _PACKAGES and name != "pyroute2":
            inside = "/__init__.py" if origin.endswith("/__init__.py") else ".py"
            files[name.replace(".", "/") + inside] = Path(origin).read_bytes()
    files["__main__.py"] = f"import sys\nfrom {module} import main\nsys.exit(main())\n".encode()
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", compresslevel=9) as file:
        for name in sorted(files):
            file.writestr(zipfile.ZipInfo(name, _EPOCH), files[name], zipfile.ZIP_DEFLATED)
    if data.tell() > MAX_BYTES:
        raise TestbedError(
            f"the sidecar's code has {data.tell()} bytes, a ConfigMap takes {MAX_BYTES}"
        )
    return data.getvalue()

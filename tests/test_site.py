"""The documentation as a site: it is built without a complaint, and asks nothing of a network."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
_ASKED = re.compile(
    r"""(?:<(?:script|link|img|iframe)\b[^>]*(?:src|href)=|url\()["']?(?:https?:)?//"""
)


def test_it_is_built_strictly_and_opens_without_a_network(tmp_path: Path) -> None:
    """One test, because a build takes seconds."""
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    texts = {
        path: path.read_text() for path in tmp_path.rglob("*") if path.suffix in {".html", ".css"}
    }
    assert sorted(str(path) for path, text in texts.items() if _ASKED.search(text)) == []
    assert "skew" in (tmp_path / "search" / "search_index.js").read_text()

"""What a real bash completes once it has read our script."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import HUNG_AFTER_S

_ASK = """
eval "$(ipvsload completion bash)"
while IFS= read -r line; do
    COMPREPLY=()
    COMP_WORDS=($line)
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    # The last letter is only there so that an empty word is one.
    COMP_WORDS[COMP_CWORD]=${COMP_WORDS[COMP_CWORD]%.}
    _ipvsload_completion ipvsload
    echo "${COMPREPLY[*]}"
done
"""


@pytest.fixture(scope="module")
def completed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What bash offers for each of these beginnings, in a directory with one YAML file."""
    here = tmp_path_factory.mktemp("here")
    (here / "slow-mine.yaml").touch()
    program = here / "ipvsload"
    program.write_text(f"#!{sys.executable}\nfrom ipvsload.cli import main\n\nmain()\n")
    program.chmod(0o755)
    asked = [
        "ipvsload s.",
        "ipvsload run --testb.",
        "ipvsload run --testbed .",
        "ipvsload run --kernel u.",
        "ipvsload simulate --scheduler n.",
        "ipvsload run sk.",
        "ipvsload validate slow.",
        "ipvsload run /tmp/no-such.",
        "ipvsload iso c.",
        "ipvsload completion .",
    ]
    done = subprocess.run(
        ["bash", "--norc", "-c", _ASK],
        input="".join(f"{line}\n" for line in asked),
        cwd=here,
        env={
            **os.environ,
            "PATH": f"{here}:{os.environ['PATH']}",
            "PYTHONPATH": str(Path(__file__).parents[2]),
        },
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
        check=True,
    )
    found = [line.split() for line in done.stdout.splitlines()]
    return dict(zip(asked, found, strict=True))


@pytest.mark.parametrize(
    ("begun", "offered"),
    [
        ("ipvsload s.", ["simulate", "schema"]),
        ("ipvsload run --testb.", ["--testbed"]),
        ("ipvsload run --testbed .", ["lab", "external", "kubernetes"]),
        ("ipvsload run --kernel u.", ["uml"]),
        ("ipvsload simulate --scheduler n.", ["nq", "nftables", "nftables-hash"]),
        ("ipvsload run sk.", ["skew"]),
        ("ipvsload validate slow.", ["slow-server", "slow-mine.yaml"]),
        ("ipvsload run /tmp/no-such.", []),
        ("ipvsload iso c.", ["check"]),
        ("ipvsload completion .", ["bash", "zsh", "fish"]),
    ],
)
def test_bash_offers(completed: dict[str, list[str]], begun: str, offered: list[str]) -> None:
    assert set(offered) <= set(completed[begun])


def test_bash_offers_nothing_else(completed: dict[str, list[str]]) -> None:
    assert completed["ipvsload run sk."] == ["skew"]
    assert completed["ipvsload run --kernel u."] == ["uml"]


def test_a_tab_imports_nothing_heavy() -> None:
    """What Locust, pydantic, numpy and rich take to be imported would be waited for at each tab."""
    asking = (
        "import sys, os\n"
        "from ipvsload.cli import cli\n"
        "try:\n"
        "    cli.main(prog_name='ipvsload')\n"
        "except SystemExit:\n"
        "    pass\n"
        "heavy = {'locust', 'gevent', 'pydantic', 'numpy', 'rich', 'yaml', 'kubernetes', 'lark'}\n"
        "print('imported:', *sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", asking],
        env={
            **os.environ,
            "_IPVSLOAD_COMPLETE": "bash_complete",
            "COMP_WORDS": "ipvsload\nrun\nsk",
            "COMP_CWORD": "2",
        },
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
        check=True,
    )
    assert done.stdout == "plain,skew\nimported:\n"


@pytest.mark.parametrize(("shell", "word"), [("zsh", "compdef"), ("fish", "complete ")])
def test_the_other_shells_have_a_script(shell: str, word: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ipvsload", "completion", shell],
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER_S,
        check=True,
    )
    assert word in done.stdout
    assert f"_IPVSLOAD_COMPLETE={shell}_complete" in done.stdout

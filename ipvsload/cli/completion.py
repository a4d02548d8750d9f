"""`ipvsload completion`: what has a shell complete our commands, options and names.

click makes the scripts. A shell asks this program at each tab, and click answers before any command
is called (docs of click: Shell Completion).
"""

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")
PROGRAM = "ipvsload"
ASKS = "_IPVSLOAD_COMPLETE"
"""The variable by which a shell asks, as click derives it from the program's name."""


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print a script that has SHELL complete commands, options and names.

    \b
    bash, for this session or in ~/.bashrc:
        eval "$(ipvsload completion bash)"
    zsh, in ~/.zshrc, after compinit:
        eval "$(ipvsload completion zsh)"
    fish:
        ipvsload completion fish > ~/.config/fish/completions/ipvsload.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None, f"click has no {shell}"
    made = kind(click.get_current_context().find_root().command, {}, PROGRAM, ASKS)
    # Not made.source(): it starts a bash of this machine to warn of one of before 2016.
    click.echo(made.source_template % made.source_vars(), nl=False)

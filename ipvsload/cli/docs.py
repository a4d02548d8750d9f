"""`ipvsload docs`: the documentation, where there is no checkout and no browser."""

import sys

import click
from click.shell_completion import CompletionItem

from ipvsload.cli.terminal import until_nobody_reads


def _complete(
    _context: click.Context, _parameter: click.Parameter, begun: str
) -> list[CompletionItem]:
    from ipvsload.shipped_pages import shipped_pages

    return [CompletionItem(name) for name in shipped_pages() if name.startswith(begun)]


@click.command()
@click.argument("page", required=False, shell_complete=_complete)
def docs(page: str | None) -> None:
    """List the pages of the documentation, or print the PAGE of this name.

    As messages and reports name it: ipvsload docs docs/schedulers.md#several-directors prints
    that section.
    """
    from ipvsload.shipped_pages import page_text, page_title, shipped_pages

    if page:
        text = page_text(page)
    else:
        titles = {name: page_title(path) for name, path in shipped_pages().items()}
        width = max(map(len, titles))
        text = "".join(f"{name:{width}}  {title}\n" for name, title in titles.items())
    if page and sys.stdout.isatty():
        click.echo_via_pager(text)
        return
    with until_nobody_reads():
        click.echo(text, nl=False)

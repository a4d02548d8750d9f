"""How HTML is made of templates, for reports and for the live page, and the colours of both.

What comes from a scenario or a server is text: each value is escaped.
"""

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

PALETTE = Path(__file__).parent / "templates" / "palette.css"
"""A style sheet of colours by name; reports have it in their page, the live page asks for it."""


def template_environment(package: str) -> Environment:
    """The templates in a package's folder "templates"."""
    return Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

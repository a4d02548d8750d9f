"""YAML that others wrote: read, or said in words where it is none."""

from typing import Any

import yaml


class NotYamlError(ValueError):
    """The text is no YAML; the message says why, and where where that is known."""


def load_yaml(text: str, loader: Any = yaml.SafeLoader) -> Any:
    """What the text says. Raises NotYamlError."""
    try:
        return yaml.load(text, Loader=loader)
    # PyYAML lets int(), re and dict speak for themselves where a tag does not fit ("!!bool x").
    except (
        yaml.YAMLError, ValueError, ArithmeticError, LookupError, AttributeError, TypeError,
        RecursionError,
    ) as error:  # fmt: skip
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise NotYamlError(f"{problem}{where}") from None

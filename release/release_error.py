"""Why this is not to be released."""


class ReleaseError(Exception):
    """What is wrong with sources, sdist, wheel or what was installed, for people."""

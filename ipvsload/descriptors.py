"""Room for thousands of open connections.

Most systems start a process with 1,024 file descriptors and allow it many
more on demand; a load generator and its servers need them.
"""

import resource


def raise_limit() -> int:
    """Raise the soft limit of open descriptors to the hard one, and return it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard

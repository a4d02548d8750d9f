"""For the moment."""

from ipvsload.run.control import *  # noqa: F403

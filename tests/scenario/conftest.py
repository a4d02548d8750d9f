"""The same examples in every run, and no clock over them: CI machines are slow."""

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

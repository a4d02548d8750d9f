"""Scenarios: what a file says, checked before anything is started.

Pure: a text goes in, a `Scenario` or a `ScenarioError` comes out (load.py).
Nothing is imported here: the command line needs the names of schedulers, and
should not load the types and the grammar for them.
"""

"""Locust's command with ipvsload as its plug-in.

`ipvsload run` uses Locust's users without Locust's command. Here Locust's command
is in charge, in one process or as a master with workers: it gets ipvsload's
options, a page with the kernel's table, and scenarios. Start with
registration.py. Nothing is imported here, because importing Locust patches the
process.
"""

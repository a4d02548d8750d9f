"""Locust's side: the kernel's table beside Locust's own page, charts and options.

`ipvsload run` has Locust's users without its command; here Locust's command is
in charge, in one process or as a master with workers, and ipvsload is its
plug-in. Nothing is imported here: importing Locust patches the process.
"""

"""The page "IPVS" in Locust's web page: live charts of the kernel's table, and controls.

It is a page of its own on Locust's Flask app, because Locust's tabs can hold
tables only. Assets and data come from the same app, so it works without a
network. Nothing here is imported unless there is a web page.
"""

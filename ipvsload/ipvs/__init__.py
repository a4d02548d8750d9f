"""What IPVS is: names, schedulers, tables, and the readers of a kernel's table.

The standard library and pyroute2 only: it runs in the director, where each import costs.
"""

"""An executable model of IPVS: what the kernel would choose, and what it would count.

Pure: no kernel, no clock, no files. A record is replayed through it, and a simulation
stands on it.
"""

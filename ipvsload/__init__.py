"""Event-driven load tests for IPVS, the load balancer in the Linux kernel."""

__version__ = "0.1.0"

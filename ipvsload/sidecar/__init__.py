"""The sidecar, kept apart so that a stock Python with pyroute2 can run it."""

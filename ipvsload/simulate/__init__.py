"""Runs without a kernel: scenarios on a virtual clock, over the model of IPVS."""

"""The lab: a real IPVS kernel, clients and real servers on this machine alone."""

"""Where a run takes place. Each testbed is a folder of its own behind the protocols of base.py."""

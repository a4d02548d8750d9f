"""A balancer that somebody else runs, watched and changed over its sidecar."""

"""One run and a session of runs: events come in, actions go out, and all is recorded."""

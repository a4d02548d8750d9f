"""The tests that run under Locust's command: a scenario, or users whom people start."""

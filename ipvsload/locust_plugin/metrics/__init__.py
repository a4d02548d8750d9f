"""The kernel's table beside Locust's own figures, for Prometheus and OpenTelemetry."""

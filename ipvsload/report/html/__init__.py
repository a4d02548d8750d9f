"""report.html: one file with its charts, which opens without a network."""

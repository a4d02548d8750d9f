"""From results to what people and CI read: terminal, HTML, JUnit, Markdown."""

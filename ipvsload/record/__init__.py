"""The record of a session: NDJSON files, written as things happen and read again."""

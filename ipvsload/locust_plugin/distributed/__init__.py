"""A test on a master and its workers: the messages between them, and the load that they share."""

"""One test on a master and its workers: who sends what, and how their records become one."""

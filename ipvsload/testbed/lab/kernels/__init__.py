"""Where the lab's director gets its kernel from, one file each."""

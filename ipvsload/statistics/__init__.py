"""What figures of several runs come to; pure."""

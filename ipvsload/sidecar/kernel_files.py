"""Files of the kernel's, which may not be there."""


def text_of(path: str) -> str:
    """What the file says; "" where it cannot be read."""
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""

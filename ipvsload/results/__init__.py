"""From a recording to figures and a verdict; always from the files, never from live state."""

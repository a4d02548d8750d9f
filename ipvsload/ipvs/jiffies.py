"""How many jiffies the kernel has in a second (HZ), where it can be found.

The clock that /proc usually counts in, USER_HZ, is another one. Three files tell HZ:
/proc/config.gz, and two that have the present jiffies, /proc/schedstat at its begin
(kernel/sched/stats.c, show_schedstat) and /proc/timer_list, which root alone may read
(kernel/time/timer_list.c, print_cpu). Jiffies began 300 s before 2^32
(include/linux/jiffies.h, INITIAL_JIFFIES), and the uptime says how long ago. Many
kernels have one of these files, some have none.
"""

import re

_CONFIG, _SCHEDSTAT, _UPTIME = "/proc/config.gz", "/proc/schedstat", "/proc/uptime"
_TIMERS = "/proc/timer_list"
_KNOWN = (24, 32, 48, 64, 100, 128, 200, 250, 256, 300, 512, 1000, 1024)
"""kernel/Kconfig.hz, and those of arch/."""
_WRAP = 1 << 32
_BEGAN_BEFORE_S = 300
_WITHIN_S = 1.0
_MOST = 1 << 16
"""Of a file's characters; the jiffies stand behind all timers of the first processor."""


def ticks_a_second() -> int:
    """HZ of the kernel that runs; 0 where nothing tells it."""
    try:
        with open(_CONFIG, "rb") as packed:
            import gzip  # only here: it is one more module for each director

            return hz_of_config(gzip.decompress(packed.read()).decode(errors="replace"))
    except (OSError, EOFError, ImportError):
        pass
    for path in (_SCHEDSTAT, _TIMERS):
        try:
            with open(path) as file, open(_UPTIME) as uptime:
                return hz_of_jiffies(file.read(_MOST), uptime.read())
        except OSError:
            pass
    return 0


def hz_of_config(text: str) -> int:
    """HZ in a kernel's configuration; 0 where it is not there. Pure."""
    found = re.search(r"^CONFIG_HZ=(\d+)$", text, re.MULTILINE)
    return int(found[1]) if found else 0


def hz_of_jiffies(text: str, uptime: str) -> int:
    """The only HZ with which these jiffies came up in this time; 0 where none or several fit. Pure.

    With a clock that stood still while the machine slept none fits; around 300 s
    after the start several do.
    """
    found = re.search(r"^(?:timestamp|jiffies:) (\d+)$", text, re.MULTILINE)
    words = uptime.split()
    if not found or not words:
        return 0
    jiffies, up_s = int(found[1]) % _WRAP, float(words[0])
    fitting = [hz for hz in _KNOWN if _distance(jiffies, hz, up_s) <= _WITHIN_S]
    return fitting[0] if len(fitting) == 1 else 0


def _distance(jiffies: int, hz: int, up_s: float) -> float:
    expected = up_s * hz - _BEGAN_BEFORE_S * hz
    apart = (jiffies - expected) % _WRAP
    return min(apart, _WRAP - apart) / hz

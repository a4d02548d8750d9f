"""When a timer of the kernel fires: later than asked, and the later the longer it runs.

Timers stand in a wheel of levels, each eight times as coarse as the one before, and are rounded
up to their level's step: 120 s at 250 ticks a second are 120 to 122 s
(kernel/time/timer.c, calc_wheel_index, calc_index). Pure.
"""

SECOND_NS = 1_000_000_000
NEVER = 2**63
"""A time (ns) after all others."""
_SHIFT, _SIZE = 3, 64  # LVL_CLK_SHIFT, LVL_SIZE
_LEVELS = 9


JIFFIES_BEGAN_NS = -300 * SECOND_NS
"""Jiffies began 300 s before a multiple of all steps (include/linux/jiffies.h, INITIAL_JIFFIES)."""


class TimerWheel:
    """Timers of one kernel, in which `hz` ticks make a second.

    `booted_ns` is when it was started, on the clock of all times here.
    """

    def __init__(self, hz: int, booted_ns: int = JIFFIES_BEGAN_NS) -> None:
        self.tick_ns = SECOND_NS // hz
        self._zero_ns = booted_ns - JIFFIES_BEGAN_NS

    def rounding(self, timeout_ns: int) -> tuple[int, int]:
        """What `fires` wants of a timeout: its ticks, and the bits that its level leaves out."""
        ticks = -(-timeout_ns // self.tick_ns)
        level = 0
        while level < _LEVELS - 1 and ticks >= (_SIZE - 1) << _SHIFT * level:
            level += 1
        return ticks, _SHIFT * level

    def fires(self, now_ns: int, ticks: int, shift: int) -> int:
        """When (ns) a timer set now for so many ticks fires."""
        tick, zero = self.tick_ns, self._zero_ns
        return ((((now_ns - zero) // tick + ticks) >> shift) + 1 << shift) * tick + zero

"""What is played over the real kernel, and on the model with the same arrivals: scenarios as text.

Four servers of four workers at 0.9 of what they can do, at a rate that user-mode Linux carries
easily. `directors` tables balance over them, as many nodes would. Pure.
"""

from dataclasses import dataclass

RANDOM_THERE = "iptables"
"""Chance, as kube-proxy has it without IPVS; its mode nftables draws in the same way."""
WORK_MS = 40
RATE = 360
SECONDS = 3
BLOCKS = 8
LEAST_VALID = 6
"""Fewer blocks have no interval of 95 %."""

_WORK = {
    "even": f"{WORK_MS}ms",
    "exponential": f"exponential {WORK_MS}ms",
    # The mean of a lognormal distribution whose p99 is 20 times its median is 2.29 medians.
    "heavy-tailed": "lognormal 17.45ms 349ms",
}
_FEW = (RANDOM_THERE, "rr", "lc")
_MANY = (*_FEW, "sed")
PLAYED = (*_MANY, "mh")
"""All of them, in the order of tables."""
BY_COUNTS = ("rr", "lc", "sed")
"""Those whose choices follow from the arrivals alone: no draw and no port is in them."""


@dataclass(frozen=True, slots=True)
class KernelCell:
    """A comparison over so many directors. `scale_out`: older servers hold open connections."""

    directors: int
    work: str
    schedulers: tuple[str, ...]
    scale_out: bool = False
    blocks: int = BLOCKS
    seconds: float = SECONDS

    @property
    def name(self) -> str:
        """For files and for people."""
        return f"{self.directors}-{self.work}{'-scale-out' * self.scale_out}"

    @property
    def simulated_with(self) -> tuple[str, ...]:
        """The options for the model: kept connections need a record."""
        return () if self.scale_out else ("--summary",)

    def scenario(self) -> str:
        """The file that `ipvsload run` and `ipvsload simulate` play."""
        several = f"\n  directors: {self.directors}\n  spread: random" * (self.directors > 1)
        entries = "".join(f"\n  - {_ENTRY.get(name, name)}" for name in self.schedulers)
        held, begin, end = (_HELD, _SCALED_OUT, _END) if self.scale_out else ("", "", "")
        return f"""name: study
schedulers:{entries}
service:
  servers: {2 if self.scale_out else 4}
  clients: 8
  capacity: {{workers: 4}}{several}
traffic:
  work:
    request: GET /delay/{{work}}
    work: {_WORK[self.work]}
    rate: {RATE}
    arrivals: poisson
    duration: {self.seconds}s{held}
timeline:{begin}
  - start: work
    until: done{{class=work}}
    within: 2m{end}
measures: ["latency_p99{{class=work}}"]
"""


_ENTRY = {"mh": "{label: mh, scheduler: mh, flags: [mh-port]}"}
"""As kube-proxy sets it."""
_HELD = """
  held:
    request: GET /ip
    users: 80
    think: 2s
    connection: keep-alive"""
_SCALED_OUT = """
  - start: held
  - wait: 1s
  - scale: 4"""
_END = """
  - stop: held"""


def kernel_cells() -> list[KernelCell]:
    """What is played, in this order; some 20 minutes."""
    return [
        KernelCell(1, "exponential", PLAYED),
        *(KernelCell(directors, "exponential", _MANY) for directors in (2, 4, 8)),
        KernelCell(4, "heavy-tailed", _FEW),
        KernelCell(4, "even", _FEW),
        KernelCell(1, "exponential", _FEW, scale_out=True),
    ]


def quick_kernel_cells() -> list[KernelCell]:
    """Whether everything works, in half a minute."""
    return [KernelCell(2, "exponential", (RANDOM_THERE, "lc"), blocks=1, seconds=0.5)]

"""How many jiffies make a second, out of what kernels tell of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvsload.ipvs.jiffies import hz_of_config, hz_of_jiffies
from ipvsload.ipvs.keys import Identity, service_key
from ipvsload.ipvs.procfs import read_table

USUAL = [100, 250, 300, 1000]


def jiffies(hz: int, up_s: float) -> int:
    """As include/linux/jiffies.h has them, in 64 bits."""
    return 2**32 - 300 * hz + round(hz * up_s)


@given(st.sampled_from(USUAL), st.floats(0, 250) | st.floats(350, 1e7), st.booleans())
def test_jiffies_and_uptime_tell_the_kernels_hz(hz: int, up_s: float, short: bool) -> None:
    now = jiffies(hz, up_s) % 2**32 if short else jiffies(hz, up_s)
    found = hz_of_jiffies(f"version 15\ntimestamp {now}\ncpu0 0\n", f"{up_s:.2f} 1.00\n")
    # A kernel of 32 bits counts from 0 again; another number of hz may fit then, too.
    assert found in ((hz, 0) if short or up_s > 4e6 else (hz,))
    timers = f"Timer List Version: v0.9\n  .idle_jiffies   : 7\njiffies: {now}\n\n"
    assert hz_of_jiffies(timers, f"{up_s:.2f} 1.00\n") == found


@pytest.mark.parametrize(
    ("schedstat", "uptime"),
    [
        (f"version 15\ntimestamp {jiffies(250, 300)}\n", "300.00 1.00"),  # they all agree
        (f"version 15\ntimestamp {jiffies(250, 1000)}\n", "5000.00 1.00"),  # it slept
        ("version 15\n", "5000.00 1.00"),
        ("", ""),
    ],
)
def test_where_they_do_not_tell_it_is_not_known(schedstat: str, uptime: str) -> None:
    assert hz_of_jiffies(schedstat, uptime) == 0


def test_a_configuration_tells_it() -> None:
    assert hz_of_config("CONFIG_HZ_250=y\nCONFIG_HZ=250\n") == 250
    assert hz_of_config("# CONFIG_HZ_250 is not set\n") == 0


@pytest.mark.parametrize(("hz", "seconds"), [(250, 300), (0, 0)])
def test_persistence_is_in_seconds_where_that_can_be_known(hz: int, seconds: int) -> None:
    text = (
        "IP Virtual Server version 1.2.1 (size=4096)\n"
        "Prot LocalAddress:Port Scheduler Flags\n"
        "  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n"
        "TCP  0A000001:0050 wlc persistent 75000 FFFFFF00\n"
    )
    ((row, _),) = read_table(text, hz)[1]
    assert service_key(Identity(*row[:5])) == "tcp 10.0.0.1:80"
    assert row[7] == seconds
    assert row[6][0] & 1  # persistent in any case

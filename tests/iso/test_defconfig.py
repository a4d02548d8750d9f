"""The edit of a defconfig, on paper."""

from hypothesis import given
from hypothesis import strategies as st

from ipvsload.ipvs.kernel_features import FEATURES
from ipvsload.iso import defconfig, kernel_config
from tests.iso import trees


def added(before: str, release: str) -> list[str]:
    after = defconfig.add(before, defconfig.lacking(before, release))
    assert not defconfig.lacking(after, release)
    return [
        line[1:] for line in defconfig.diff(before, after, "x").splitlines()[2:] if line[0] == "+"
    ]


def test_todays_kernels_get_mh_and_twos_and_the_arm_one_its_dummy() -> None:
    assert added(trees.X86_64, "6.6.95") == ["CONFIG_IP_VS_MH=m", "CONFIG_IP_VS_TWOS=m"]
    assert "CONFIG_DUMMY=m" in added(trees.AARCH64, "6.6.95")


def test_the_old_one_gets_the_set_types_but_no_scheduler_that_its_kernel_does_not_know() -> None:
    assert added(trees.OLD, "4.16.14") == [
        "CONFIG_IP_SET_BITMAP_PORT=m",
        "CONFIG_IP_SET_HASH_IPPORT=m",
        "CONFIG_IP_SET_HASH_IPPORTIP=m",
        "CONFIG_IP_SET_HASH_IPPORTNET=m",
    ]


def test_each_line_stands_where_kconfig_would_put_it() -> None:
    after = defconfig.add(trees.AARCH64, defconfig.lacking(trees.AARCH64, "6.6")).splitlines()
    for before, line in (
        ("CONFIG_IP_VS_SH=m", "CONFIG_IP_VS_MH=m"),
        ("CONFIG_IP_VS_NQ=m", "CONFIG_IP_VS_TWOS=m"),
        ("CONFIG_NETDEVICES=y", "CONFIG_DUMMY=m"),
    ):
        assert after[after.index(line) - 1] == before


def test_a_line_that_says_not_set_is_turned_and_not_doubled() -> None:
    text = trees.X86_64 + "# CONFIG_IP_VS_MH is not set\n"
    after = defconfig.add(text, defconfig.lacking(text, "6.6"))
    assert after.count("CONFIG_IP_VS_MH") == 1
    assert after.endswith("CONFIG_IP_VS_MH=m\n")


def test_what_an_option_depends_on_comes_with_it() -> None:
    bare = "CONFIG_NET=y\n"
    names = [feature.option for feature in defconfig.lacking(bare, "6.6")]
    for feature in FEATURES:
        for parent in feature.depends_on:
            if feature.option in names and parent in names:
                assert names.index(parent) < names.index(feature.option)
    assert {"NETFILTER", "IP_VS", "IP_SET"} <= set(names)


@given(st.sets(st.sampled_from(trees.X86_64.splitlines())), st.sampled_from(["4.16.14", "6.6.95"]))
def test_only_lines_are_added_and_twice_is_once(left_out: set[str], release: str) -> None:
    lines = [line for line in trees.X86_64.splitlines() if line not in left_out]
    before = "".join(f"{line}\n" for line in lines)
    after = defconfig.add(before, defconfig.lacking(before, release))
    kept = iter(after.splitlines())
    assert all(line in kept for line in lines)  # all of them, in their order
    assert defconfig.add(after, defconfig.lacking(after, release)) == after
    assert len(kernel_config.parse(after)) == len(after.splitlines())

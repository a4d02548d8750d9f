"""Pages are the same text as Python's json makes."""

import json

from hypothesis import given
from hypothesis import strategies as st

from ipvsload.testbed.lab.page_text import Page, page_text

TEXT = st.text(max_size=5)
PAGES = st.recursive(
    TEXT | st.lists(TEXT, max_size=3),
    lambda inner: st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(PAGES)
def test_the_text_is_that_of_json(page: Page) -> None:
    assert page_text(page) == json.dumps(page, indent=2, sort_keys=True)

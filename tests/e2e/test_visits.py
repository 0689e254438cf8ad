"""What the end of a whole run says of the pages that no browser test checked."""

from tests.e2e.visits import remember, unchecked


def test_a_page_that_was_checked_on_a_phone_only_is_told(tmp_path):
    file = tmp_path / "visits"
    for address, width in (("a/", 390), ("b/", 390), ("b/", 1400)):
        remember(address, width, file)
    assert unchecked({"a/": "test_a", "b/": "test_b"}, file) == [
        "/a/ was never checked by assert_accessible on a desk: test_a is to come to it"
    ]


def test_nothing_is_told_where_no_browser_ran(tmp_path):
    assert unchecked({"a/": "test_a"}, tmp_path / "visits") == []

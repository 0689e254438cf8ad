"""What the project says of itself agrees: version and dates, contacts, hooks."""

import json
import re
import tomllib

import pytest
import yaml

from tests.conftest import PROJECT

PUBLIC = yaml.safe_load((PROJECT / "publiccode.yml").read_text())
CHANGELOG = (PROJECT / "CHANGELOG.md").read_text()
SECURITY = (PROJECT / "SECURITY.md").read_text()
RELEASED = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d{2}-\d{2})$", CHANGELOG, re.MULTILINE)


def test_the_released_version_and_its_date_are_those_of_the_changelog():
    told = (PUBLIC.get("softwareVersion"), PUBLIC.get("releaseDate"))
    assert told == (RELEASED[0] if RELEASED else (None, None))


def test_a_released_version_is_that_of_the_package():
    package = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    assert not RELEASED or RELEASED[0][0] == package


def test_no_address_is_one_of_documentation():
    reserved = re.compile(r"\.(example|test|invalid|localhost)\b|example\.(com|org|net)")
    assert not reserved.search((PROJECT / "publiccode.yml").read_text())
    assert not reserved.search(SECURITY)


def test_who_maintains_it_is_said_alike_in_both_places():
    (contact,) = PUBLIC["maintenance"]["contacts"]
    assert contact["name"] in SECURITY
    assert contact["affiliation"] in SECURITY


def test_the_local_hooks_run_what_the_check_runs():
    hooks = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    entries = " ".join(hook["entry"] for hook in hooks)
    for tool in ("ruff check", "ruff format", "mypy src", "lint-imports", "makemigrations --check"):
        assert tool in entries, tool


@pytest.mark.parametrize("folder", ["frontend", "bench/oidc-provider"])
def test_npm_packages_are_pinned_by_digest_and_name_no_registry(folder):
    lock = json.loads((PROJECT / folder / "package-lock.json").read_text())["packages"]
    packages = {name: package for name, package in lock.items() if name}
    assert not [name for name, package in packages.items() if "resolved" in package or "integrity" not in package]

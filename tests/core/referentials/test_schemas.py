"""Official schemas: read from the operator's folder, without the network, and said missing when they are."""

import pytest
from lxml import etree

from parvis.core.referentials.schemas import official_schema, path_of

SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{}<xs:element name="n" type="xs:int"/></xs:schema>"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "jeu" / "v1").mkdir(parents=True)
    (tmp_path / "jeu" / "v1" / "n.xsd").write_text(SCHEMA.format(""))
    return tmp_path


def test_a_schema_that_is_not_installed_is_none(folder):
    assert path_of("jeu/v2/n.xsd", folder) is None
    assert official_schema("jeu/v2/n.xsd", folder) is None


def test_breaches_say_where_and_what(folder):
    schema = official_schema("jeu/v1/n.xsd", folder)
    assert schema.errors(etree.fromstring("<n>4</n>")) == []
    (breach,) = schema.errors(etree.fromstring("\n<n>quatre</n>"))
    assert (breach.line, breach.path) == (2, "/n")
    assert "quatre" in breach.message


def test_a_replaced_schema_is_read_again(folder):
    assert official_schema("jeu/v1/n.xsd", folder).errors(etree.fromstring("<n>quatre</n>"))
    replaced = folder / "jeu" / "v1" / "n.xsd"
    replaced.write_text(SCHEMA.format("").replace("xs:int", "xs:string"))
    assert official_schema("jeu/v1/n.xsd", folder).errors(etree.fromstring("<n>quatre</n>")) == []


def test_an_address_of_the_network_is_refused(folder):
    imported = '<xs:import namespace="urn:x" schemaLocation="http://ailleurs.invalid/x.xsd"/>'
    (folder / "jeu" / "v1" / "n.xsd").write_text(SCHEMA.format(imported))
    with pytest.raises(etree.XMLSchemaParseError):
        official_schema("jeu/v1/n.xsd", folder)

"""Hostile containers are refused before anything is inflated; honest ones open."""

import io
import struct
import tracemalloc
import zipfile

import pytest

from parvis.edemat.archives.formats.container import ContainerRefused, Limits, open_container


def zipped(*entries: tuple[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in entries:
            info = zipfile.ZipInfo(name)
            info.compress_type = compression
            archive.writestr(info, content)
    stream.seek(0)
    return stream


def refusal(stream: io.BytesIO, limits: Limits | None = None) -> str:
    with pytest.raises(ContainerRefused) as caught:
        open_container(stream, limits)
    assert all(f.code == "101" for f in caught.value.findings)
    return " ".join(f.sentence for f in caught.value.findings)


def renamed(name: bytes) -> io.BytesIO:
    """An archive whose entry bears a raw name that the library would not write."""
    placeholder = b"N" * len(name)
    data = zipped(("manifest.xml", b"<a/>"), (placeholder.decode(), b"x")).getvalue()
    return io.BytesIO(data.replace(placeholder, name))


def test_an_honest_container_opens_and_finds_its_entries():
    stream = zipped(("./", b""), ("Content/", b""), ("Content/Été @1.txt", b"abc"), ("manifest.xml", b"<a/>"))
    with open_container(stream) as container:
        assert container.manifests == ["manifest.xml"]
        assert container.find("content/ÉTÉ @1.TXT") == "Content/Été @1.txt"
        assert container.find("absent") is None
        assert container.open("Content/Été @1.txt").read() == b"abc"


@pytest.mark.parametrize(
    ("names", "count"),
    [
        (["manifest.xml"], 1),
        (["bordereau.xml"], 1),
        (["VERSEMENT_1_manifest.xml"], 1),
        (["manifest.xml", "manifest-copy.xml"], 2),
        (["content/manifest.xml"], 0),
        (["autre.xml"], 0),
    ],
)
def test_candidates_for_the_message(names, count):
    with open_container(zipped(*((n, b"<a/>") for n in names))) as container:
        assert len(container.manifests) == count


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (b"../../etc/passwd", "remonte hors"),
        (b"content/../../a", "remonte hors"),
        (b"/etc/passwd", "chemin absolu"),
        (b"C:/windows/a", "chemin absolu"),
        (b"content\\a.txt", "barre oblique inverse"),
        (b"content/a\x00.pdf", "contrôle"),
        (b"content/a\x1b[31m", "contrôle"),
        (b"a/" * 70 + b"f", "profondeur"),
        (b"n" * 300, "trop long"),
    ],
)
def test_dangerous_names(name, words):
    assert words in refusal(renamed(name))


@pytest.mark.parametrize(("first", "second"), [("a/é.txt", "a/e\u0301.txt"), ("a/B.txt", "a/b.TXT"), ("a", "./a")])
def test_names_equal_after_normalisation(first, second):
    assert "même nom" in refusal(zipped((first, b"1"), (second, b"2")))


def test_a_symbolic_link_is_refused():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        info = zipfile.ZipInfo("content/lien")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    assert "lien" in refusal(stream)


def test_an_encrypted_entry_is_refused():
    data = bytearray(zipped(("content/a", b"secret"), compression=zipfile.ZIP_STORED).getvalue())
    local, central = data.find(b"PK\x03\x04"), data.find(b"PK\x01\x02")
    data[local + 6] |= 1
    data[central + 8] |= 1
    assert "chiffré" in refusal(io.BytesIO(bytes(data)))


def test_other_compression_methods_are_refused():
    assert "méthode" in refusal(zipped(("content/a", b"x" * 1000), compression=zipfile.ZIP_LZMA))


def test_a_bomb_is_refused_without_inflating_it():
    bomb = zipped(("content/zeros", bytes(64 * 1024 * 1024)))
    tracemalloc.start()
    assert "bombe" in refusal(bomb)
    assert tracemalloc.get_traced_memory()[1] < 2 * 1024 * 1024
    tracemalloc.stop()


def test_the_ratio_is_a_setting():
    small = zipped(("content/zeros", bytes(4 * 1024 * 1024)))
    with open_container(small) as container:
        assert container.entries["content/zeros"].size == 4 * 1024 * 1024
    assert "bombe" in refusal(small, Limits(harmless_bytes=1024))
    with open_container(small, Limits(harmless_bytes=1024, ratio=2000)):
        pass


def test_the_total_size_is_bounded():
    assert "limite" in refusal(zipped(("content/a", b"x" * 100)), Limits(total_bytes=99))


def test_overlapping_entries_are_refused():
    data = bytearray(zipped(("a", b"x" * 50), ("b", b"y" * 50), compression=zipfile.ZIP_STORED).getvalue())
    second = data.rfind(b"PK\x01\x02")
    struct.pack_into("<I", data, second + 42, 0)
    assert "recouvrent" in refusal(io.BytesIO(bytes(data)))


def test_too_many_entries_are_refused_before_the_directory_is_read():
    many = zipped(*((f"f{i}", b"") for i in range(20)))
    assert "20 entrées" in refusal(many, Limits(entries=10))
    data = bytearray(zipped(("a", b"x")).getvalue())
    end = data.rfind(b"PK\x05\x06")
    struct.pack_into("<I", data, end + 12, 0x7FFFFFFF)
    assert "entrées" in refusal(io.BytesIO(bytes(data)))


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip at all" * 100, b"PK\x05\x06" + b"\xff" * 18])
def test_what_is_not_a_zip(content):
    assert refusal(io.BytesIO(content))


def test_an_empty_zip():
    assert "aucun fichier" in refusal(zipped())
    assert "aucun fichier" in refusal(zipped(("content/", b"")))


def test_the_size_of_an_entry_cannot_lie():
    data = bytearray(zipped(("content/a", b"x" * 5000)).getvalue())
    central = data.find(b"PK\x01\x02")
    struct.pack_into("<I", data, central + 24, 10)
    with open_container(io.BytesIO(bytes(data))) as container, pytest.raises(zipfile.BadZipFile):
        container.open("content/a").read(100)

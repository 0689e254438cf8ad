"""An organisation's hash tree as kept in the database: immutable tiles of 256 hashes, laid in batches.

Appending an event only computes its leaf; ``integrate`` lays the complete tiles later. A root or a proof
reads a few tiles, whatever the size of the journal.
"""

from collections.abc import Collection

from django.db import connection

from parvis.core.journal.merkle import HASH_SIZE, fold
from parvis.core.journal.models import Entry, Head, Tile
from parvis.core.organisations.models import Organisation

HEIGHT = 8
WIDTH = 1 << HEIGHT
TILES_AT_ONCE = 128


def size_of(organisation: Organisation) -> int:
    """Number of committed events of the organisation."""
    return Head.objects.filter(organisation=organisation).values_list("seq", flat=True).first() or 0


def integrate(organisation: Organisation) -> int:
    """Lay every tile that has become complete; returns how many were laid. Safe to run twice at once."""
    laid, level, available = 0, 0, size_of(organisation)
    while available >= WIDTH:
        tiles = Tile.objects.filter(organisation=organisation, level=level)
        done = tiles.order_by("-index").values_list("index", flat=True).first()
        start, complete = (0 if done is None else done + 1), available // WIDTH
        for first in range(start, complete, TILES_AT_ONCE):
            last = min(first + TILES_AT_ONCE, complete)
            hashes = _hashes(organisation, level, first * WIDTH, last * WIDTH)
            fresh = [
                _tile(organisation, level, index, hashes[(index - first) * WIDTH : (index - first + 1) * WIDTH])
                for index in range(first, last)
            ]
            Tile.objects.bulk_create(fresh, ignore_conflicts=True)
            laid += len(fresh)
        level, available = level + 1, complete
    return laid


def _tile(organisation: Organisation, level: int, index: int, hashes: list[bytes]) -> Tile:
    return Tile(organisation=organisation, level=level, index=index, root=fold(hashes), hashes=b"".join(hashes))


def _hashes(organisation: Organisation, level: int, start: int, end: int) -> list[bytes]:
    """Hashes [start, end) of one tile level: leaves for level 0, roots of the tiles below for the others."""
    if level == 0:
        rows = Entry.objects.filter(organisation=organisation, seq__gt=start, seq__lte=end)
        hashes = [bytes(leaf) for leaf in rows.order_by("seq").values_list("leaf", flat=True)]
    else:
        below = Tile.objects.filter(organisation=organisation, level=level - 1, index__gte=start, index__lt=end)
        hashes = [bytes(root) for root in below.order_by("index").values_list("root", flat=True)]
    if len(hashes) != end - start:
        raise LookupError(f"hashes {start} to {end} of level {level} are not all there")
    return hashes


# A tile that is laid comes as it is; the one at the right edge comes from what it will be laid from.
_READ = """
SELECT place.level, place.index, coalesce(
    (SELECT hashes FROM journal_tile AS tile
     WHERE tile.organisation_id = %(organisation)s AND tile.level = place.level AND tile.index = place.index),
    CASE WHEN place.level = 0 THEN
        (SELECT string_agg(leaf, ''::bytea ORDER BY seq) FROM journal_entry
         WHERE organisation_id = %(organisation)s
           AND seq > place.index * %(width)s AND seq <= (place.index + 1) * %(width)s)
    ELSE
        (SELECT string_agg(below.root, ''::bytea ORDER BY below.index) FROM journal_tile AS below
         WHERE below.organisation_id = %(organisation)s AND below.level = place.level - 1
           AND below.index >= place.index * %(width)s AND below.index < (place.index + 1) * %(width)s)
    END, ''::bytea)
FROM unnest(%(levels)s::int[], %(indexes)s::bigint[]) AS place(level, index)
"""


class StoredTree:
    """Hashes of complete subtrees (a ``merkle.Subtrees``), read by tiles and remembered for one operation."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation
        self._tiles: dict[tuple[int, int], list[bytes]] = {}

    def read_around(self, index: int, size: int) -> "StoredTree":
        """Read at once the tiles that a proof of leaf ``index`` in the tree of ``size`` leaves needs."""
        places, storey = set(), 0
        while size >> HEIGHT * storey:
            places |= {(storey, leaf >> HEIGHT * (storey + 1)) for leaf in (index, size - 1)}
            storey += 1
        self._read(places)
        return self

    def __call__(self, level: int, index: int) -> bytes:
        storey, height = divmod(level, HEIGHT)
        first = index << height
        number, offset = divmod(first, WIDTH)
        if (storey, number) not in self._tiles:
            self._read({(storey, number)})
        span = self._tiles[storey, number][offset : offset + (1 << height)]
        if len(span) == 1 << height:
            return fold(span)
        if level == 0:
            raise LookupError(f"leaf {index} is not in the journal")
        # Tiles not laid yet: the same hash from the two subtrees below.
        return fold([self(level - 1, 2 * index), self(level - 1, 2 * index + 1)])

    def _read(self, places: Collection[tuple[int, int]]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                _READ,
                {
                    "organisation": self._organisation.pk,
                    "width": WIDTH,
                    "levels": [level for level, _ in places],
                    "indexes": [index for _, index in places],
                },
            )
            for level, index, content in cursor.fetchall():
                whole = bytes(content)
                self._tiles[level, index] = [whole[at : at + HASH_SIZE] for at in range(0, len(whole), HASH_SIZE)]

"""What is in each vault, and why it is there."""
import dataclasses
import json
import typing

from volumes import mixed
from volumes import noise
from volumes import patched
from volumes import text

KIB = 1024
CHUNK = 64 * KIB
BLOCK = 4 * KIB


@dataclasses.dataclass
class Step:
    """One backup. ``of`` tells volumes of one vault apart; ``parent`` is the label of an earlier step."""

    label: str
    volume: bytes
    parent: typing.Optional[str] = None
    of: str = 'disk'
    compression: str = 'zlib'
    chunk_size: int = CHUNK
    block_size: int = BLOCK
    container: typing.Optional[str] = None
    name: typing.Optional[str] = None
    description: typing.Optional[str] = None
    volume_meta: typing.Optional[str] = None
    backup_id: typing.Optional[str] = None
    now: typing.Optional[str] = None


@dataclasses.dataclass
class Recipe:
    name: str
    purpose: str
    steps: list


def chain():
    full = mixed('chain', 300 * KIB)
    first = patched(full, (5_000, b'one byte away from a block'), (CHUNK - 10, text('across', 30)))
    second = patched(first, (3 * CHUNK, text('a whole chunk', CHUNK)), (300 * KIB - 1, b'!'))
    third = patched(second, (2 * BLOCK, text('block', BLOCK)), (4 * BLOCK, text('other block', BLOCK)))
    return Recipe('chain', 'A full backup and four incrementals, among them one with nothing to store.', [
        Step('full', full), Step('first', first, 'full'), Step('second', second, 'first'),
        Step('unchanged', second, 'second'), Step('third', third, 'unchanged')])


def branches():
    full = mixed('branches', 100 * KIB)
    left = patched(full, (0, text('left', 9_000)))
    right = patched(full, (50_000, text('right', 9_000)))
    return Recipe('branches', 'Two incrementals on top of one full backup, and one on top of each.', [
        Step('full', full), Step('left', left, 'full'), Step('right', right, 'full'),
        Step('left leaf', patched(left, (90_000, b'left leaf')), 'left'),
        Step('right leaf', patched(right, (90_000, b'right leaf')), 'right')])


def odd_sizes():
    sizes = (0, 1, BLOCK - 1, BLOCK, BLOCK + 1, CHUNK - BLOCK, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 12_345)
    steps = []
    for size in sizes:
        volume = mixed('odd', size)
        steps.append(Step('%d full' % size, volume, of=str(size)))
        if size:
            changed = patched(volume, (size - 1, b'\xa5'))
            steps.append(Step('%d changed' % size, changed, '%d full' % size, of=str(size)))
    return Recipe('odd-sizes', 'Volumes that end within a block, at its end, or one byte past it.', steps)


def words():
    for word in ('zlib', 'gzip', 'none', 'off', 'bz2', 'bzip2', 'zstd'):
        full = mixed(word, 150_000)
        changed = patched(full, (70_000, text(word, 20_000)))
        yield Recipe('word-' + word, 'What Cinder writes with backup_compression_algorithm = %s.' % word, [
            Step('full', full, compression=word), Step('changed', changed, 'full', compression=word)])


def switched():
    full = mixed('switched', 150_000)
    second = patched(full, (10_000, text('second', 20_000)))
    third = patched(second, (100_000, text('third', 20_000)))
    yield Recipe('switched-word', 'An operator who changed the compression algorithm within a chain.', [
        Step('full', full), Step('raw', second, 'full', compression='none'),
        Step('again', third, 'raw', compression='gzip')])
    yield Recipe('switched-chunk-size', 'An operator who changed the chunk size within a chain.', [
        Step('full', full), Step('smaller', second, 'full', chunk_size=2 * BLOCK),
        Step('larger', third, 'smaller', chunk_size=4 * CHUNK)])


def zeroed():
    full = text('zeroed', 200 * KIB)
    hole = patched(full, (CHUNK, bytes(CHUNK)), (3 * BLOCK, bytes(2 * BLOCK)), (199 * KIB, bytes(KIB)))
    filled = patched(hole, (CHUNK + 2 * BLOCK, text('filled', BLOCK)))
    return Recipe('zeroed', 'Regions that held data are zeroed; a restore has to write those zeros.', [
        Step('full', full), Step('zeroed', hole, 'full'), Step('filled', filled, 'zeroed')])


def shrunk():
    full = mixed('shrunk', 250_000)
    smaller = patched(full[:150_001], (20_000, b'after the first shrinking'))
    smallest = smaller[:CHUNK]
    return Recipe('shrunk', 'A volume that shrank twice, within the GiB that Cinder counts in.', [
        Step('full', full), Step('smaller', smaller, 'full'), Step('idle', smaller, 'smaller'),
        Step('smallest', smallest, 'idle'), Step('same', smallest, 'smallest')])


def names():
    texts = {
        'accents': 'Sauvegarde d\u2019\u00e9t\u00e9, na\u00efve \u00e0 souhait',
        'cjk': '\u591c\u9593\u5099\u4efd \u30d0\u30c3\u30af\u30a2\u30c3\u30d7 \ubc31\uc5c5',
        'emoji': 'ship it \U0001f6a2\U0001f4be \U0001f468\u200d\U0001f469\u200d\U0001f467',
        'controls': ''.join(chr(code) for code in range(32)) + '\x7f\x80\x9f',
        'quotes': '"quoted" \\ back / slash \u2028\u2029 <script> \ufeff',
        'empty': '',
        'combining': 'e\u0301 \u05d0\u05d1 \u202egnp.egami',
    }
    volume = text('names', 3_000)
    return Recipe('names', 'Names and descriptions that Python writes in escapes.', [
        Step(label, volume, name=label + ' ' + value, description=value) for label, value in texts.items()])


def volume_metadata():
    def meta(version):
        return json.dumps({
            'version': version,
            'volume-base-metadata': {
                'id': 'v', 'display_name': 'donn\u00e9es', 'display_description': None, 'size': 1,
                'encryption_key_id': None, 'volume_type_id': None, 'attach_status': 'attached'},
            'volume-metadata': {'owner': 'harbour', 'tier': 'gold'},
            'volume-glance-metadata': {'image_name': 'debian-12', 'min_ram': '0'}})
    volume = text('metadata', 5_000)
    return Recipe('volume-metadata', 'volume_meta of both versions, with parts missing, and null.', [
        Step('version 1', volume, volume_meta=meta(1)), Step('version 2', volume, volume_meta=meta(2)),
        Step('bare', volume, volume_meta='{"version": 2}'), Step('null', volume)])


def containers():
    full = mixed('containers', 70_000)
    changed = patched(full, (1, b'changed'))
    return Recipe('containers', "Containers as given, nested ones too, and Cinder's own; a chain may cross them.", [
        Step('given', full, container='nightly'), Step('nested', changed, 'given', container='site/north/weekly'),
        Step('own', full, 'nested'), Step('other volume', full, of='other', container='nightly')])


def twins():
    start = '5e11f00d-0000-4000-8000-00000000000'
    full = text('twins', 10_000)
    return Recipe('twins', 'One container, one volume, one second: prefixes that differ in their last letter.', [
        Step('a', full, container='shared', backup_id=start + 'a', now='2026-02-01T00:00:00'),
        Step('b', patched(full, (0, b'b')), container='shared', backup_id=start + 'b', now='2026-02-01T00:00:00'),
        Step('c', patched(full, (0, b'c')), 'a', container='shared', backup_id=start + 'c',
             now='2026-02-01T00:00:00')])


def incompressible():
    full = text('incompressible', CHUNK) + noise('incompressible', CHUNK) + text('more', 1_000)
    return Recipe('incompressible', 'A chunk that zlib cannot shorten is stored raw, as none, in a zlib backup.', [
        Step('full', full), Step('changed', patched(full, (CHUNK, noise('other', BLOCK))), 'full')])


def all_recipes():
    return [chain(), branches(), odd_sizes(), *words(), *switched(), zeroed(), shrunk(), names(), volume_metadata(),
            containers(), twins(), incompressible()]

"""Writes the golden frames beside this script with python3-zstd, which is what Cinder compresses with, and zstd."""
import pathlib
import random
import struct
import subprocess

import zstd

here = pathlib.Path(__file__).parent
dice = random.Random(1)
text = ''.join(
    f'{dice.choice(["volume", "backup", "chunk", "block", "object"])} {dice.randrange(10**4)}\n' for _ in range(3000)
).encode()
raws = {
    'empty': b'',
    'one': b'\x00',
    'text': text,
    'zeros': bytes(100_000),
    'mixed': bytes(40_000) + text[:20_000] + dice.randbytes(6000) + bytes(7),
    # Longer than a block, so that later blocks refer to earlier ones.
    'blocks': dice.randbytes(20_000) * 16 + text * 3,
}


def program(raw, *options):
    return subprocess.run(['zstd', *options, '-c'], input=raw, capture_output=True, check=True).stdout


for name, raw in raws.items():
    (here / f'{name}.raw').write_bytes(raw)
    # python3-zstd makes no frame of nothing.
    if raw:
        (here / f'{name}.python.zst').write_bytes(zstd.compress(raw, 3))
(here / 'text.level19.python.zst').write_bytes(zstd.compress(text, 19))
# From a pipe: the frame has a checksum, and does not say how much it holds.
(here / 'blocks.program.zst').write_bytes(program(raws['blocks'], '-5'))
(here / 'empty.program.zst').write_bytes(program(b''))
(here / 'text.no-check.program.zst').write_bytes(program(text, '--no-check', '--ultra', '-22'))
# Several frames in a row, some that say how much they hold and some that do not, and frames to be skipped.
skippable = struct.pack('<II', 0x184D2A53, 5) + b'notes'
(here / 'text.frames.zst').write_bytes(
    skippable
    + zstd.compress(text[:9000], 1)
    + program(text[9000:20_000])
    + program(b'')
    + skippable
    + zstd.compress(text[20_000:], 7)
    + skippable
)
# A GiB of zeros, in a frame that does not say how much it holds: the bomb.
(here / 'bomb.program.zst').write_bytes(program(bytes(1 << 30)))

"""Writes the golden streams beside this script with Python's zlib, which is what Cinder compresses with."""
import pathlib
import random
import zlib

here = pathlib.Path(__file__).parent
dice = random.Random(1)
text = ''.join(
    f'{dice.choice(["volume", "backup", "chunk", "block", "object"])} {dice.randrange(10**4)}\n' for _ in range(3000)
).encode()
noise = dice.randbytes(6000)
raws = {
    'empty': b'',
    'one': b'\x00',
    'text': text,
    'zeros': bytes(100_000),
    'mixed': bytes(40_000) + text[:20_000] + noise + bytes(7),
}
for name, raw in raws.items():
    (here / f'{name}.raw').write_bytes(raw)
    (here / f'{name}.zlib').write_bytes(zlib.compress(raw))
(here / 'text.level9.zlib').write_bytes(zlib.compress(text, 9))
(here / 'text.level0.zlib').write_bytes(zlib.compress(text, 0))
window = zlib.compressobj(6, zlib.DEFLATED, 9)
(here / 'text.window9.zlib').write_bytes(window.compress(text) + window.flush())
# A GiB of zeros is a MiB, and that a few KB once more: the bomb, in a wrapper that is to be opened first.
bomb = zlib.compressobj(9)
parts = [bomb.compress(bytes(1 << 20)) for _ in range(1024)] + [bomb.flush()]
(here / 'bomb.zlib.zlib').write_bytes(zlib.compress(b''.join(parts), 9))

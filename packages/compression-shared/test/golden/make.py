"""Writes the golden streams beside this script with Python's bz2, which is what Cinder compresses with, and bzip2."""
import bz2
import pathlib
import random
import subprocess

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
    (here / f'{name}.bz2').write_bytes(bz2.compress(raw))
# Several blocks in one stream, whose bits begin anywhere; and several streams in a row.
blocks = dice.randbytes(20_000) * 16
(here / 'blocks.raw').write_bytes(blocks)
(here / 'blocks.level1.bz2').write_bytes(bz2.compress(blocks, 1))
(here / 'text.streams.bz2').write_bytes(b''.join(bz2.compress(text[at : at + 9000], 9) for at in range(0, len(text), 9000)))
(here / 'text.program.bz2').write_bytes(subprocess.run(['bzip2', '-5c'], input=text, capture_output=True, check=True).stdout)


# The table of the bytes in use holds the very bits that begin a block, or end a stream: marks that are none.
def bytes_in_use(bits):
    return [16 * group + place for group in range(3) for place in range(16) if bits >> (47 - 16 * group - place) & 1]


for name, bits in {'false-block': 0x314159265359, 'false-end': 0x177245385090}.items():
    # Shuffled one by one: four equal bytes in a row would bring a count, which is a byte in use too.
    raw = b''.join(bytes(dice.sample(bytes_in_use(bits), bits.bit_count())) for _ in range(1200))
    (here / f'{name}.bz2').write_bytes(bz2.compress(raw, 1) + bz2.compress(raw[:100]))
    (here / f'{name}.raw').write_bytes(raw + raw[:100])
# A hundred million zeros are three blocks of one stream, and a billion are 711 bytes or so: the bomb.
(here / 'long-zeros.bz2').write_bytes(bz2.compress(bytes(100_000_000)))
bomb = bz2.BZ2Compressor()
(here / 'bomb.bz2').write_bytes(b''.join(bomb.compress(bytes(10_000_000)) for _ in range(100)) + bomb.flush())

# A run that is spelled with 32 symbols: its length overflows 32 bits, and bz2 refuses it.
endless = ''.join(
    f'{value:0{bits}b}'
    for value, bits in [
        (0x425A6839, 32),  # header
        (0x314159265359, 48),  # a block,
        (0, 32 + 1 + 24),  # its checksum, not randomised, its origin,
        (1 << 15, 16), (1 << 15, 16),  # one byte in use: 0,
        (2, 3), (1, 15), (0, 1),  # two tables, one selector for the first,
        *[(1, 5), (0, 1), (0b100, 3), (0, 1)] * 2,  # whose codes are 0, 10, 11,
        (0, 32), (0b11, 2),  # a run, and the block's end
        (0x177245385090, 48), (0, 32),
    ]
)
stream = int(endless.ljust(-(-len(endless) // 8) * 8, '0'), 2).to_bytes(-(-len(endless) // 8), 'big')
(here / 'endless-run.bz2').write_bytes(stream)

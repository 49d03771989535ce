"""Volumes whose every byte follows from a seed, so that a vault can be made again and looked at without a copy."""
import hashlib

WORDS = b'stowage keeps volumes in chunks, blocks and objects; ballast shifts, cargo stays. '


def noise(seed, length):
    """Bytes that no compressor can shorten: SHA-256 of a seed and a counter."""
    blocks = (hashlib.sha256(b'%s/%d' % (seed.encode(), index)).digest() for index in range(-(-length // 32)))
    return b''.join(blocks)[:length]


def text(seed, length):
    """Bytes that every compressor shortens, and that differ from seed to seed and from place to place."""
    lines = (b'%s line %d: %s\n' % (seed.encode(), index, WORDS) for index in range(length // len(WORDS) + 1))
    return b''.join(lines)[:length]


def mixed(seed, size):
    """What a disk looks like: text, zeros, a little noise, over and over."""
    volume = bytearray()
    index = 0
    while len(volume) < size:
        volume += text('%s-%d' % (seed, index), 11_000)
        volume += bytes(9_000)
        volume += noise('%s-%d' % (seed, index), 700)
        index += 1
    return bytes(volume[:size])


def patched(volume, *patches):
    """A copy with ``(offset, bytes)`` written over it."""
    changed = bytearray(volume)
    for offset, data in patches:
        if offset + len(data) > len(changed):
            raise ValueError('a patch goes past the end of the volume')
        changed[offset:offset + len(data)] = data
    return bytes(changed)

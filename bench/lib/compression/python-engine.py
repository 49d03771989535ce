# Python's zlib, bz2 or zstd on one file, chunk after chunk, as Cinder's backup service calls them. Prints one line of JSON.
#
#   python3 python-engine.py compress|decompress WORD FROM TO CHUNK_SIZE MOST_BYTES
#
# The arguments mean what they mean in own-engine.mjs.
import json
import os
import sys
import time

mode, word, source, target, chunk_size, most_bytes = sys.argv[1:7]
if word == 'zlib':
    import zlib as compressor
elif word == 'bz2':
    import bz2 as compressor
else:
    import zstd as compressor

inputs = []
lengths = []
if mode == 'compress':
    with open(source, 'rb') as volume:
        left = int(most_bytes)
        while left > 0:
            chunk = volume.read(min(left, int(chunk_size)))
            if not chunk:
                break
            left -= len(chunk)
            inputs.append(chunk)
            lengths.append(len(chunk))
else:
    for name in sorted(os.listdir(source)):
        with open(os.path.join(source, name), 'rb') as chunk:
            inputs.append(chunk.read())
        lengths.append(int(name.rsplit('.', 1)[1]))

results = []
total = 0
work = compressor.compress if mode == 'compress' else compressor.decompress
if target == '-':
    # What the first chunk pays for is not to be paid for by a handful.
    if mode == 'compress' or len(inputs[0]) != lengths[0]:
        work(inputs[0])
started = time.perf_counter()
for chunk, length in zip(inputs, lengths):
    # As long as its data: own-engine.mjs stored it as it is.
    result = chunk if mode == 'decompress' and len(chunk) == length else work(chunk)
    total += len(result)
    if target != '-':
        results.append(result)
seconds = time.perf_counter() - started

if target != '-':
    if mode == 'compress':
        for index, result in enumerate(results):
            with open(os.path.join(target, '%03d.%d' % (index, lengths[index])), 'wb') as file:
                file.write(result)
    else:
        with open(target, 'wb') as file:
            for result in results:
                file.write(result)
print(json.dumps({'seconds': seconds, 'rawBytes': sum(lengths), 'lengthBytes': total}))

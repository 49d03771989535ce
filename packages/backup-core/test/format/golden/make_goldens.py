#!/usr/bin/python3
"""Writes the golden files beside it: what Python's json and Cinder's own code make of the same values.

Needs python3-cinder (Debian's 21.3). The tests need neither: they read the files.
    /usr/bin/python3 packages/backup-core/test/format/golden/make_goldens.py
    npx prettier --write packages/backup-core/test/format/golden
"""
import contextlib
import datetime
import json
import os
import random
import warnings

warnings.simplefilter('ignore')
from cinder import objects  # noqa: E402

objects.register_all()
from cinder.backup import chunkeddriver  # noqa: E402
from cinder.objects import backup as backup_object  # noqa: E402

here = os.path.dirname(os.path.abspath(__file__))


def store(name, value):
    with open(os.path.join(here, name), 'w', encoding='ascii') as file:
        json.dump(value, file, indent=1)
        file.write('\n')


# Strings and values
texts = ['', 'plain / text', '"\\', '\b\f\n\r\t', ''.join(map(chr, range(0x20))), '\x7e\x7f\x80\x9f\xa0\xe9',
         '\u2028\u2029\ufeff\uffff', '\U0001f600', 'a\U0010ffffb', '\ud800', 'x\udfffy', '\udc00\ud800', '\u65e5\u672c']
store('strings.json', [{'text': text, 'dumped': json.dumps(text)} for text in texts])

numbers = ['0', '-1', '9007199254740991', '0.1', '1e-05', '0.0001', '0.00012345', '1.5e-07', '1e16', '1e+22', '1.5e300',
           '123456789.125', '5e-324', '1.7976931348623157e308', '-0.0', '1234567890123456.5', '-2.5e-10', '9007199254740993.0']
rng = random.Random(1)
floats = [rng.uniform(-1, 1) * 10 ** rng.randint(-30, 30) for _ in range(300)]
# JavaScript cannot tell 2.0 from 2.
numbers += [repr(value) for value in floats if not (value.is_integer() and abs(value) < 2 ** 53)]
store('numbers.json', [{'text': text, 'dumped': json.dumps(json.loads(text))} for text in numbers])

keys = {'b': 1, 'a': [], 'B': {}, '\uff5e': [1, [2, {}], {'x': None}], '\U0001f600': True, '\ud83d': False, '\ud83d\uff5e': 0,
        '\ue000': 'e', 'aa': 'x', '': [[]], '\x7f': -1.5, '__proto__': {'y': 1}}
store('dumps.json', {'text': json.dumps(keys), 'plain': json.dumps(keys), 'sorted': json.dumps(keys, sort_keys=True),
                     'indented': json.dumps(keys, sort_keys=True, indent=2)})


# The two objects, written by Cinder's driver
class Driver:
    DRIVER_VERSION = chunkeddriver.ChunkedBackupDriver.DRIVER_VERSION
    _metadata_filename = chunkeddriver.ChunkedBackupDriver._metadata_filename
    _sha256_filename = chunkeddriver.ChunkedBackupDriver._sha256_filename
    sha_block_size_bytes = 32768

    @contextlib.contextmanager
    def _get_object_writer(self, container, name):
        driver = self

        class Writer:
            def write(self, data):
                driver.written = data.decode('ascii')
        yield Writer()


PREFIX = 'volume_6d8d6a3c-5f3f-44be-a14f-83ae0c3e8a3f/20260101000000/az_nova_backup_f5e7aa3b-bd9a-42ce-a5b6-2ba26c6a0e6f'


def backup(**fields):
    return {'id': 'f5e7aa3b-bd9a-42ce-a5b6-2ba26c6a0e6f', 'display_name': None, 'display_description': None,
            'created_at': datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc), 'parent_id': None,
            'service_metadata': PREFIX, **fields}


def entry(number, offset, length, compression, md5):
    return {'%s-%05d' % (PREFIX, number): {'offset': offset, 'length': length, 'compression': compression, 'md5': md5}}


volume_id = '6d8d6a3c-5f3f-44be-a14f-83ae0c3e8a3f'
cases = [
    (backup(), [], None, None),
    (backup(display_name='n\u00e9\x7f \U0001f600 "q" \\ / \n', display_description='', parent_id='0b1e'),
     [entry(1, 0, 52428800, 'zlib', 'd41d8cd98f00b204e9800998ecf8427e'),
      entry(100000, 4503599627370496, 1, 'none', '0cc175b9c0f1b6a831c399e269772661')],
     json.dumps({'version': 2, 'volume-base-metadata': {'display_name': '\u65e5'}}),
     {'z': [1, {'y': None}], 'a': {}, 'A': [], 'f': 1.5}),
    (backup(), [entry(1, 0, 0, 'bz2', 'd41d8cd98f00b204e9800998ecf8427e')], '', {}),
]
metadata = []
for record, entries, volume_meta, extra in cases:
    driver = Driver()
    chunkeddriver.ChunkedBackupDriver._write_metadata(driver, record, volume_id, 'c', entries, volume_meta, extra)
    metadata.append({'objectName': PREFIX + '_metadata', 'extra': extra, 'volumeMeta': volume_meta, 'written': driver.written})
store('metadata.json', metadata)

sha256files = []
for hashes in ([], ['00' * 31 + 'ff'], ['%064x' % (number * 2 ** 250 // 7) for number in range(5)]):
    driver = Driver()
    chunkeddriver.ChunkedBackupDriver._write_sha256file(driver, cases[1][0], volume_id, 'c', hashes)
    sha256files.append({'hashes': hashes, 'written': driver.written})
store('sha256file.json', sha256files)

# A record, exported by Cinder's object
created = datetime.datetime(2026, 1, 1)
record = backup_object.Backup(
    id=cases[0][0]['id'], user_id='u', project_id='p', volume_id=volume_id, host='h', availability_zone='nova',
    container='volumebackups', parent_id=None, status='available', fail_reason=None, size=2, display_name='n\u00e9\x7f',
    display_description=None, service_metadata=PREFIX, service='cinder.backup.drivers.swift.SwiftBackupDriver',
    object_count=3, temp_volume_id=None, temp_snapshot_id=None, num_dependent_backups=0, snapshot_id=None,
    data_timestamp=created, restore_volume_id=None, metadata={}, encryption_key_id=None, created_at=created,
    updated_at=None, deleted_at=None, deleted=False)
store('record.json', {
    'backupService': record.service,
    'plain': record.encode_record(driver_info={}),
    'withSize': record.encode_record(driver_info={'stowage_size_bytes': 2 ** 30 + 1}),
})

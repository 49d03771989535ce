"""What stands in for Cinder's database: backups in one JSON file, volumes in memory.

Cinder's own ``objects.Backup`` stays in charge of its fields, their types and their text form; only the calls
that would reach SQL are answered here.
"""
import json
import os

from cinder import exception
from cinder import objects
from cinder.db import base as db_base
from cinder.objects import backup as backup_objects

GIB = 1024 ** 3


class Catalogue:
    """The backups that this peer knows, by id."""

    def __init__(self, path):
        self.path = path
        self.records = {}
        if os.path.exists(path):
            with open(path, encoding='utf-8') as stored:
                self.records = json.load(stored)

    def install(self):
        """Answers Cinder's backup queries from this catalogue."""
        backup = backup_objects.Backup

        def save(record):
            self.put(record)
            record.obj_reset_changes()

        backup.save = save
        backup.refresh = lambda record: None
        backup.get_by_id = classmethod(lambda cls, context, backup_id, *_args, **_kwargs: self.get(context, backup_id))

    def get(self, context, backup_id):
        if backup_id not in self.records:
            raise exception.BackupNotFound(backup_id=backup_id)
        return new_backup(context, **self.records[backup_id])

    def put(self, record):
        self.records[record.id] = {
            name: field.to_primitive(record, name, getattr(record, name))
            for name, field in record.fields.items() if name != 'parent'
        }
        self._write()

    def remove(self, backup_id):
        self.records.pop(backup_id, None)
        self._write()

    def _write(self):
        # By way of a rename: a peer that is killed must not leave half a catalogue.
        os.makedirs(os.path.dirname(os.path.abspath(self.path)), exist_ok=True)
        with open(self.path + '.new', 'w', encoding='utf-8') as stored:
            json.dump(self.records, stored, indent=1, sort_keys=True)
        os.replace(self.path + '.new', self.path)


def new_backup(context, **values):
    """A Cinder backup object with every field set, so that no field is asked of a database."""
    fields = {name: None for name in objects.Backup.fields if name != 'parent'}
    fields.update(deleted=False, metadata={}, num_dependent_backups=0, object_count=0)
    fields.update(values)
    return objects.Backup(context, **fields)


class VolumeTable:
    """One volume: says what a backup notes of it, and remembers what a restore puts back."""

    def __init__(self, size_gib):
        self.size_gib = size_gib
        self.restored = {'base': {}, 'volume': {}, 'glance': {}}

    def install(self):
        def init(driver):
            driver.db = self
        db_base.Base.__init__ = init

    # The names below are those of cinder.db, which the drivers and BackupMetadataAPI call.
    def volume_get(self, _context, volume_id):
        return {'id': volume_id, 'size': self.size_gib, 'display_name': 'restore_backup_' + volume_id,
                'volume_type_id': None}

    def volume_type_get(self, _context, type_id):
        return {'id': type_id}

    def volume_update(self, _context, _volume_id, values):
        self.restored['base'].update(values)

    def volume_metadata_update(self, _context, _volume_id, values, _delete):
        self.restored['volume'] = dict(values)

    def volume_glance_metadata_delete_by_volume(self, _context, _volume_id):
        self.restored['glance'] = {}

    def volume_glance_metadata_create(self, _context, _volume_id, key, value):
        self.restored['glance'][key] = value

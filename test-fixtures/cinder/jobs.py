"""The peer's commands: each runs one method of a genuine Cinder backup driver."""
import contextlib
import datetime
import json
import os
import time

from cinder import context as cinder_context
from cinder import exception
from cinder import objects
from cinder.backup import chunkeddriver
from cinder.backup.drivers import posix
from cinder.backup.drivers import s3
from cinder.backup.drivers import swift
import cinder.common.config  # noqa: F401  registers the options of every service
from oslo_config import cfg
from oslo_utils import timeutils

from catalogue import Catalogue
from catalogue import GIB
from catalogue import new_backup
from catalogue import VolumeTable

CONF = cfg.CONF
USER_ID = 'peer'
ZONE = 'nova'
DRIVERS = {
    'posix': (posix.PosixBackupDriver, 'cinder.backup.drivers.posix.PosixBackupDriver'),
    's3': (s3.S3BackupDriver, 'cinder.backup.drivers.s3.S3BackupDriver'),
    'swift': (swift.SwiftBackupDriver, 'cinder.backup.drivers.swift.SwiftBackupDriver'),
}


def start():
    """Readies Cinder once a process."""
    objects.register_all()
    CONF([], project='cinder', default_config_files=[])
    # Progress goes to a message bus, which is not here.
    chunkeddriver.volume_utils.notify_about_backup_usage = lambda *_args, **_kwargs: None


class Session:
    """One command's surroundings: options, clock, catalogue, context, driver."""

    def __init__(self, args):
        self.args = args
        self.catalogue = Catalogue(os.path.join(args.state, 'backups.json'))
        self.catalogue.install()
        self.volumes = VolumeTable(volume_gib(args))
        self.volumes.install()
        self.now = parse_clock(args.now)
        self.context = cinder_context.RequestContext(
            user_id=USER_ID, project_id=project_of(args), is_admin=True, auth_token=args.token, overwrite=False)

    @contextlib.contextmanager
    def opened(self):
        """Sets options and clock, and resets both after, since they belong to the process."""
        overrides = options_of(self.args)
        for name, value in overrides.items():
            CONF.set_override(name, value)
        if self.args.now:
            timeutils.set_time_override(self.now)
        try:
            yield self
        finally:
            timeutils.clear_time_override()
            for name in overrides:
                CONF.clear_override(name)

    def driver(self):
        driver = DRIVERS[self.args.driver][0](self.context)
        driver.get_metadata = lambda _volume_id: self.args.volume_meta
        return driver


def project_of(args):
    """The account of a Swift URL: Cinder appends the project to ``backup_swift_url``."""
    return args.swift_url.rstrip('/').rsplit('/', 1)[1] if args.swift_url else 'project'


def options_of(args):
    """The cinder.conf of this command."""
    options = {
        'backup_compression_algorithm': args.compression,
        'backup_swift_object_size': args.chunk_size,
        'backup_swift_block_size': args.block_size,
        'backup_s3_object_size': args.chunk_size,
        'backup_s3_block_size': args.block_size,
        'backup_s3_enable_progress_timer': False,
        'backup_file_size': args.chunk_size,
        'backup_sha_block_size_bytes': args.block_size,
        'backup_swift_enable_progress_timer': False,
        'backup_enable_progress_timer': False,
        'storage_availability_zone': ZONE,
    }
    if args.swift_url:
        options['backup_swift_url'] = args.swift_url.rstrip('/').rsplit('/', 1)[0] + '/'
    if args.s3_endpoint:
        options['backup_s3_endpoint_url'] = args.s3_endpoint
    if args.path:
        options['backup_posix_path'] = args.path
    for setting in args.set or []:
        name, _, value = setting.partition('=')
        options[name] = json.loads(value) if value in ('true', 'false') or value.lstrip('-').isdigit() else value
    return options


def parse_clock(text):
    """``2026-01-02T03:04:05`` in UTC; the system's clock, in whole seconds, when not given."""
    if text is None:
        return datetime.datetime.utcnow().replace(microsecond=0)
    return datetime.datetime.fromisoformat(text)


def volume_gib(args):
    """Cinder knows volumes in whole GiB, at least one."""
    size = args.size_gib
    if size is None and args.command == 'backup':
        size = -(-os.path.getsize(args.file) // GIB)
    return max(1, size or 1)


def run(args):
    """Runs one command and returns what to print."""
    session = Session(args)
    started = time.monotonic()
    with session.opened():
        result = COMMANDS[args.command](session)
    return {'command': args.command, **result, 'seconds': round(time.monotonic() - started, 3)}


def backup(session):
    args = session.args
    record = new_backup(
        session.context, id=args.backup_id, volume_id=args.volume_id, parent_id=args.parent, user_id=USER_ID,
        project_id=session.context.project_id, container=args.container, size=session.volumes.size_gib,
        status='creating', display_name=args.name, display_description=args.description, created_at=session.now,
        availability_zone=ZONE, service=DRIVERS[args.driver][1])
    driver = session.driver()
    with open(args.file, 'rb') as volume:
        driver.backup(record, volume)
    record.status = 'available'
    record.save()
    return described(record)


def restore(session):
    args = session.args
    record = session.catalogue.get(session.context, args.backup_id)
    record.status = 'restoring'
    with open(args.file, 'r+b' if os.path.exists(args.file) else 'w+b') as volume:
        session.driver().restore(record, args.volume_id or record.volume_id, volume)
    return {'backupId': record.id, 'volumeMetadata': session.volumes.restored}


def delete(session):
    record = session.catalogue.get(session.context, session.args.backup_id)
    session.driver().delete_backup(record)
    session.catalogue.remove(record.id)
    return {'backupId': record.id}


def adopt(session):
    """Takes note of a backup that somebody else wrote, as an operator's database row would."""
    args = session.args
    record = new_backup(
        session.context, id=args.backup_id, volume_id=args.volume_id, parent_id=args.parent, user_id=USER_ID,
        project_id=session.context.project_id, container=args.container, service_metadata=args.prefix,
        size=session.volumes.size_gib, status='available', display_name=args.name,
        display_description=args.description, created_at=session.now, availability_zone=ZONE,
        service=DRIVERS[args.driver][1])
    record.save()
    return described(record)


def encode_record(session):
    """``cinder backup-export``."""
    record = session.catalogue.get(session.context, session.args.backup_id)
    info = session.driver().export_record(record)
    return {'backupService': record.service, 'backupUrl': record.encode_record(driver_info=info)}


def decode_record(session):
    """``cinder backup-import`` up to its database: Cinder's reading and its check for missing fields."""
    fields = objects.Backup.decode_record(session.args.record)
    session.driver().import_record(None, fields.pop('driver_info', {}))
    needed = {'id', 'display_name', 'display_description', 'container', 'size', 'service_metadata', 'object_count'}
    missing = sorted(needed - set(fields))
    if missing:
        raise exception.InvalidBackup(
            reason='Driver successfully decoded imported backup data, but there are missing fields (%s).'
                   % ', '.join(missing))
    if session.args.keep:
        unknown = set(fields) - set(objects.Backup.fields)
        kept = {name: value for name, value in fields.items() if name not in unknown and name != 'metadata'}
        kept.update(status='available', user_id=USER_ID, project_id=session.context.project_id)
        new_backup(session.context, **kept).save()
    return {'record': fields}


def listing(session):
    return {'backups': list(session.catalogue.records.values())}


def described(record):
    return {'backupId': record.id, 'prefix': record.service_metadata, 'container': record.container,
            'objectCount': record.object_count}


COMMANDS = {
    'backup': backup,
    'restore': restore,
    'delete': delete,
    'import': adopt,
    'encode-record': encode_record,
    'decode-record': decode_record,
    'list': listing,
}

#!/usr/bin/python3
"""Runs Cinder's own backup drivers, from Debian's python3-cinder, with no Cinder service. See README.md."""
import argparse
import json
import sys
import warnings

warnings.simplefilter('ignore')
sys.dont_write_bytecode = True  # no __pycache__ in the source tree


class Parser(argparse.ArgumentParser):
    """Raises instead of ending the process: ``serve`` has to outlive a bad request."""

    def error(self, message):
        raise ValueError('%s (%s)' % (message, self.prog))


def parser():
    common = Parser(add_help=False)
    common.add_argument('--state', default='.', help='directory of the catalogue of backups [.]')
    common.add_argument('--driver', choices=('posix', 'swift', 's3'), default='posix', help='[posix]')
    common.add_argument('--path', help='posix: the directory that holds the backups')
    common.add_argument('--swift-url', help='swift: the account, http://HOST:PORT/v1/AUTH_project')
    common.add_argument('--token', help='swift: a token for it')
    common.add_argument('--s3-endpoint', help='s3: http://HOST:PORT; the keys are --set backup_s3_store_access_key=… and …secret_key=…')
    common.add_argument('--compression', default='zlib', help='none, zlib, gzip, bz2, bzip2, zstd [zlib]')
    common.add_argument('--chunk-size', type=int, default=52428800, help='most bytes of volume in an object')
    common.add_argument('--block-size', type=int, default=32768, help='bytes compared for an incremental')
    common.add_argument('--now', help='freezes the clock: 2026-01-02T03:04:05, UTC')
    common.add_argument('--set', action='append', metavar='OPTION=VALUE', help='any option of cinder.conf')
    common.add_argument('--volume-meta', help='the JSON text to keep as volume_meta [none]')
    common.add_argument('--size-gib', type=int, help='the volume as Cinder knows it [from the file]')

    described = Parser(add_help=False)
    described.add_argument('--backup-id', required=True)
    described.add_argument('--volume-id', required=True)
    described.add_argument('--parent', help='id of the backup that this one adds to')
    described.add_argument('--container', help="[the driver's]")
    described.add_argument('--name')
    described.add_argument('--description')

    named = Parser(add_help=False)
    named.add_argument('--backup-id', required=True)

    top = Parser(prog='peer.py', description=__doc__)
    commands = top.add_subparsers(dest='command', required=True, parser_class=Parser)

    def command(name, *parents, **kwargs):
        return commands.add_parser(name, parents=[common, *parents], **kwargs)

    command('backup', described, help='backs a file up').add_argument('--file', required=True)
    restore = command('restore', named, help='restores into a file, chain and all')
    restore.add_argument('--file', required=True)
    restore.add_argument('--volume-id')
    command('delete', named, help='deletes a backup and forgets it')
    command('import', described, help='takes note of a backup that another program wrote').add_argument(
        '--prefix', required=True, help='what its object names begin with')
    command('encode-record', named, help='cinder backup-export')
    decode = command('decode-record', help='cinder backup-import, less its database')
    decode.add_argument('--record', required=True, help='the backup_url')
    decode.add_argument('--keep', action='store_true', help='and take note of the backup')
    command('list', help='what the catalogue holds')
    commands.add_parser('serve', help='reads JSON arrays of these arguments, a line each; answers a line each')
    return top


def answer(run, arguments):
    """One request of ``serve``: a failure is an answer too."""
    try:
        return run(parser().parse_args(arguments))
    except BaseException as failure:  # noqa: B902  the caller, not this process, decides what is fatal
        if isinstance(failure, KeyboardInterrupt):
            raise
        return {'error': {'type': type(failure).__name__, 'message': str(failure)}}


def main():
    arguments = parser().parse_args()
    # Nothing but answers belongs on standard output; libraries that print go to standard error.
    out, sys.stdout = sys.stdout, sys.stderr
    import jobs  # late: Cinder takes seconds to load, --help should not
    jobs.start()
    if arguments.command != 'serve':
        print(json.dumps(jobs.run(arguments)), file=out)
        return
    print(json.dumps({'ready': True}), file=out, flush=True)
    for line in sys.stdin:
        if line.strip():
            print(json.dumps(answer(jobs.run, json.loads(line))), file=out, flush=True)


if __name__ == '__main__':
    try:
        main()
    except ValueError as failure:
        sys.exit('peer.py: %s' % failure)

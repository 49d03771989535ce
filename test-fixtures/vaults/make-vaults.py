#!/usr/bin/python3
"""Makes test-fixtures/vaults anew with Cinder's own POSIX driver. See README.md.

make-vaults.py           writes the vaults and vaults.json beside this file
make-vaults.py --check   makes them in a temporary directory, and fails where a stored one differs
"""
import argparse
import filecmp
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(HERE, '..', 'cinder'), HERE]

import peer  # noqa: E402
import recipes  # noqa: E402


class VaultMaker:
    """Runs the recipes: each backup goes through Cinder's driver, and back through it, before it counts."""

    def __init__(self, root, scratch):
        import jobs
        jobs.start()
        self.run = jobs.run
        self.root = root
        self.scratch = scratch

    def make(self, recipe):
        self.known = {}
        self.recipe = recipe
        self.path = os.path.join(self.root, recipe.name)
        self.state = os.path.join(self.scratch, recipe.name)
        entries = [self.backup(index, step) for index, step in enumerate(recipe.steps)]
        return {'name': recipe.name, 'root': recipe.name, 'purpose': recipe.purpose,
                'words': sorted(set(entry['compression'] for entry in entries) - {'none', 'off'}), 'backups': entries}

    def command(self, *arguments):
        return self.run(peer.parser().parse_args(list(arguments)))

    def backup(self, index, step):
        source = os.path.join(self.scratch, 'volume')
        with open(source, 'wb') as volume:
            volume.write(step.volume)
        backup_id = step.backup_id or identity('%s backup %s' % (self.recipe.name, step.label))
        volume_id = identity('%s volume %s' % (self.recipe.name, step.of))
        parent = self.known[step.parent] if step.parent else None
        self.known[step.label] = backup_id
        now = step.now or '2026-01-%02dT02:%02d:00' % (1 + index // 60, index % 60)
        common = ['--state', self.state, '--path', self.path, '--compression', step.compression,
                  '--chunk-size', str(step.chunk_size), '--block-size', str(step.block_size), '--now', now]
        described = ['--backup-id', backup_id, '--volume-id', volume_id]
        for option, value in (('--parent', parent), ('--container', step.container), ('--name', step.name),
                              ('--description', step.description), ('--volume-meta', step.volume_meta)):
            if value is not None:
                described += ['%s=%s' % (option, value)]
        result = self.command('backup', *common, *described, '--file', source)
        self.prove(backup_id, common, step.volume)
        return {
            'label': step.label, 'id': backup_id, 'volumeId': volume_id, 'parentId': parent,
            'container': result['container'], 'prefix': result['prefix'], 'sizeBytes': len(step.volume),
            'sha256': hashlib.sha256(step.volume).hexdigest(), 'objectCount': result['objectCount'],
            'compression': step.compression, 'chunkSizeBytes': step.chunk_size, 'blockSizeBytes': step.block_size,
            'createdAt': now.replace('T', ' ') + '+00:00', 'name': step.name, 'description': step.description,
            'volumeMeta': step.volume_meta,
        }

    def prove(self, backup_id, common, volume):
        """Cinder must be able to restore what it wrote. What lies past a shrunk volume's end is no part of it."""
        target = os.path.join(self.scratch, 'restored')
        with open(target, 'wb'):
            pass
        self.command('restore', *common, '--backup-id', backup_id, '--file', target)
        with open(target, 'rb') as restored:
            if restored.read()[:len(volume)] != volume:
                raise SystemExit('%s: Cinder restores %s to other bytes' % (self.recipe.name, backup_id))


def identity(name):
    """The same UUID for the same name, in every run."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, 'https://stowage.example/vaults/' + name))


def version_of(package):
    return subprocess.run(['dpkg-query', '-W', '-f', '${Version}', package], check=True, capture_output=True,
                          text=True).stdout


def make_all(root):
    with tempfile.TemporaryDirectory(prefix='stowage-vaults-') as scratch:
        maker = VaultMaker(root, scratch)
        index = {'madeBy': {package: version_of(package) for package in ('python3-cinder', 'python3-zstd')},
                 'vaults': [maker.make(recipe) for recipe in recipes.all_recipes()]}
    with open(os.path.join(root, 'vaults.json'), 'w', encoding='utf-8') as stored:
        json.dump(index, stored, indent=1)
        stored.write('\n')
    return index


def differences(index, made, stored):
    """Names of files that are not the same in both trees."""
    names = ['vaults.json'] + [vault['root'] for vault in index['vaults']]
    files = set()
    for base in (made, stored):
        for name in names:
            path = os.path.join(base, name)
            if os.path.isfile(path):
                files.add(name)
            for folder, _, inside in os.walk(path):
                files.update(os.path.relpath(os.path.join(folder, file), base) for file in inside)
    return filecmp.cmpfiles(made, stored, sorted(files), shallow=False)[1:]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument('--check', action='store_true', help='compares instead of writing')
    check = arguments.parse_args().check
    if importlib.util.find_spec('zstd') is None:
        sys.exit('make-vaults.py: python3-zstd is missing: apt-get install python3-zstd')
    os.umask(0o022)
    with tempfile.TemporaryDirectory(prefix='stowage-vaults-') as made:
        index = make_all(made)
        if check:
            changed, absent = differences(index, made, HERE)
            if changed or absent:
                sys.exit('make-vaults.py: these differ from what Cinder writes: ' + ', '.join(changed + absent))
        else:
            for entry in os.scandir(HERE):
                if entry.is_dir():
                    shutil.rmtree(entry.path)
            shutil.copytree(made, HERE, dirs_exist_ok=True)
    backups = sum(len(vault['backups']) for vault in index['vaults'])
    print('%d vaults with %d backups %s' % (len(index['vaults']), backups, 'are the same' if check else 'written'))


if __name__ == '__main__':
    main()

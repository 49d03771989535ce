import { readFile, readdir } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import type { BackupView } from '../../src/index.js'
import { errorOf, start, stowage, stowageJson } from './stowage.js'
import { noise, noticeAfterMs, store, useWorkbench } from './workbench.js'

const mebibyte = 1024 * 1024
const small = ['--chunk-size', '256K', '--block-size', '32K']

describe('the stowage command', { timeout: noticeAfterMs }, () => {
  const bench = useWorkbench()

  it('ends by itself after a volume that not all of its workers had a part of', async () => {
    // Two hash workers are started for it, where there are cores for them, and its one chunk is hashed by one.
    const sizeBytes = 65 * mebibyte
    await bench.write('disk.img', Buffer.alloc(sizeBytes, 7))
    const args = ['backup', 'disk.img', ...store, '--chunk-size', '128M', '--json']
    const { exitCode, stdout } = await start(bench.directory, args).ended
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ sizeBytes, objectCount: 1 })
  })

  it('backs up, adds to it, lists, verifies and restores both states', async () => {
    const { directory } = bench
    const first = noise(1, 2 * mebibyte)
    const second = Buffer.concat([first, noise(2, 5000)])
    second.fill(0, mebibyte, mebibyte + 100_000)
    await bench.write('disk.img', first)
    const full = await stowageJson<BackupView>(directory, [
      ...['backup', 'disk.img', ...store, ...small, '--name', 'first', '--description', 'all of it'],
    ])
    await bench.write('disk.img', second)
    const next = await stowageJson<BackupView>(directory, [
      'backup',
      'disk.img',
      ...store,
      '--incremental',
      ...small,
    ])
    expect(next).toMatchObject({ parentId: full.id, volumeId: full.volumeId, sizeBytes: second.length })

    const listed = await stowageJson<BackupView[]>(directory, ['list', ...store])
    expect(listed).toHaveLength(2)
    expect(Object.keys(listed[0]!).sort()).toEqual(
      [
        ...['id', 'volumeId', 'parentId', 'sizeBytes', 'createdAt', 'container', 'prefix', 'name'],
        ...['description', 'objectCount', 'sizeIsMinimum', 'compressions', 'cinderRestores'],
        ...['storedBytes', 'storedDataBytes', 'storedMetadataBytes', 'chunkSizeBytes', 'blockSizeBytes'],
        'parentMissing',
      ].sort(),
    )
    expect(listed[0]).toMatchObject({ id: full.id, parentId: null, name: 'first', description: 'all of it' })
    expect(listed[0]!.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    expect(new Date(listed[0]!.createdAt).getTime()).not.toBeNaN()

    expect(await stowageJson(directory, ['verify', next.id, ...store, '--level', 'full'])).toMatchObject({
      ok: true,
      level: 'full',
      chain: [next.id, full.id],
    })
    await stowageJson(directory, ['restore', full.id, 'first.img', ...store])
    // The beginning of an id is enough for a person.
    await stowageJson(directory, ['restore', next.id.slice(0, 13), 'second.img', ...store])
    expect((await readFile(bench.path('first.img'))).equals(first)).toBe(true)
    expect((await readFile(bench.path('second.img'))).equals(second)).toBe(true)
  })

  it('shows a backup with its chain and what depends on it, and filters the list by volume', async () => {
    const { directory } = bench
    await bench.write('a.img', noise(1, 100_000))
    const full = await stowageJson<BackupView>(directory, ['backup', 'a.img', ...store])
    const next = await stowageJson<BackupView>(directory, ['backup', 'a.img', ...store, '--parent', full.id])
    await stowageJson(directory, ['backup', 'a.img', ...store, '--volume-id', 'another'])
    expect(await stowageJson(directory, ['show', full.id, ...store])).toMatchObject({
      id: full.id,
      chain: [full.id],
      dependents: [next.id],
    })
    const ofAnother = await stowageJson<BackupView[]>(directory, ['list', ...store, '--volume-id', 'another'])
    expect(ofAnother.map(({ volumeId }) => volumeId)).toEqual(['another'])
    // Backups of one second are ordered by their parents alone, so only one chain's order is certain.
    const { stdout } = await stowage(directory, ['list', ...store, '--quiet', '--volume-id', full.volumeId])
    expect(stdout).toBe(`${full.id}\n${next.id}\n`)
  })

  it('backs up a stream, with ids, a container and a compression of the caller’s choice', async () => {
    const input = Buffer.alloc(mebibyte, 'the same again ')
    const made = await stowageJson<BackupView>(
      bench.directory,
      [
        ...[
          'backup',
          '-',
          ...store,
          '--volume-id',
          'vm-1',
          '--backup-id',
          'chosen',
          '--container',
          'nightly',
        ],
        ...['--compression', 'gzip', ...small],
      ],
      { input },
    )
    expect(made).toMatchObject({ id: 'chosen', volumeId: 'vm-1', container: 'nightly', sizeBytes: mebibyte })
    const files = await readdir(bench.path('store/nightly'))
    const metadata = await readFile(
      bench.path(`store/nightly/${files.find((name) => name.endsWith('_metadata'))!}`),
    )
    expect(metadata.toString()).toContain('"compression": "gzip"')
    await stowageJson(bench.directory, ['restore', 'chosen', 'out.img', ...store])
    expect((await readFile(bench.path('out.img'))).equals(input)).toBe(true)
  })

  it('takes the store and the compression from the environment', async () => {
    const env = { STOWAGE_STORE: 'posix:store', STOWAGE_COMPRESSION: 'off', STOWAGE_VOLUME_ID: 'from-env' }
    const made = await stowageJson<BackupView>(bench.directory, ['backup', '-'], {
      input: Buffer.alloc(5000, 1),
      env,
    })
    expect(made.volumeId).toBe('from-env')
    const metadata = await readFile(bench.path(`store/${made.container}/${made.prefix}_metadata`))
    expect(metadata.toString()).toContain('"compression": "none"')
  })

  it('restores a range at its own offset', async () => {
    const disk = noise(3, mebibyte)
    await bench.write('disk.img', disk)
    const { id } = await stowageJson<BackupView>(bench.directory, ['backup', 'disk.img', ...store, ...small])
    await bench.write('part.img', Buffer.alloc(mebibyte, 7))
    const args = ['restore', id, 'part.img', ...store, '--range', '512K:1000', '--overwrite']
    expect(await stowageJson(bench.directory, args)).toMatchObject({ backupId: id, writtenBytes: 1000 })
    const expected = Buffer.alloc(mebibyte, 7)
    disk.copy(expected, 512 * 1024, 512 * 1024, 512 * 1024 + 1000)
    expect((await readFile(bench.path('part.img'))).equals(expected)).toBe(true)
  })

  it('exports a record that it imports again, from a file and from stdin', async () => {
    const { directory } = bench
    await bench.write('disk.img', noise(4, 50_000))
    const { id } = await stowageJson<BackupView>(directory, ['backup', 'disk.img', ...store])
    const { stdout } = await stowage(directory, ['export', id, ...store])
    expect(Object.keys(JSON.parse(stdout) as object)).toEqual(['backup_service', 'backup_url'])
    await bench.write('record.json', Buffer.from(stdout))
    expect(await stowageJson(directory, ['import', 'record.json', ...store])).toMatchObject({ id })
    const input = Buffer.from(stdout)
    expect(await stowageJson(directory, ['import', '-', ...store], { input })).toMatchObject({ id })
    const broken = await stowage(directory, ['import', '-', ...store, '--json'], { input: Buffer.from('{}') })
    expect(broken.exitCode).toBe(4)
    expect(errorOf(broken).code).toBe('RECORD_INVALID')
  })

  it('says for people what it did, and nothing on stderr but the volume id', async () => {
    await bench.write('disk.img', noise(5, 50_000))
    const { exitCode, stdout, stderr } = await stowage(bench.directory, ['backup', 'disk.img', ...store])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^ {2}backup +[0-9a-f-]{36}$/m)
    expect(stdout).toMatch(/^ {2}stored +48\.\d KiB data in 1 object \+ [\d.]+ (KiB|B) metadata$/m)
    expect(stderr).toMatch(/^stowage: volume id [0-9a-f-]{36} \(derived from the path .*disk\.img\)\n$/)
  })

  it('is quiet when the reader of its output has gone', async () => {
    const input = Buffer.alloc(100)
    for (const name of ['a', 'b', 'c']) {
      await stowageJson(bench.directory, ['backup', '-', ...store, '--volume-id', name], { input })
    }
    const { child, ended } = start(bench.directory, ['list', ...store])
    child.stdout.destroy()
    expect(await ended).toMatchObject({ exitCode: 0, stderr: '' })
  })
})

import { describe, expect, it } from 'vitest'
import {
  backendPackageProblem,
  compressorPackageProblem,
  isBackupDriver,
  type BackendPackage,
} from '@stowage/backup-core'
import { FaultyBackupDriver, MemoryBackupDriver } from '@stowage/backup-testkit'

const flags = {
  'my-file': { description: 'a file' },
  retries: { description: 'how often', kind: 'whole-number' },
}
const valid = {
  schemes: ['mine'],
  urlSyntax: ['mine://SHELF'],
  flags,
  checkUrl: () => undefined,
  open: () => new MemoryBackupDriver(),
}

describe('backendPackageProblem', () => {
  it('accepts a backend, also with properties of a newer version', () => {
    expect(backendPackageProblem(valid)).toBeUndefined()
    expect(backendPackageProblem({ ...valid, flags: undefined, later: 1 })).toBeUndefined()
  })

  it.each([
    [undefined, 'it must be an object, not undefined'],
    [() => valid, 'it must be an object, not a function'],
    [{ ...valid, schemes: [] }, '`schemes` must be an array of URL schemes'],
    [{ ...valid, schemes: ['Mine:'] }, '`schemes` must be'],
    [{ ...valid, urlSyntax: 'mine:' }, '`urlSyntax` must be'],
    [{ ...valid, flags: { '--file': { description: 'x' } } }, '`flags` must be'],
    [{ ...valid, flags: { file: { description: 'x', kind: 'path' } } }, '`flags` must be'],
    [{ ...valid, flags: { file: {} } }, '`flags` must be'],
    [{ ...valid, checkUrl: undefined }, '`checkUrl` must be a function, not undefined'],
    [{ ...valid, open: 'open' }, '`open` must be a function, not a string'],
  ])('names the property that is not valid: %#', (value, problem) => {
    expect(backendPackageProblem(value)).toContain(problem)
  })
})

describe('compressorPackageProblem', () => {
  it('accepts a compressor package, and names the property that is not valid', () => {
    expect(compressorPackageProblem({ algorithms: ['lzma'], create: () => undefined })).toBeUndefined()
    expect(compressorPackageProblem({ algorithms: 'lzma', create: () => undefined })).toContain(
      '`algorithms`',
    )
    expect(compressorPackageProblem({ algorithms: ['lzma'] })).toContain('`create` must be a function')
  })
})

describe('isBackupDriver', () => {
  it('accepts every driver, and nothing that only looks like one', () => {
    const driver = new MemoryBackupDriver()
    expect(isBackupDriver(driver)).toBe(true)
    expect(isBackupDriver(new FaultyBackupDriver(driver))).toBe(true)
    expect(isBackupDriver({ backup: () => undefined, restore: () => undefined })).toBe(false)
    expect(isBackupDriver(undefined)).toBe(false)
  })

  it('rejects a driver that another version of the driver calls made', () => {
    const brand = Symbol.for('@stowage/backup-core/ChunkedBackupDriver')
    const [own] = Object.getOwnPropertySymbols(new MemoryBackupDriver())
    expect(own).toBe(brand)
    expect(isBackupDriver({ [brand]: 2 })).toBe(false)
    expect(isBackupDriver({ [brand]: 1 })).toBe(true)
  })
})

it('types the values of flags by their kinds', () => {
  const typed = {
    name: { description: 'a name' },
    limit: { description: 'a limit', kind: 'size' },
    fast: { description: 'whether it is fast', kind: 'boolean' },
  } as const
  const backend: BackendPackage<typeof typed> = {
    schemes: ['mine'],
    urlSyntax: ['mine:'],
    flags: typed,
    checkUrl: () => undefined,
    open: (_url, { driverOptions, flags: { name, limit, fast } }) => {
      const values: [string | undefined, number | undefined, boolean | undefined] = [name, limit, fast]
      expect(values).toEqual(['n', 5, true])
      return Promise.resolve(new MemoryBackupDriver(driverOptions))
    },
  }
  // A command knows the flags of no backend.
  const loaded: BackendPackage = backend
  void loaded.open('mine:', {
    driverOptions: {},
    flags: { name: 'n', limit: 5, fast: true },
    env: {},
    create: false,
    network: {},
  })
})

import { describe, expect, it } from 'vitest'
import { chooseVolumeId } from '../src/choose-volume-id.js'
import { volumeIdOfPath } from '../src/volume-id.js'

describe('the volume id of a path', () => {
  it('is the version 5 UUID of its URL, as Python has it', () => {
    // python3 -c 'import uuid; print(uuid.uuid5(uuid.NAMESPACE_URL, "file:///srv/disk.img"))'
    expect(volumeIdOfPath('/srv/disk.img')).toBe('5ea190cc-7573-58de-b309-00f5f58f5326')
  })

  it('differs from path to path', () => {
    expect(volumeIdOfPath('/srv/a.img')).not.toBe(volumeIdOfPath('/srv/b.img'))
  })
})

describe('chooseVolumeId', () => {
  const none = { volumeId: undefined, parent: undefined, realPath: undefined, incremental: false }

  it('takes what it was given before anything else', () => {
    expect(chooseVolumeId({ ...none, volumeId: 'v', realPath: '/x' })).toEqual({
      volumeId: 'v',
      origin: undefined,
    })
  })

  it('finds the same id for the same path, and says where it is from', () => {
    const chosen = chooseVolumeId({ ...none, realPath: '/srv/disk.img' })
    expect(chosen.volumeId).toBe(volumeIdOfPath('/srv/disk.img'))
    expect(chosen.origin).toContain('/srv/disk.img')
  })

  it('gives each full backup of a stream an id of its own', () => {
    expect(chooseVolumeId(none).volumeId).not.toBe(chooseVolumeId(none).volumeId)
  })

  it('refuses an incremental of a stream without an id', () => {
    expect(() => chooseVolumeId({ ...none, incremental: true })).toThrow(
      expect.objectContaining({ code: 'USAGE', exitCode: 2 }) as Error,
    )
  })
})

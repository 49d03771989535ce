import { describe, expect, it } from 'vitest'
import { expectCode, expectThrown, pattern, readAll, whole } from './support.js'
import { bufferVolume } from '../../src/volume/buffer-volume.js'

describe('a buffer as a source', () => {
  it('has its length as its size, and reads at any offset', async () => {
    const source = await bufferVolume(pattern(100)).openSource()
    expect(source.sizeBytes).toBe(100)
    expect(source.seekable).toBe(true)
    const into = Buffer.alloc(30)
    expect(await source.read(into, 60)).toBe(30)
    expect(into).toEqual(pattern(100).subarray(60, 90))
    expect(await source.read(into, 90)).toBe(10)
    expect(await source.read(into, 100)).toBe(0)
    await source.close()
  })

  it('is not opened after its signal is aborted', async () => {
    await expectCode(bufferVolume(pattern(1)).openSource({ signal: AbortSignal.abort() }), 'ABORTED')
  })

  it('refuses anything but a Uint8Array', async () => {
    for (const value of ['text', new ArrayBuffer(4), new Uint16Array(4), null]) {
      await expectThrown(() => bufferVolume(value as unknown as Uint8Array), 'OPTION_INVALID')
    }
  })
})

describe('a given buffer as a target', () => {
  it('is written in place, and keeps its bytes past the end of the volume', async () => {
    const bytes = new Uint8Array(20)
    const volume = bufferVolume(bytes)
    const target = await volume.openTarget(whole(10))
    expect(target.readsAsZeros).toBe(true)
    await target.write(pattern(5), 5)
    await target.finish()
    await target.close()
    expect(volume.bytes).toBe(bytes)
    expect(Buffer.from(bytes)).toEqual(Buffer.concat([Buffer.alloc(5), pattern(5), Buffer.alloc(10)]))
  })

  it('is refused when it is shorter than the volume or than the end of the restored part', async () => {
    const volume = bufferVolume(new Uint8Array(9))
    const error = await expectCode(volume.openTarget(whole(10)), 'TARGET_TOO_SMALL')
    expect(error.message).toContain('has 9 bytes, and the restore needs 10')
    await expectCode(volume.openTarget(whole(20, { partial: true, endBytes: 10 })), 'TARGET_TOO_SMALL')
    const target = await volume.openTarget(whole(20, { partial: true, endBytes: 9 }))
    await target.write(pattern(9), 0)
    await expectCode(target.write(pattern(2), 8), 'TARGET_TOO_SMALL')
    expect(Buffer.from(volume.bytes)).toEqual(pattern(9))
  })

  it('is refused without overwrite unless it is all zeros', async () => {
    const volume = bufferVolume(pattern(10))
    await expectCode(volume.openTarget(whole(10)), 'TARGET_NOT_EMPTY')
    expect(Buffer.from(volume.bytes)).toEqual(pattern(10))
    const target = await volume.openTarget(whole(10, { overwrite: true }))
    expect(target.readsAsZeros).toBe(false)
  })
})

describe('a buffer volume of its own size as a target', () => {
  it('gets the size of the volume', async () => {
    const volume = bufferVolume()
    const target = await volume.openTarget(whole(10))
    await target.write(pattern(5), 5)
    await target.finish()
    await target.close()
    expect(Buffer.from(volume.bytes)).toEqual(Buffer.concat([Buffer.alloc(5), pattern(5)]))
    expect(await readAll(await volume.openSource())).toEqual(Buffer.from(volume.bytes))
  })

  it('keeps its bytes until a restore has succeeded', async () => {
    const volume = bufferVolume()
    const first = await volume.openTarget(whole(10))
    await first.write(pattern(10), 0)
    await first.finish()
    await expectCode(volume.openTarget(whole(4)), 'TARGET_NOT_EMPTY')
    const second = await volume.openTarget(whole(4, { overwrite: true }))
    expect(second.readsAsZeros).toBe(true)
    await second.write(pattern(4, 2), 0)
    expect(Buffer.from(volume.bytes)).toEqual(pattern(10))
    await second.finish()
    expect(Buffer.from(volume.bytes)).toEqual(pattern(4, 2))
  })

  it('keeps the rest when a part is restored, and grows to the end of the part', async () => {
    const volume = bufferVolume()
    const first = await volume.openTarget(whole(10))
    await first.write(pattern(10), 0)
    await first.finish()
    const part = await volume.openTarget(whole(50, { partial: true, endBytes: 14, overwrite: true }))
    expect(part.readsAsZeros).toBe(false)
    await part.write(pattern(5, 2), 9)
    await part.finish()
    expect(Buffer.from(volume.bytes)).toEqual(Buffer.concat([pattern(10).subarray(0, 9), pattern(5, 2)]))
  })

  it('gets the size of the whole volume when a part is restored into an empty buffer', async () => {
    const volume = bufferVolume()
    const target = await volume.openTarget(whole(50, { partial: true, endBytes: 14 }))
    expect(target.readsAsZeros).toBe(true)
    await target.finish()
    expect(volume.bytes.length).toBe(50)
  })

  it('is refused for a volume that no buffer can hold', async () => {
    await expectCode(bufferVolume().openTarget(whole(Number.MAX_SAFE_INTEGER)), 'TARGET_TOO_SMALL')
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { StoredObject } from '../../src/format/manifest.js'
import { buildExtentMap, type ExtentMap } from '../../src/chain/extent-map.js'
import type { VolumeExtent } from '../../src/contracts/volume.js'

const object = (name: string, offsetBytes: number, lengthBytes: number): StoredObject => ({
  name,
  offsetBytes,
  lengthBytes,
  compression: 'none',
  md5: null,
})

/** The extent map of layers with these objects. */
const mapOf = (layers: readonly (readonly StoredObject[])[], window: VolumeExtent): ExtentMap<unknown> =>
  buildExtentMap(
    layers.map((objects) => ({ manifest: { objects } })),
    window,
  )

describe('buildExtentMap', () => {
  it('has the extents of an older object that no newer one covers', () => {
    const map = mapOf([[object('new', 10, 5)], [object('old', 0, 30)]], {
      offsetBytes: 0,
      lengthBytes: 30,
    })
    expect(map.uncovered).toEqual([])
    expect(map.objects.map((item) => [item.object.name, item.visible])).toEqual([
      [
        'old',
        [
          { offsetBytes: 0, lengthBytes: 10 },
          { offsetBytes: 15, lengthBytes: 15 },
        ],
      ],
      ['new', [{ offsetBytes: 10, lengthBytes: 5 }]],
    ])
  })

  it('prefers the later of two overlapping objects of one backup', () => {
    const map = mapOf([[object('first', 0, 8), object('second', 4, 8)]], {
      offsetBytes: 0,
      lengthBytes: 12,
    })
    expect(map.objects.map((item) => [item.object.name, item.visible])).toEqual([
      ['first', [{ offsetBytes: 0, lengthBytes: 4 }]],
      ['second', [{ offsetBytes: 4, lengthBytes: 8 }]],
    ])
  })

  it('leaves out hidden objects and those beyond the window', () => {
    const map = mapOf([[object('new', 0, 10)], [object('hidden', 2, 3), object('beyond', 20, 5)]], {
      offsetBytes: 0,
      lengthBytes: 12,
    })
    expect(map.objects.map((item) => item.object.name)).toEqual(['new'])
    expect(map.uncovered).toEqual([{ offsetBytes: 10, lengthBytes: 2 }])
  })

  it('agrees with writing the layers byte by byte, oldest first', () => {
    const layer = fc.array(fc.tuple(fc.nat(60), fc.nat(25)), { maxLength: 8 })
    fc.assert(
      fc.property(fc.array(layer, { maxLength: 5 }), fc.nat(60), fc.nat(60), (layers, offset, length) => {
        const named = layers.map((extents, index) =>
          extents.map(([start, size], number) => object(`${index}-${number}`, start, size)),
        )
        const painted = new Array<string | undefined>(200)
        for (const objects of [...named].reverse()) {
          for (const { name, offsetBytes, lengthBytes } of objects) {
            painted.fill(name, offsetBytes, offsetBytes + lengthBytes)
          }
        }
        const map = mapOf(named, { offsetBytes: offset, lengthBytes: length })
        const seen = new Array<string | undefined>(200)
        const claimed = new Array<number>(200).fill(0)
        for (const { object: shown, visible } of map.objects) {
          expect(visible.length).toBeGreaterThan(0)
          for (const extent of visible) {
            expect(extent.lengthBytes).toBeGreaterThan(0)
            for (let at = 0; at < extent.lengthBytes; at += 1) {
              seen[extent.offsetBytes + at] = shown.name
              claimed[extent.offsetBytes + at]! += 1
            }
          }
        }
        for (const extent of map.uncovered) {
          for (let at = 0; at < extent.lengthBytes; at += 1) claimed[extent.offsetBytes + at]! += 1
        }
        for (let at = 0; at < 200; at += 1) {
          const inside = at >= offset && at < offset + length
          expect(claimed[at]).toBe(inside ? 1 : 0)
          expect(seen[at]).toBe(inside ? painted[at] : undefined)
        }
      }),
    )
  })

  it('maps hundreds of thousands of overlapping objects', () => {
    const many = Array.from({ length: 200_000 }, (_, index) => object(`o${index}`, index * 10, 15))
    const map = mapOf([many], { offsetBytes: 0, lengthBytes: 2_000_005 })
    expect(map.objects).toHaveLength(200_000)
    expect(map.uncovered).toEqual([])
  })
})

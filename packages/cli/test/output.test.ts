import { describe, expect, it } from 'vitest'
import type { Progress } from '@stowage/backup-core'
import type { TextSink } from '../src/io.js'
import { formatDuration } from '../src/output/duration.js'
import { localTime } from '../src/output/local-time.js'
import { SpeedEstimate } from '../src/output/speed-estimate.js'
import { ProgressBar, ProgressLog } from '../src/output/progress-reporter.js'
import { barLine, plainLine } from '../src/output/progress-text.js'
import { fields, table } from '../src/output/table.js'

const mebibyte = 1024 * 1024

function progress(done: number, total: number | undefined): Progress {
  const percent = total === undefined ? undefined : (done / total) * 100
  return { phase: 'backup', done, total, percent, transferredBytes: 0, objects: 0 }
}

/** A sink that remembers, and a clock that is set by hand. */
function stage(): { readonly sink: TextSink; readonly written: string[]; nowMs: number } {
  const written: string[] = []
  return { sink: { write: (text) => written.push(text), columns: 100 }, written, nowMs: 0 }
}

describe('ProgressMeter', () => {
  it('knows no speed before half a second has passed', () => {
    const meter = new SpeedEstimate(0)
    meter.add(100, 499)
    expect(meter.perSecond(499)).toBeUndefined()
    expect(meter.leftMs(1000, 499)).toBeUndefined()
  })

  it('takes speed and time left from what was done', () => {
    const meter = new SpeedEstimate(1000)
    meter.add(50, 2000)
    meter.add(100, 3000)
    expect(meter.perSecond(3000)).toBe(50)
    expect(meter.leftMs(300, 3000)).toBe(4000)
    expect(meter.elapsedMs(3000)).toBe(2000)
  })

  it('forgets how fast it was more than ten seconds ago', () => {
    const meter = new SpeedEstimate(0)
    for (let second = 1; second <= 10; second++) meter.add(second * 100, second * 1000)
    for (let second = 11; second <= 30; second++) meter.add(1000 + second - 10, second * 1000)
    expect(meter.perSecond(30_000)).toBeCloseTo(1, 5)
  })

  it('slows down while nothing happens', () => {
    const meter = new SpeedEstimate(0)
    meter.add(100, 1000)
    expect(meter.perSecond(5000)).toBe(20)
  })

  it('has no time left when all is done, and no idea of it when nothing moves', () => {
    const meter = new SpeedEstimate(0)
    meter.add(0, 5000)
    expect(meter.leftMs(10, 5000)).toBeUndefined()
    meter.add(10, 5001)
    expect(meter.leftMs(10, 5001)).toBe(0)
  })
})

describe('the line of progress', () => {
  const meter = new SpeedEstimate(0)
  meter.add(32 * mebibyte, 2000)

  it('has a bar, an amount, a speed and the time left on a terminal', () => {
    expect(barLine(progress(32 * mebibyte, 64 * mebibyte), meter, 2000, 100)).toBe(
      'backup    50% ██████░░░░░░  32 MiB of 64 MiB  16 MiB/s  2.0 s left',
    )
  })

  it('has its time left within 80 columns, however long its parts are', () => {
    const [done, total] = [1023 * mebibyte, 1023 * 1024 * mebibyte]
    const slow = new SpeedEstimate(0)
    slow.add(done, 10_000)
    const { phase, ...rest } = progress(done, total)
    for (const longest of [phase, 'restore', 'verify'] as const) {
      expect(barLine({ ...rest, phase: longest }, slow, 10_000, 80)).toMatch(/ left$/)
    }
    const fast = new SpeedEstimate(0)
    fast.add(done, 1100)
    expect(barLine({ ...rest, phase: 'restore' }, fast, 1100, 80)).toMatch(/ min \d\d s left$/)
  })

  it('is cut to one less than the width of the terminal', () => {
    expect(barLine(progress(32 * mebibyte, 64 * mebibyte), meter, 2000, 20)).toHaveLength(19)
  })

  it('says how long it has taken where the end is not known', () => {
    expect(plainLine(progress(32 * mebibyte, undefined), meter, 2000)).toBe(
      'backup: 32 MiB, 16 MiB/s, 2.0 s so far',
    )
  })

  it('does not say 100% before it is', () => {
    expect(plainLine(progress(999, 1000), meter, 2000)).toContain('99%')
  })

  it('counts objects while it deletes', () => {
    const deleting: Progress = { ...progress(5, 10), phase: 'delete' }
    expect(plainLine(deleting, new SpeedEstimate(2000), 2000)).toContain('5 of 10 objects')
  })
})

describe('ProgressBar', () => {
  it('draws at most ten times a second, and takes itself off', () => {
    const at = stage()
    const bar = new ProgressBar(at.sink, () => at.nowMs)
    for (at.nowMs = 0; at.nowMs < 1000; at.nowMs += 10) bar.update(progress(at.nowMs, 1000))
    expect(at.written).toHaveLength(10)
    bar.clear()
    bar.clear()
    expect(at.written.slice(10)).toEqual(['\r\u001b[2K'])
  })
})

describe('ProgressLog', () => {
  it('writes a line every ten seconds, and none for a short job', () => {
    const at = stage()
    const log = new ProgressLog(at.sink, () => at.nowMs)
    for (at.nowMs = 0; at.nowMs <= 25_000; at.nowMs += 100) log.update(progress(at.nowMs, 50_000))
    log.clear()
    expect(at.written).toEqual([
      'stowage: backup 20%: 9.77 KiB of 48.8 KiB, 1000 B/s, 40 s left\n',
      'stowage: backup 40%: 19.5 KiB of 48.8 KiB, 1000 B/s, 30 s left\n',
    ])
  })
})

describe('table', () => {
  it('aligns names by the columns that a terminal gives them: two for a wide character, none for a combining one', async () => {
    const columns = [
      { title: 'NAME', value: ([name]: readonly [string, string]) => name },
      { title: 'ID', value: ([, id]: readonly [string, string]) => id },
    ]
    const rows = [
      ['日本', '1'],
      ['a\u0308bc', '2'],
      ['plain', '3'],
    ] as const
    expect(await table(columns, rows)).toBe('NAME   ID\n日本   1\na\u0308bc    2\nplain  3\n')
  })

  it('lines its columns up, numbers on the right, and leaves no space at the end', async () => {
    const text = await table(
      [
        { title: 'NAME', value: (row: { name: string; size: number }) => row.name },
        { title: 'SIZE', value: (row) => String(row.size), align: 'right' },
        { title: 'NOTE', value: () => '' },
      ],
      [
        { name: 'e', size: 5 },
        { name: 'longer', size: 12345 },
      ],
    )
    expect(text).toBe('NAME     SIZE  NOTE\ne           5\nlonger  12345\n')
  })

  it('lets no name from a store steer the terminal', async () => {
    expect(await table([{ title: 'N', value: (row: string) => row }], ['a\u001b]0;x\u0007\nb'])).toBe(
      'N\na\uFFFD]0;x\uFFFD\uFFFDb\n',
    )
  })

  it('leaves out fields that have no value', () => {
    expect(
      fields([
        ['id', '1'],
        ['name', null],
        ['container', 'x'],
      ]),
    ).toBe('  id         1\n  container  x\n')
  })
})

describe('times', () => {
  it.each([
    [400, '0.4 s'],
    [9949, '9.9 s'],
    [9960, '10 s'],
    [59_600, '1 min 00 s'],
    [185_000, '3 min 05 s'],
    [7_620_000, '2 h 07 min'],
  ])('show %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })

  it.each([
    ['2026-01-01T00:00:00Z', 60, '2026-01-01 01:00:00 +01:00'],
    ['2026-01-01T00:00:00.123456Z', 0, '2026-01-01 00:00:00 +00:00'],
    ['2026-01-01T00:00:00Z', -210, '2025-12-31 20:30:00 -03:30'],
    ['2026-07-01T00:00:00Z', 345, '2026-07-01 05:45:00 +05:45'],
    ['long ago', 60, 'long ago'],
    ['1', 60, '1'],
  ])('of %s are shown in local time with the offset, %d minutes: %s', (time, offsetMinutes, shown) => {
    expect(localTime(time, offsetMinutes)).toBe(shown)
  })
})

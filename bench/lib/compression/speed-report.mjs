import { table } from '../table.mjs'

/** How many times Python's speed is aimed at, on mixed data with all cores. */
const aims = /** @type {const} */ ({
  zlib: { compress: 3.5, decompress: 2 },
  bz2: { compress: 1.8, decompress: 1.6 },
  zstd: { compress: 2, decompress: 1.5 },
})

/**
 * @param {{ data: string, cores: string, rows: readonly any[] }} measured
 * @param {{ judge: boolean, sizeBytes: number }} how
 */
export function speedReport({ data, cores, rows }, { judge, sizeBytes }) {
  const python = (/** @type {string} */ format) =>
    rows.find((row) => row.format === format && row.kind === 'python' && row.failure === undefined)
  const speed = (/** @type {number} */ bytes) => (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)
  const times = (/** @type {any} */ row, /** @type {string} */ figure) => {
    const of = python(row.format)
    return of === undefined ? '' : (row[figure] / of[figure]).toFixed(2)
  }
  const lines = rows.map((row) =>
    row.failure === undefined
      ? [
          row.name,
          speed(row.compressBytesPerSecond),
          times(row, 'compressBytesPerSecond'),
          speed(row.decompressBytesPerSecond),
          times(row, 'decompressBytesPerSecond'),
          row.ratio.toFixed(3),
          judge && row.kind === 'own' && data === 'mixed' && cores === 'all' ? verdict(row, times) : '',
        ]
      : [row.name, 'FAILED:', '', '', '', '', row.failure],
  )
  const head = ['', 'compress MB/s', '× Python', 'decompress MB/s', '× Python', 'ratio', '']
  return `\n${data}, ${cores === 'one' ? 'one core' : 'all cores'}, ${(sizeBytes / 1e6).toFixed(0)} MB\n${table(head, lines)}`
}

/**
 * @param {any} row
 * @param {(row: any, figure: string) => string} times
 */
function verdict(row, times) {
  const aim = aims[/** @type {keyof typeof aims} */ (row.format)]
  const reached = (/** @type {'compress' | 'decompress'} */ mode) =>
    `${aim[mode]}: ${Number(times(row, `${mode}BytesPerSecond`)) >= aim[mode] ? 'reached' : 'missed'}`
  return `aim ${reached('compress')}, ${reached('decompress')}`
}

const units = new Map([
  ['', 1],
  ['K', 1024],
  ['M', 1024 ** 2],
  ['G', 1024 ** 3],
  ['T', 1024 ** 4],
])

/**
 * Reads `512M`, `1G`, `65536`: powers of 1024.
 *
 * @param {string} text
 * @returns {number} bytes
 */
export function parseSize(text) {
  const [, digits, unit] = /^(\d+)([KMGT]?)(?:iB)?$/i.exec(text) ?? []
  const factor = units.get((unit ?? '').toUpperCase())
  if (digits === undefined || factor === undefined) {
    throw new Error(`"${text}" is not a size: write 512M, 1G or a number of bytes.`)
  }
  return Number(digits) * factor
}

/**
 * The same for people, in the largest unit that leaves no fraction beyond one digit.
 *
 * @param {number} bytes
 */
export function formatSize(bytes) {
  const names = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']
  let index = 0
  let amount = bytes
  while (amount >= 1024 && index < names.length - 1) {
    amount /= 1024
    index += 1
  }
  return `${Number(amount.toFixed(1))} ${names[index]}`
}

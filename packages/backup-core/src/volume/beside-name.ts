import { createHash } from 'node:crypto'

/** The longest name of a file, in bytes of UTF-8, on every common file system. */
const MAX_NAME_BYTES = 255

/**
 * The name of a hidden file beside another one: `.disk.img.SUFFIX`. A name that would be too long is cut, and has a part of
 * the SHA-256 of the whole one, so that two long names stay apart.
 */
export function nameBeside(name: string, suffix: string): string {
  const plain = `.${name}.${suffix}`
  if (Buffer.byteLength(plain) <= MAX_NAME_BYTES) return plain
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 16)
  const room = MAX_NAME_BYTES - Buffer.byteLength(`.~${digest}.${suffix}`)
  let cut = ''
  let length = 0
  for (const character of name) {
    length += Buffer.byteLength(character)
    if (length > room) break
    cut += character
  }
  return `.${cut}~${digest}.${suffix}`
}

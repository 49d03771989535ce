export const quote = 0x22
export const comma = 0x2c
export const colon = 0x3a
export const backslash = 0x5c
export const openBracket = 0x5b
export const closeBracket = 0x5d
export const openBrace = 0x7b
export const closeBrace = 0x7d

/** What a byte is inside of a string. */
export const plainByte = 1
export const textBytes = new Uint8Array(256).fill(plainByte, 0x20, 0x80)
textBytes[quote] = 0
textBytes[backslash] = 0

/** What a byte is outside of strings. */
export const spaceByte = 1
export const numberByte = 2
export const letterByte = 3
export const bareBytes = new Uint8Array(256)
for (const byte of Buffer.from(' \n\r\t')) bareBytes[byte] = spaceByte
for (const byte of Buffer.from('0123456789+-.')) bareBytes[byte] = numberByte
for (const byte of Buffer.from('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'))
  bareBytes[byte] = letterByte

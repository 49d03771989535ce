/** The part of compressjs 1.0.3 that is used: it has no types of its own. */
declare module 'compressjs/lib/Bzip2.js' {
  /** Where bytes go, one by one. */
  export interface ByteOutput {
    writeByte(byte: number): void
  }

  interface Bzip2 {
    compressFile(input: Uint8Array, output: ByteOutput, level: number): ByteOutput
  }

  const bzip2: Bzip2
  export default bzip2
}

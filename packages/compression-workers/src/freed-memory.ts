/** A stream that gives less than this in all leaves too little behind to matter. */
const worthwhileBytes = 4 * 1024 * 1024

/** The most that glibc learns from: it takes blocks of up to 32 MiB, its own header included, to be of a common size. */
const blockBytes = 31 * 1024 * 1024

let done = false

/**
 * Lets the memory of small pieces be used again, before `outputBytes` come in such pieces.
 *
 * Node's streams give each piece memory of its own, which is freed many megabytes at a time when garbage is collected.
 * glibc hands that back to the kernel at once, and the next pieces take it afresh, page by page, which costs more than
 * to open them. It keeps up to twice the largest mapped block that was ever freed (mallopt(3), "dynamic mmap
 * threshold"): one that nobody has touched is as good as any, and costs nothing. From then on this process holds up to
 * 62 MiB of freed memory for itself. Elsewhere than with glibc nothing comes of it.
 */
export function keepFreedMemory(outputBytes: number): void {
  if (done || outputBytes < worthwhileBytes || process.platform !== 'linux') return
  done = true
  const block = new ArrayBuffer(blockBytes)
  // A message to a port that is closed is dropped, and what it moved is freed with it: now, and not when it is collected.
  const { port1, port2 } = new MessageChannel()
  port2.close()
  port1.close()
  port1.postMessage(undefined, [block])
}

/** Lets everything else that waits run before this goes on. */
export const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    // Outside Node, where pako runs, there may be no setImmediate.
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else setTimeout(resolve, 0)
  })

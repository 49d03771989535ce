import { threadId } from 'node:worker_threads'

export const double = ({ number }) => number * 2

export const fail = () => {
  throw new TypeError('the engine is out of order')
}

/** Dies as a worker does that has run out of memory: without an answer. */
export const die = () => process.exit(1)

export const thread = () => threadId

/** Says that it has begun, and waits until it is told to end. */
export const hold = ({ state }) => {
  Atomics.store(state, 0, 1)
  Atomics.notify(state, 0)
  Atomics.wait(state, 1, 0)
  return threadId
}

export const never = () => new Promise(() => undefined)

export const returnFunction = () => () => undefined

import { threadId } from 'node:worker_threads'

export const double = ({ number }) => number * 2

export const fail = () => {
  throw new TypeError('the engine is out of order')
}

/** Dies as a worker does that has run out of memory: without an answer. */
export const die = () => process.exit(1)

export const thread = () => threadId

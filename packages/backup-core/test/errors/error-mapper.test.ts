import { describe, expect, it } from 'vitest'
import { BackupError, errorMapper, isAbort } from '../../src/index.js'
import type { CallContext } from '../../src/index.js'

class AnswerError extends Error {
  constructor(readonly status: number) {
    super(`The server answered ${status}.`)
  }
}

const errors = errorMapper((error) => {
  if (!(error instanceof AnswerError)) return undefined
  if (error.status === 409) return 'CONFLICT'
  if (error.status === 503) return 'STORE_UNAVAILABLE'
  if (error.status === 507)
    return { code: 'NO_SPACE', advice: 'Free some space.', status: 507, requestId: 'r1' }
  return undefined
})

const context: CallContext = { action: 'write the object', container: 'c', objectName: 'x' }

function abortedContext(reason?: unknown): CallContext & { readonly signal: AbortSignal } {
  const controller = new AbortController()
  controller.abort(reason)
  return { ...context, signal: controller.signal }
}

async function* failingAfter(name: string, error: Error): AsyncGenerator<string> {
  yield await Promise.resolve(name)
  throw error
}

describe('errorMapper', () => {
  it('maps an error to the code that codeOf gives, with the object, the reason and the cause', () => {
    const cause = new AnswerError(409)
    const error = errors.errorOf(cause, context)
    expect(error).toMatchObject({ code: 'CONFLICT', cause, details: { container: 'c', objectName: 'x' } })
    expect(error.message).toBe('Cannot write the object "x" in "c" (The server answered 409).')
  })

  it('adds the advice, the status and the request id that codeOf gives', () => {
    const error = errors.errorOf(new AnswerError(507), context)
    expect(error).toMatchObject({ code: 'NO_SPACE', details: { status: 507, requestId: 'r1' } })
    expect(error.message).toMatch(/\. Free some space\.$/)
  })

  it('maps what codeOf does not recognise to STORE_FAILED', () => {
    const bare: unknown = Object.create(null)
    for (const cause of [new AnswerError(400), new Error(''), 'text', undefined, null, bare]) {
      const error = errors.errorOf(cause, context)
      expect(error.code).toBe('STORE_FAILED')
      expect(error.cause).toBe(cause)
    }
    expect(errors.errorOf('text', context).message).toContain('(text)')
    expect(errors.errorOf(undefined, context).message).toContain('(unknown error)')
  })

  it('passes a BackupError as it is, also after an abort', () => {
    const error = new BackupError('OBJECT_MISSING', 'There is no object.')
    expect(errors.errorOf(error, context)).toBe(error)
    expect(errors.errorOf(error, abortedContext())).toBe(error)
  })

  it('maps every form of an abort of its signal to ABORTED', () => {
    for (const reason of [undefined, new Error('stop'), 'stop', AbortSignal.abort().reason]) {
      const aborted = abortedContext(reason)
      const named = Object.assign(new Error('aborted'), { name: 'AbortError' })
      const hungUp = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
      for (const cause of [aborted.signal.reason, named, hungUp, new AnswerError(503)] as const) {
        const error = errors.errorOf(cause, aborted)
        expect(error.code).toBe('ABORTED')
        expect(error.cause).toBe(aborted.signal.reason)
      }
    }
  })

  it('keeps what the store answered, although the signal was aborted meanwhile', () => {
    expect(errors.errorOf(new AnswerError(409), abortedContext()).code).toBe('CONFLICT')
    expect(errors.errorOf(new AnswerError(507), abortedContext()).code).toBe('NO_SPACE')
  })

  it('maps an AbortError to STORE_FAILED where its signal was not aborted', () => {
    const cause = new DOMException('This operation was aborted', 'AbortError')
    for (const signal of [undefined, new AbortController().signal])
      expect(errors.errorOf(cause, { ...context, signal })).toMatchObject({ code: 'STORE_FAILED', cause })
  })

  it('gives the reason itself where that is a BackupError: another failure stopped the operation', () => {
    const first = new BackupError('NO_SPACE', 'The disk is full.')
    expect(errors.errorOf(new Error('socket hang up'), abortedContext(first))).toBe(first)
  })

  it('run resolves with what the call gives, and maps what it throws or rejects with', async () => {
    await expect(errors.run(context, () => 1)).resolves.toBe(1)
    await expect(errors.run(context, () => Promise.resolve(2))).resolves.toBe(2)
    const thrower = (): never => {
      throw new AnswerError(409)
    }
    await expect(errors.run(context, thrower)).rejects.toMatchObject({ code: 'CONFLICT' })
    const rejected = Promise.reject(new AnswerError(409))
    await expect(errors.run(context, () => rejected)).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('run does not make a call whose signal was aborted before', async () => {
    let calls = 0
    await expect(errors.run(abortedContext(), () => calls++)).rejects.toMatchObject({ code: 'ABORTED' })
    expect(calls).toBe(0)
  })

  it('iterate gives what the client gives, and maps what it throws', async () => {
    const seen: string[] = []
    const reading = async (): Promise<void> => {
      for await (const name of errors.iterate(context, () => failingAfter('a', new AnswerError(409))))
        seen.push(name)
    }
    await expect(reading()).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(seen).toEqual(['a'])
  })

  it('iterate stops at the item during which its signal was aborted', async () => {
    const controller = new AbortController()
    const names = errors.iterate({ ...context, signal: controller.signal }, async function* () {
      yield await Promise.resolve('a')
      yield 'b'
    })
    await expect(names.next()).resolves.toMatchObject({ value: 'a' })
    controller.abort()
    await expect(names.next()).rejects.toMatchObject({ code: 'ABORTED' })
  })

  it('iterate closes the client’s iterator when its consumer stops', async () => {
    let isOpen = true
    const open = async function* (): AsyncGenerator<string> {
      try {
        yield await Promise.resolve('a')
        yield 'b'
      } finally {
        isOpen = false
      }
    }
    for await (const name of errors.iterate(context, open)) if (name === 'a') break
    expect(isOpen).toBe(false)
  })
})

describe('isAbort', () => {
  it('knows ABORTED always, and the forms of the platform once the signal was aborted', () => {
    const { signal } = abortedContext('stop')
    const named = new DOMException('aborted', 'AbortError')
    expect(isAbort(new BackupError('ABORTED', 'Stopped.'), undefined)).toBe(true)
    expect(isAbort('stop', signal)).toBe(true)
    expect(isAbort(named, signal)).toBe(true)
    expect(isAbort(named, new AbortController().signal)).toBe(false)
    expect(isAbort(new BackupError('NO_SPACE', 'Full.'), signal)).toBe(false)
    expect(isAbort(undefined, new AbortController().signal)).toBe(false)
  })
})

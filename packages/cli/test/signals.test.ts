import { afterEach, describe, expect, it, vi } from 'vitest'
import { SignalAbort, abortOnSignals } from '../src/signals.js'

describe('abortOnSignals', () => {
  let stop: () => void = () => undefined
  afterEach(() => {
    stop()
    vi.restoreAllMocks()
  })

  it.each([
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('turns the first %s into an abort that knows its exit code', (name, exitCode) => {
    const signals = abortOnSignals()
    stop = signals.stop
    process.emit(name, name)
    expect(signals.signal.reason).toBeInstanceOf(SignalAbort)
    expect(signals.signal.reason).toMatchObject({ exitCode })
  })

  it('lets the second one end the process by its default action', () => {
    const before = process.listenerCount('SIGTERM')
    const kill = vi.spyOn(process, 'kill').mockReturnValue(true)
    const signals = abortOnSignals()
    stop = signals.stop
    process.emit('SIGINT', 'SIGINT')
    expect(kill).not.toHaveBeenCalled()
    process.emit('SIGTERM', 'SIGTERM')
    expect(kill).toHaveBeenCalledExactlyOnceWith(process.pid, 'SIGTERM')
    expect(process.listenerCount('SIGTERM')).toBe(before)
    expect(signals.signal.reason).toMatchObject({ exitCode: 130 })
  })
})

import { it } from 'vitest'

/** bzip2 takes its time, and more where other tests run beside. */
export const timeoutMs = 120_000

export const patiently = (name: string, body: () => Promise<void>): void => {
  it(name, { timeout: timeoutMs }, body)
}

import { describe, expect, it } from 'vitest'
import { collect, namesOf, PlainDriver } from './collect.js'
import { WebAbortDriver } from './web-abort-driver.js'

describe('the conformance suite itself', () => {
  it('passes a driver that reports aborts in the web’s own way', async () => {
    expect(namesOf(await collect(WebAbortDriver).run(), 'failed')).toEqual([])
  })

  it('passes a driver that declares no capability', async () => {
    expect(namesOf(await collect(PlainDriver, { capabilities: {} }).run(), 'failed')).toEqual([])
  })
})

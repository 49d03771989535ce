import assert from 'node:assert/strict'
import { describe, it } from 'vitest'
import { isExempt } from '../src/connection-pool.js'

describe('a proxy', () => {
  for (const [noProxy, origin, exempt] of [
    ['', 'http://a.example', false],
    ['*', 'http://a.example', true],
    ['a.example', 'http://a.example', true],
    ['a.example', 'http://b.a.example', true],
    ['a.example', 'http://ba.example', false],
    ['a.example:8080', 'http://b.a.example:8080', true],
    ['.example', 'https://a.example', true],
    ['*.example, other', 'https://a.example', true],
    ['a.example:8080', 'http://a.example:8080', true],
    ['a.example:8080', 'http://a.example', false],
    ['A.Example:443', 'https://a.example', true],
    ['[::1]', 'http://[::1]:8080', true],
    ['::1', 'http://[::1]:8080', true],
    ['[::1]:8080', 'http://[::1]', false],
  ] as const) {
    it(`is ${exempt ? 'not used' : 'used'} for ${origin} with no_proxy=${noProxy}`, () => {
      assert.equal(isExempt(noProxy, origin), exempt)
    })
  }
})

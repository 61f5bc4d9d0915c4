import { beforeEach, describe, expect, it } from 'vitest'
import { takeToken } from '@/api/fragment'

beforeEach(() => history.replaceState(null, '', '/'))

describe('token in the address', () => {
  it.each([['#token=abc-1._~', 'abc-1._~'], ['#/token=abc', 'abc'], ['#token=a%2Bb%3D', 'a+b='], ['#token=100%', '100%']])(
    'takes %s and erases it', (hash, token) => {
      history.replaceState(null, '', `/?x=1${hash}`)
      const before = history.length
      expect(takeToken(window)).toBe(token)
      expect(location.href).not.toContain('token')
      expect(location.search).toBe('?x=1')
      expect(location.hash).toBe('#/')
      expect(history.length).toBe(before) // replaced: going back does not bring it up again
      expect(takeToken(window)).toBeNull()
    })

  it.each(['', '#/', '#/incidents/token=abc', '#token='])('leaves %s alone', (hash) => {
    history.replaceState(null, '', `/${hash}`)
    expect(takeToken(window)).toBeNull()
    expect(location.hash).toBe(hash)
  })
})

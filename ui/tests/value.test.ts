import { describe, expect, it } from 'vitest'
import { say, setLanguage, t } from '@/i18n'
import { en } from '@/i18n/en'
import { zh } from '@/i18n/zh'
import { mayAs } from '@/words/kinds'
import { safeLink } from '@/words/link'
import { conditionWords, valueWords } from '@/words/value'
import { witness } from './samples'

describe('values', () => {
  it.each([
    ['present', 'vehicle', '有车', 'vehicle'], ['absent', 'vehicle', '无车', 'no vehicle'], ['present', 'person', '有人', 'person'],
    ['open', 'door', '开', 'open'], ['closed', 'door', '关', 'closed'], ['active', 'smoke', '有烟', 'smoke'],
    [23.5, null, '23.5', '23.5'], [0.08019272294681838, null, '0.08', '0.08'], [1234.5678, null, '1234.57', '1234.57'], [null, 'camera', '—', '—'],
  ] as const)('%s of %s', (value, role, chinese, english) => {
    expect(valueWords(value, role)).toBe(chinese)
    setLanguage('en')
    expect(valueWords(value, role)).toBe(english)
  })

  it.each([
    ['有车', { role: 'vehicle', wanted: 'present' }], ['不是“有车”', { role: 'vehicle', wanted: 'present', negated: true }],
    ['不是“维护模式”', { mode: 'maintenance', negated: true }], ['台风模式', { mode: 'typhoon' }],
    ['烟雾：dense', { role: 'smoke', wanted: 'dense' }],
  ] as const)('condition %s', (words, condition) => {
    expect(conditionWords(witness(condition))).toBe(words)
  })
})

describe('words', () => {
  const placeholders = (text: string): string[] => [...text.matchAll(/{\w+}/g)].map(String).sort()
  const leaves = (tree: object, path = ''): [string, string][] =>
    Object.entries(tree).flatMap(([key, value]) =>
      typeof value === 'string' ? [[`${path}${key}`, value] as [string, string]] : leaves(value as object, `${path}${key}.`))

  it('have the same places for values in both languages', () => {
    const english = new Map(leaves(en))
    for (const [key, text] of leaves(zh)) expect([key, placeholders(english.get(key) ?? '')]).toEqual([key, placeholders(text)])
  })

  it('do not read a text of the site as a pattern', () => {
    expect(t('say.line', { text: '{contact} @:app.name | x' })).toBe('喊话：{contact} @:app.name | x')
  })

  it('fall back to Chinese where the site has no English', () => {
    setLanguage('en')
    expect([say({ zh: '一', en: '' }), say({ zh: '一', en: 'one' }), say(null)]).toEqual(['一', 'one', ''])
  })
})

describe('rights and links', () => {
  it('lets guards and above switch modes', () => {
    expect((['viewer', 'guard', 'manager', 'admin'] as const).map((role) => mayAs(role, 'guard'))).toEqual([false, true, true, true])
  })

  it('follows web addresses only', () => {
    expect(safeLink('/sim/', 'http://hub/')).toBe('http://hub/sim/')
    expect(safeLink('javascript:alert(1)', 'http://hub/')).toBeUndefined()
  })
})

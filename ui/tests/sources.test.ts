// Rules about the sources that a program can check.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { i18n } from '@/i18n'
import { accountZh } from '@/i18n/account'

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(vue|ts|css)$/.test(name) && !name.endsWith('schema.d.ts'))
  .map((name) => ({ name, text: readFileSync(join('src', name), 'utf8') }))

/** Lines that match, as `file:line`. */
function lines(pattern: RegExp, skip: (name: string) => boolean = () => false): string[] {
  return files
    .filter(({ name }) => !skip(name))
    .flatMap(({ name, text }) =>
      text.split('\n').flatMap((line, index) => (pattern.test(line.replace(/\/\/.*|<!--.*|\/\*.*|^ \*.*/, '')) ? [`${name}:${index + 1}`] : [])))
}

/** The texts of a catalogue by their dotted key. */
function leaves(part: object, before = ''): Record<string, string> {
  return Object.assign({}, ...Object.entries(part).map(([key, value]) =>
    typeof value === 'object' && value !== null ? leaves(value as object, `${before}${key}.`) : { [before + key]: String(value) })) as Record<string, string>
}

describe('sources', () => {
  it('are found', () => expect(files.length).toBeGreaterThan(30))

  it('never put text into the page as markup', () => {
    expect(lines(/v-html|innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment/)).toEqual([])
  })

  it('need no eval', () => expect(lines(/\beval\(|new Function\(/)).toEqual([]))

  it('load nothing from elsewhere', () => {
    expect(lines(/https?:\/\//)).toEqual([])
    expect(readFileSync('index.html', 'utf8')).not.toMatch(/https?:|<script>|<style|style=/)
  })

  it('keep every word a person reads in src/i18n', () => {
    expect(lines(/[\u3400-\u9fff]/, (name) => name.startsWith('i18n'))).toEqual([])
  })

  it('put no word into a template that a catalogue does not know', () => {
    const bare = files.filter(({ name }) => name.endsWith('.vue')).flatMap(({ name, text }) => {
      const template = /<template>[\s\S]*<\/template>/.exec(text)?.[0].replace(/<!--[\s\S]*?-->/g, '') ?? ''
      const shown = template.replace(/\{\{[\s\S]*?\}\}/g, '').replace(/<(?:"[^"]*"|'[^']*'|[^'">])*>/g, '\n')
      const said = [...template.matchAll(/\s(?:title|alt|placeholder|aria-label)="([^"]+)"/g)].map((one) => one[1] ?? '')
      return [...shown.split('\n'), ...said].filter((line) => /[A-Za-z]{2,}/.test(line)).map((line) => `${name}: ${line.trim()}`)
    })
    expect(bare).toEqual([])
  })

  it('say everything in both languages, and each in its own', () => {
    const [zh, en] = (['zh', 'en'] as const).map((one) => leaves(i18n.global.getLocaleMessage(one)))
    expect(Object.keys(zh ?? {}).sort()).toEqual(Object.keys(en ?? {}).sort())
    const han = /[\u3400-\u9fff]/
    expect(Object.entries(en ?? {}).filter(([key, text]) => han.test(text) && key !== 'language.switch').map(([key]) => key)).toEqual([])
    // Of Chinese texts only those without any word of a language may do without a Chinese character.
    const foreign = Object.entries(zh ?? {}).filter(([key, text]) => !han.test(text) && /[a-z]{4,}/.test(text.replace(/\{[^}]*\}/g, '')) && key !== 'language.switch')
    expect(foreign.map(([key]) => key)).toEqual([])
  })

  it('have words for every action that the hub writes into the audit trail', () => {
    const { paths } = JSON.parse(readFileSync('openapi.json', 'utf8')) as { paths: Record<string, Record<string, { operationId: string }>> }
    const writes = Object.values(paths).flatMap((methods) => Object.entries(methods).filter(([method]) => method !== 'get').map(([, one]) => one.operationId))
    expect(writes.filter((name) => !(name in accountZh.action))).toEqual([])
  })

  it('stay small', () => {
    expect(files.filter(({ name, text }) => name.endsWith('.vue') && text.split('\n').length > 200).map(({ name }) => name)).toEqual([])
  })

  it('lock the packages without naming where they came from', () => {
    expect(readFileSync('package-lock.json', 'utf8')).not.toMatch(/"resolved"/)
  })
})

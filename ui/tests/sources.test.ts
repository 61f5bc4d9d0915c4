// Rules about the sources that a program can check.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
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

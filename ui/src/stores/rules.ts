// The active rules, the shipped ones, and what rules can speak of. Read while a page about rules is open.
import { shallowReadonly, shallowRef } from 'vue'
import { client, read } from '@/api/client'
import type { DeletedRule, LibraryRule, Rule, RuleFile, RuleVersion, RuleWords } from '@/api/types'
import { latest } from './latest'

const all = shallowRef<Rule[] | null>(null)
const shipped = shallowRef<LibraryRule[] | null>(null)
const gone = shallowRef<DeletedRule[]>([])
const known = shallowRef<RuleWords>({ zones: [], roles: [], contacts: [], prompts: [], modes: [] })

/** Null until first read. */
export const rules = shallowReadonly(all)
export const library = shallowReadonly(shipped)
export const deletedRules = shallowReadonly(gone)
export const ruleWords = shallowReadonly(known)

export const fetchRules = latest(async () => {
  all.value = (await read(client.GET('/api/v1/rules'))).items
})

export const fetchLibrary = latest(async () => {
  shipped.value = (await read(client.GET('/api/v1/rules/library'))).items
})

export const fetchDeleted = latest(async () => {
  gone.value = (await read(client.GET('/api/v1/rules/deleted'))).items
})

export const fetchRuleWords = latest(async () => {
  known.value = await read(client.GET('/api/v1/rules/words'))
})

/** Throws ApiError, as all below. */
export async function fetchRuleFile(id: string): Promise<RuleFile> {
  return read(client.GET('/api/v1/rules/{id}/file', { params: { path: { id } } }))
}

export async function fetchVersions(id: string): Promise<RuleVersion[]> {
  return (await read(client.GET('/api/v1/rules/{id}/versions', { params: { path: { id } } }))).items
}

export async function switchRule(id: string, reason: string, change: { enabled?: boolean; dry_run?: boolean }): Promise<void> {
  const body = { reason, enabled: change.enabled ?? null, dry_run: change.dry_run ?? null }
  await read(client.PUT('/api/v1/rules/{id}/switch', { params: { path: { id } }, body }))
}

export async function removeRule(id: string, base: string, reason: string): Promise<void> {
  await read(client.DELETE('/api/v1/rules/{id}/file', { params: { path: { id }, query: { base, reason } } }))
}

/** The sound of a sentence or a prompt, as a URL for `<audio>`; the caller revokes it. */
export async function speak(what: { text?: string; prompt?: string }): Promise<string> {
  const body = { text: what.text ?? '', prompt: what.prompt ?? '', language: 'zh' as const }
  const sound = await read(client.POST('/api/v1/speech', { body, parseAs: 'blob' }))
  return URL.createObjectURL(sound as unknown as Blob)
}

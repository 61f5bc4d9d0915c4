// One draft of one rule. Text and form are two views of it: the hub turns each into the other and says what is wrong.
import { computed, reactive, shallowReactive, watch } from 'vue'
import { ApiError, client, read } from '@/api/client'
import type { Draft, Finding, RuleFile, RuleForm } from '@/api/types'
import { fetchRuleFile } from './rules'

/** Milliseconds after the last key until the hub is asked. */
const REST_MS = 300

/** How the draft stands against the file: somebody else wrote it, or deleted it (`file` null). */
export interface Meanwhile { file: RuleFile | null }

export type DraftStore = ReturnType<typeof makeDraft>

export function makeDraft() {
  const state = shallowReactive({
    id: '',
    text: '',
    /** What the draft began with: the text and version of the file, both empty for a new rule. */
    base: '',
    version: '',
    /** The rule whose zone this new one takes over. */
    insteadOf: null as string | null,
    findings: [] as Finding[],
    summary: null as Draft['summary'],
    readable: true,
    checking: false,
    problem: null as unknown,
    meanwhile: null as Meanwhile | null,
    /** Who wrote the file last. */
    file: null as RuleFile | null,
  })
  const fields = reactive<{ form: RuleForm | null }>({ form: null })
  let revision = 0
  let source: 'text' | 'form' = 'text'
  let timer: ReturnType<typeof setTimeout> | undefined
  let applying = false

  const dirty = computed(() => state.text !== state.base || state.checking)
  const errors = computed(() => state.findings.filter((finding) => !finding.warning))
  const warnings = computed(() => state.findings.filter((finding) => finding.warning))

  watch(() => fields.form, () => {
    if (!applying && fields.form !== null) changed('form')
  }, { deep: true, flush: 'sync' })

  function changed(by: 'text' | 'form'): void {
    revision += 1
    source = by
    state.checking = true
    clearTimeout(timer)
    timer = setTimeout(() => void look(), REST_MS)
  }

  /** Ask the hub about the draft; an answer that an edit has overtaken is not used. */
  async function look(): Promise<void> {
    const asked = revision
    const form = source === 'form' ? fields.form : null
    try {
      const answer = await read(client.POST('/api/v1/rules/draft', { body: { text: state.text, form } }))
      if (asked !== revision) return
      apply(answer)
      state.problem = null
    } catch (error) {
      if (asked === revision) state.problem = error
    } finally {
      if (asked === revision) state.checking = false
    }
  }

  function apply(answer: Draft): void {
    state.text = answer.text
    state.findings = answer.findings
    state.summary = answer.summary
    state.readable = answer.form !== null
    source = 'text'
    if (answer.form === null) return
    applying = true
    fields.form = answer.form
    applying = false
  }

  function editText(text: string): void {
    if (text === state.text) return
    state.text = text
    changed('text')
  }

  /** Wait until the hub has looked at everything typed so far. */
  async function settled(): Promise<void> {
    clearTimeout(timer)
    while (state.checking) {
      await look()
      if (state.problem) return
    }
  }

  async function begin(id: string, text: string, file: RuleFile | null, insteadOf: string | null = null): Promise<void> {
    Object.assign(state, {
      id, text, base: file?.text ?? '', version: file?.version ?? '', insteadOf, file, meanwhile: null, problem: null, checking: true,
    })
    revision += 1
    source = 'text'
    await look()
  }

  async function open(id: string): Promise<void> {
    const file = await fetchRuleFile(id)
    await begin(id, file.text, file)
  }

  /** Look whether somebody else has written the file; true when an unchanged draft took it over. */
  async function compare(): Promise<boolean> {
    if (state.version === '') return false
    let file: RuleFile | null = null
    try {
      file = await fetchRuleFile(state.id)
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error
    }
    if (file !== null && file.version === state.version) {
      state.file = file
      return false
    }
    if (file !== null && !dirty.value) {
      await begin(state.id, file.text, file)
      return true
    }
    if (state.meanwhile === null || state.meanwhile.file?.version !== file?.version) state.meanwhile = { file }
    return false
  }

  /** Write the draft. Throws ApiError; when somebody else was faster, `meanwhile` is set and nothing was written. */
  async function save(reason: string): Promise<boolean> {
    await settled()
    const id = state.version === '' ? String(fields.form?.rule ?? state.id) : state.id
    const body = { text: state.text, base: state.version, reason, instead_of: state.insteadOf }
    try {
      const file = await read(client.PUT('/api/v1/rules/{id}/file', { params: { path: { id } }, body }))
      Object.assign(state, { id: file.id, base: file.text, version: file.version, insteadOf: null, file, meanwhile: null })
      return true
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409 || state.version === '') throw error
      await compare()
      return false
    }
  }

  /** Take what both changed into the draft; false where they touch the same lines. */
  async function merge(): Promise<boolean> {
    const theirs = state.meanwhile?.file
    if (!theirs) return false
    const body = { base: state.base, mine: state.text, theirs: theirs.text }
    const { text } = await read(client.POST('/api/v1/rules/merge', { body }))
    if (text === null) return false
    keepOver(theirs, text)
    return true
  }

  /** Go on with `text`, which is meant to replace what the file says now. */
  function keepOver(theirs: RuleFile | null, text = state.text): void {
    Object.assign(state, { base: theirs?.text ?? '', version: theirs?.version ?? '', file: theirs, meanwhile: null })
    state.text = text
    changed('text')
  }

  async function takeTheirs(): Promise<void> {
    const theirs = state.meanwhile?.file
    if (theirs) await begin(state.id, theirs.text, theirs)
  }

  function close(): void {
    clearTimeout(timer)
    revision += 1
  }

  return {
    state, fields, dirty, errors, warnings, editText, settled, begin, open, compare, save, merge, keepOver, takeTheirs, close,
    /** Whether the form holds something that the text does not have yet. */
    formAhead: () => state.checking && source === 'form',
  }
}

// How a draft begins: from a file, from nothing, from a shipped rule, or as the rule of one zone.
import { say, t } from '@/i18n'
import type { ZoneKind } from '@/api/types'
import { blankRule, freeId } from '@/words/rule'
import type { DraftStore } from './draft'
import { deletedRules, fetchDeleted, fetchLibrary, fetchRuleFile, fetchRules, fetchRuleWords, library, rules, ruleWords } from './rules'

/** What the address of the page of a new rule says. */
export interface Beginning { deleted?: string; kind?: string; from?: string; of?: string; zone?: string }

/** Throws ApiError. */
export async function beginDraft(draft: DraftStore, id: string, how: Beginning): Promise<void> {
  await Promise.all([fetchRuleWords(), fetchRules()])
  if (id !== 'new') return draft.open(id)
  const taken = (rules.value ?? []).map((rule) => rule.id)
  if (how.of) return beginForZone(draft, how.of, how.zone ?? '', taken)
  if (how.deleted) {
    await fetchDeleted()
    return draft.begin('', deletedRules.value.find((rule) => rule.id === how.deleted)?.text ?? '', null)
  }
  if (how.from) {
    await fetchLibrary()
    const shipped = library.value?.find((rule) => rule.id === how.from)
    await draft.begin('', shipped?.text ?? '', null)
    if (draft.fields.form) draft.fields.form.rule = freeId(how.from, taken)
    return
  }
  const kind = how.kind ?? 'fire_lane'
  await draft.begin('', blankRule(freeId(kind, taken), t(`zoneKind.${kind as ZoneKind}`), kind), null)
}

async function beginForZone(draft: DraftStore, of: string, zone: string, taken: string[]): Promise<void> {
  const file = await fetchRuleFile(of)
  await draft.begin('', file.text, null, of)
  const form = draft.fields.form
  if (form === null) return
  const name = say(ruleWords.value.zones.find((one) => one.id === zone)?.name) || zone
  form.rule = freeId(`${of}_${zone}`.slice(0, 60), taken)
  form.name = { zh: `${String(form.name.zh)} · ${name}`.slice(0, 40), en: '' }
  form.only = [zone]
  form.without = []
}

// The guided first run: names a place, binds a device to it and takes a shipped rule, in one go.
import type { Finding, LibraryRule, Role, ZoneKind } from '@/api/types'
import { client, read } from '@/api/client'
import { t } from '@/i18n'
import { freshName } from '@/words/places'
import { bindEntity } from './devices'
import { putZone } from './places'
import { fetchRules, rules } from './rules'
import { until } from './until'

export interface Place { kind: ZoneKind; name: string; role: Role | null; entity: string }

/** A place that was made, though the rest may have failed: a second try goes on from there. */
export interface Made { zone: string; bound: boolean }

/** What keeps a shipped rule from working at this site, as a contact that hub.yaml does not name. Throws ApiError, as below. */
export async function obstacles(rule: LibraryRule): Promise<Finding[]> {
  const { findings } = await read(client.POST('/api/v1/rules/draft', { body: { text: rule.text, form: null } }))
  return findings.filter((one) => !one.warning)
}

/** `made` says what an earlier try has done already, and is kept up to date. */
export async function guardPlace(place: Place, rule: LibraryRule | null, made: Made): Promise<void> {
  if (!made.zone) {
    const zone = freshName(place.kind)
    await putZone(zone, place.kind, { zh: place.name, en: '' }, null)
    made.zone = zone
  }
  if (place.role !== null && !made.bound) {
    await bindEntity(made.zone, place.role, place.entity)
    made.bound = true
  }
  if (rule !== null) await take(rule)
}

/** The rule about the hub's own troubles, where it can work and does not yet: `manager` must be a contact. Throws ApiError. */
export async function hubRule(known: LibraryRule[]): Promise<LibraryRule | null> {
  const rule = known.find((one) => one.zone_kind === 'hub')
  return rule === undefined || rule.used || (await obstacles(rule)).length ? null : rule
}

/** Let the hub watch itself, too: a zone for each of its parts, and the rule. Throws ApiError. */
export async function guardHub(rule: LibraryRule): Promise<void> {
  await read(client.PUT('/api/v1/site/hub'))
  await take(rule)
}

async function take(rule: LibraryRule): Promise<void> {
  const active = (): boolean => rules.value?.some((one) => one.id === rule.id) ?? false
  if (!rule.used && !active()) {
    const body = { text: rule.text, base: '', reason: t('begin.reason'), instead_of: null }
    await read(client.PUT('/api/v1/rules/{id}/file', { params: { path: { id: rule.id } }, body }))
  }
  await until(fetchRules, active)
}

// What a sensed value means to a person.
import type { Capability, Role, Witness, Zone, ZoneEntity } from '@/api/types'
import { t, type MessageKey } from '@/i18n'
import { zh } from '@/i18n/zh'
import type { Sensing } from './kinds'

/** Names the pair of a value; null for numbers and words the page does not know. */
export function sensing(value: string, role: Role | null, capability: Capability | null = null): Sensing | null {
  switch (value) {
    case 'present':
      return role === 'vehicle' ? 'vehiclePresent' : role === 'person' ? 'personPresent' : 'present'
    case 'absent':
      return role === 'vehicle' ? 'vehicleAbsent' : role === 'person' ? 'personAbsent' : 'absent'
    case 'active':
      return role === 'smoke' ? 'smokeActive' : 'active'
    case 'clear':
      return role === 'smoke' ? 'smokeClear' : 'clear'
    case 'open':
    case 'closed':
      return capability === null || capability === 'contact' ? value : null
    default:
      return null
  }
}

/** `有车`, `关`, `23.5`. */
export function valueWords(value: string | number | null, role: Role | null, capability: Capability | null = null): string {
  if (value === null) return t('value.none')
  const known = typeof value === 'string' ? sensing(value, role, capability) : null
  return known === null ? String(value) : t(`value.${known}`)
}

/** Cameras and speakers have no value of their own. */
export function isSensed(entity: Pick<ZoneEntity, 'capability' | 'role'>): boolean {
  return entity.capability === null
    ? entity.role !== 'camera' && entity.role !== 'speaker'
    : entity.capability !== 'camera' && entity.capability !== 'speaker'
}

/** As what each entity serves, by its id. */
export type Roles = ReadonlyMap<string, Role>

export function rolesOf(zones: readonly Zone[], zone: string): Roles {
  return new Map(zones.find((one) => one.id === zone)?.entities.map((one) => [one.entity, one.role]))
}

export function isRole(word: string): word is Role {
  return word in zh.role
}

/** A condition as the engine writes it (`vehicle: present`, `not mode: maintenance`) in words; unknown forms stay as they are. */
export function conditionWords(condition: string): string {
  const text = condition.trim()
  if (text.startsWith('not ')) return t('condition.not', { what: conditionWords(text.slice(4)) })
  const [, name, value, all] = /^(\w+): (\S+?)( \(all\))?$/.exec(text) ?? []
  if (name === undefined || value === undefined) return text
  let words = text
  if (name === 'mode' && value in zh.mode) words = t(`mode.${value}` as MessageKey)
  else if (isRole(name)) {
    const known = sensing(value, name)
    words = known === null ? t('condition.named', { role: t(`role.${name}`), value }) : t(`value.${known}`)
  } else return text
  return all === undefined ? words : t('condition.all', { what: words })
}

/** The role a condition speaks of, which tells what its entity's value means. */
export function conditionRole(witness: Pick<Witness, 'condition'>): Role | null {
  const name = /(\w+):/.exec(witness.condition)?.[1] ?? ''
  return isRole(name) ? name : null
}

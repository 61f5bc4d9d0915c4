// What a sensed value means to a person.
import type { Capability, Role, Witness, ZoneEntity } from '@/api/types'
import { t } from '@/i18n'
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
  if (typeof value === 'number') return String(Number(value.toFixed(Math.abs(value) < 1 ? 3 : 2)))
  const known = sensing(value, role, capability)
  return known === null ? value : t(`value.${known}`)
}

const COMMANDED = new Set<Capability>(['camera', 'speaker', 'relay', 'notifier'])
const COMMANDED_ROLES = new Set<Role>(['camera', 'speaker', 'light', 'door_hold'])

/** Cameras, speakers and relays have no value of their own. */
export function isSensed(entity: Pick<ZoneEntity, 'capability' | 'role'>): boolean {
  return entity.capability === null
    ? !COMMANDED_ROLES.has(entity.role)
    : !COMMANDED.has(entity.capability)
}

/** What a condition asks for: `有车`, `不是“维护模式”`. */
export function conditionWords(
  { role, wanted, mode, negated, detail }: Pick<Witness, 'role' | 'wanted' | 'mode' | 'negated' | 'detail'>,
): string {
  const asked = role === null && detail ? '' : wantedWords(role, wanted)
  const what = mode === null ? [asked, detail].filter(Boolean).join(' · ') : t(`mode.${mode}`)
  return negated ? t('condition.not', { what }) : what
}

function wantedWords(role: Role | null, wanted: string | null): string {
  if (role === null || wanted === null) return valueWords(wanted, role)
  const known = sensing(wanted, role)
  return known === null ? t('condition.named', { role: t(`role.${role}`), value: wanted }) : t(`value.${known}`)
}

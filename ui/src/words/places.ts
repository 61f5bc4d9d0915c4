// What a found entity says about the place it watches, so that a person has less to choose.
import type { Role, ZoneKind } from '@/api/types'

const KIND: Partial<Record<Role, ZoneKind>> = {
  vehicle: 'fire_lane', door: 'unit_door', smoke: 'corridor', falling: 'facade', ebike: 'lift_car', alarm: 'lift_car',
  stopped: 'lift_car', load: 'lift_car', person: 'perimeter', checkpoint: 'public_view',
}

/** The commonest kind of place for something that serves as one of `roles`. */
export function likelyKind(roles: readonly Role[]): ZoneKind {
  return roles.map((role) => KIND[role]).find((kind) => kind !== undefined) ?? 'fire_lane'
}

/** Whether the trigger of a shipped rule asks for a state of `role`; one that asks how long it was silent does not. */
export function watches(text: string, role: Role): boolean {
  const trigger = /^trigger:.*\n(?:[ \t]+.*\n)*/m.exec(text)?.[0] ?? ''
  return new RegExp(`[\\s{]${role}: *[a-z]`).test(trigger)
}

/** A name for hub.yaml that nobody has to think of. */
export function freshName(prefix: string): string {
  return `${prefix}_${Date.now().toString(36)}`
}

// Closed sets of the page itself; the API's own sets come from the generated types.
import type { UserRole, ZoneKind } from '@/api/types'

/** What a sensed value means to a person, given what the entity serves as. */
export type Sensing =
  | 'vehiclePresent' | 'vehicleAbsent' | 'personPresent' | 'personAbsent' | 'present' | 'absent'
  | 'open' | 'closed' | 'smokeActive' | 'smokeClear' | 'active' | 'clear'

/** Every purpose of a zone, the commonest first; the compiler notices one that is missing. */
export const zoneKinds = Object.keys({
  fire_lane: 0, unit_door: 0, plant_door: 0, lift_car: 0, corridor: 0, facade: 0, bike_shed: 0, perimeter: 0, gate: 0,
  public_view: 0, supply: 0, hub: 0,
} satisfies Record<ZoneKind, 0>) as ZoneKind[]

const RANK: Record<UserRole, number> = { viewer: 0, guard: 1, manager: 2, admin: 3 }

/** Whether `role` may do what `least` may; each role may all that the ones before it may. */
export function mayAs(role: UserRole, least: UserRole): boolean {
  return RANK[role] >= RANK[least]
}

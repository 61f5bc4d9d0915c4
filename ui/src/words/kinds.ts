// Closed sets of the page itself; the API's own sets come from the generated types.
import type { UserRole } from '@/api/types'

/** What a sensed value means to a person, given what the entity serves as. */
export type Sensing =
  | 'vehiclePresent' | 'vehicleAbsent' | 'personPresent' | 'personAbsent' | 'present' | 'absent'
  | 'open' | 'closed' | 'smokeActive' | 'smokeClear' | 'active' | 'clear'

const RANK: Record<UserRole, number> = { viewer: 0, guard: 1, manager: 2, admin: 3 }

/** Whether `role` may do what `least` may; each role may all that the ones before it may. */
export function mayAs(role: UserRole, least: UserRole): boolean {
  return RANK[role] >= RANK[least]
}

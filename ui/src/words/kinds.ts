// Closed sets of the page itself; the API's own sets come from the generated types.

/** What a sensed value means to a person, given what the entity serves as. */
export type Sensing =
  | 'vehiclePresent' | 'vehicleAbsent' | 'personPresent' | 'personAbsent' | 'present' | 'absent'
  | 'open' | 'closed' | 'smokeActive' | 'smokeClear' | 'active' | 'clear'

const USER_ROLES = ['viewer', 'guard', 'manager', 'admin'] as const

export type UserRole = (typeof USER_ROLES)[number]

/** Whether `role` may do what `least` may; each role may all that the ones before it may. */
export function mayAs(role: string, least: UserRole): boolean {
  return USER_ROLES.indexOf(role as UserRole) >= USER_ROLES.indexOf(least)
}

export function isUserRole(role: string): role is UserRole {
  return (USER_ROLES as readonly string[]).includes(role)
}

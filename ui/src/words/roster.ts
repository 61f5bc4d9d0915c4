// The on-call list while somebody edits it: times as a clock shows them, nobody referred to who is not there.
import type { Roster, Weekday } from '@/api/types'

export type RosterDraft = Roster
export type PersonDraft = Roster['people'][number]
export type ShiftDraft = Roster['shifts'][number]
export type AbsenceDraft = Roster['absences'][number]

export const WEEK: Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
const DAY_MINUTES = 1_440

/** The list without those who were taken out of it: in no shift, on no leave, standing in for nobody. */
export function pruned(roster: RosterDraft): RosterDraft {
  const known = new Set(roster.people.map((one) => one.id))
  return {
    people: roster.people,
    shifts: roster.shifts
      .map((one) => ({ ...one, people: one.people.filter((id) => known.has(id)) }))
      .filter((one) => one.people.length > 0),
    absences: roster.absences
      .filter((one) => known.has(one.person))
      .map((one) => ({ ...one, stand_in: one.stand_in !== null && known.has(one.stand_in) ? one.stand_in : null })),
  }
}

/** The next free id for a person; people see names only. */
export function freeId(people: readonly PersonDraft[]): string {
  const taken = new Set(people.map((one) => one.id))
  let number = people.length + 1
  while (taken.has(`p${number}`)) number += 1
  return `p${number}`
}

/** `08:30`; midnight at the end of a day is `00:00`. */
export function clockOf(minutes: number): string {
  const within = minutes % DAY_MINUTES
  return `${String(Math.floor(within / 60)).padStart(2, '0')}:${String(within % 60).padStart(2, '0')}`
}

/** Minutes after midnight of `08:30`, `8：30` or `0830`; null for anything that is no time of day. `24:00` is midnight. */
export function minutesOf(clock: string): number | null {
  const match = /^(\d{1,2})[:\uff1a.]?(\d{2})$/.exec(clock.trim())
  if (match === null) return null
  const minutes = Number(match[1]) * 60 + Number(match[2])
  return Number(match[2]) < 60 && minutes <= DAY_MINUTES ? minutes % DAY_MINUTES : null
}

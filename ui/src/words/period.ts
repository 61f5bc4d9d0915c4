// Periods as the hub writes them: `2026-11-21`, `2026-W47` (ISO 8601), `2026-11`.
import type { Span } from '@/api/types'

const DAY = 86_400_000

/** The period that lies `by` periods after `at`. */
export function shifted(span: Span, at: string, by: number): string {
  if (span === 'month') {
    const [year, month] = at.split('-').map(Number) as [number, number]
    return new Date(Date.UTC(year, month - 1 + by, 1)).toISOString().slice(0, 7)
  }
  if (span === 'day') return new Date(Date.parse(`${at}T00:00Z`) + by * DAY).toISOString().slice(0, 10)
  return weekOf(monday(at) + by * 7 * DAY)
}

/** The period of another length in which the period `at` begins. */
export function as(span: Span, day: string): string {
  if (span === 'day') return day
  return span === 'month' ? day.slice(0, 7) : weekOf(Date.parse(`${day}T00:00Z`))
}

function monday(week: string): number {
  const fourth = new Date(`${week.slice(0, 4)}-01-04T00:00Z`) // always in week 1
  return fourth.getTime() - ((fourth.getUTCDay() + 6) % 7) * DAY + (Number(week.slice(6)) - 1) * 7 * DAY
}

function weekOf(time: number): string {
  const date = new Date(time)
  const thursday = time + (3 - ((date.getUTCDay() + 6) % 7)) * DAY // its year is the week's year
  const year = new Date(thursday).getUTCFullYear()
  const week = Math.floor((thursday - Date.UTC(year, 0, 1)) / DAY / 7) + 1
  return `${year}-W${String(week).padStart(2, '0')}`
}

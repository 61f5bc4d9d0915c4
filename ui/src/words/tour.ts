// How the stops of a facade tour are told.
import type { TourStop } from '@/api/types'
import { say, t } from '@/i18n'

const HOUR = 3_600_000

export function placeOf(stop: TourStop): string {
  return [say(stop.zone_name), stop.preset || say(stop.camera_name)].filter(Boolean).join(' · ')
}

export function outcomeWords(stop: TourStop): string {
  if (stop.outcome === null) return t('tour.outcome.never')
  if (isAccepted(stop) && stop.outcome !== 'differs') return t('tour.outcome.accepted')
  if (stop.outcome === 'differs' && stop.candidates.length === 0 && stop.beyond === 0) return t('tour.settled')
  return t(`tour.outcome.${stop.outcome}`, { n: stop.candidates.length + stop.beyond })
}

/** Whether a person has accepted what was seen last. */
export function isAccepted(stop: TourStop): boolean {
  return stop.picture !== null && stop.picture === stop.accepted
}

/** Whether nothing waits for anybody. */
export function isCalm(stop: TourStop): boolean {
  return stop.outcome === 'same' || isAccepted(stop) || (stop.outcome === 'differs' && stop.candidates.length + stop.beyond === 0)
}

/** How old the last picture is. */
export function ageWords(stop: TourStop, now: number): string {
  if (stop.pictured_at === null) return t('tour.check.noPicture')
  const hours = Math.floor((now - Date.parse(stop.pictured_at)) / HOUR)
  if (hours < 1) return t('tour.check.fresh')
  return hours < 48 ? t('tour.check.hours', { n: hours }) : t('tour.check.days', { n: Math.floor(hours / 24) })
}

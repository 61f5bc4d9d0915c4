// How long ago, in one unit: a person wants to know whether it is seconds or hours.
import { t } from '@/i18n'

/** `span` in milliseconds; below zero counts as none. */
export function agoWords(span: number): string {
  const seconds = Math.max(0, Math.floor(span / 1_000))
  if (seconds < 60) return t('feel.seconds', { n: seconds })
  if (seconds < 3_600) return t('feel.minutes', { n: Math.floor(seconds / 60) })
  return t('feel.hours', { n: Math.floor(seconds / 3_600) })
}

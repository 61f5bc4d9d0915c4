// How a camera that sees is, in words.
import type { Sight } from '@/api/types'
import { knows, t } from '@/i18n'

/** How a camera is, in a word, and how loud that must be said. */
export function health(one: Sight): { word: string; look: string } {
  if (one.link !== 'streaming') return { word: linkWord(one.link), look: one.link === 'connecting' ? '' : 'blind' }
  const picture = `sight.picture.${one.picture}`
  if (one.picture && one.picture !== 'well' && one.picture !== 'unsure') return { word: knows(picture) ? t(picture) : one.picture, look: 'blind' }
  if (one.trouble) return { word: t('sight.poor'), look: 'watch' }
  return { word: t('sight.link.streaming'), look: 'calm' }
}

function linkWord(link: string): string {
  const key = `sight.link.${link}`
  return knows(key) ? t(key) : link
}

export function stateWord(state: string): string {
  const key = `sight.state.${state || 'unknown'}`
  return knows(key) ? t(key) : state
}

// The language of the page: Chinese first, remembered in this browser.
import { computed } from 'vue'
import { createI18n } from 'vue-i18n'
import type { Text } from '@/api/types'
import { accountEn, accountZh, type AccountMessages } from './account'
import { deskEn, deskZh, type DeskMessages } from './desk'
import { en } from './en'
import { evidenceEn, evidenceZh, type EvidenceMessages } from './evidence'
import { feelEn, feelZh, type FeelMessages } from './feel'
import { findEn, findZh, type FindMessages } from './find'
import { firmwareEn, firmwareZh, type FirmwareMessages } from './firmware'
import { historyEn, historyZh, type HistoryMessages } from './history'
import { placesEn, placesZh, type PlacesMessages } from './places'
import { planEn, planZh, type PlanMessages } from './plan'
import { reportsEn, reportsZh, type ReportsMessages } from './reports'
import { enRules, zhRules } from './rules'
import { sightEn, sightZh, type SightMessages } from './sight'
import { tourEn, tourZh, type TourMessages } from './tour'
import { troublesEn, troublesZh, type TroublesMessages } from './troubles'
import { trustEn, trustZh, type TrustMessages } from './trust'
import { workEn, workZh, type WorkMessages } from './work'
import { zh, type Messages as Base } from './zh'

type Messages = Base & { rules: typeof zhRules }

export type Language = 'zh' | 'en'

type Leaves<T> = { [K in keyof T & string]: T[K] extends string ? K : `${K}.${Leaves<T[K]>}` }[keyof T & string]

type Joined = Messages &
  AccountMessages &
  EvidenceMessages &
  FeelMessages &
  FindMessages &
  FirmwareMessages &
  HistoryMessages &
  PlacesMessages &
  PlanMessages &
  ReportsMessages &
  SightMessages &
  TourMessages &
  TroublesMessages &
  TrustMessages &
  WorkMessages

/** A key that exists in every language; anything else fails the type check. */
export type MessageKey = Leaves<Joined> | `desk.${Leaves<DeskMessages>}`

const STORE_KEY = 'menshen.language'

function remembered(): Language {
  try {
    return localStorage.getItem(STORE_KEY) === 'en' ? 'en' : 'zh'
  } catch {
    return 'zh' // storage is refused by the browser's settings
  }
}

const messages = {
  zh: {
    ...zh,
    ...accountZh,
    ...evidenceZh,
    ...feelZh,
    ...findZh,
    ...firmwareZh,
    ...historyZh,
    ...placesZh,
    ...planZh,
    ...reportsZh,
    ...sightZh,
    ...tourZh,
    ...troublesZh,
    ...trustZh,
    ...workZh,
    desk: deskZh,
    rules: zhRules,
  },
  en: {
    ...en,
    ...accountEn,
    ...evidenceEn,
    ...feelEn,
    ...findEn,
    ...firmwareEn,
    ...historyEn,
    ...placesEn,
    ...planEn,
    ...reportsEn,
    ...sightEn,
    ...tourEn,
    ...troublesEn,
    ...trustEn,
    ...workEn,
    desk: deskEn,
    rules: enRules,
  },
}

export const i18n = createI18n({ legacy: false, locale: remembered(), fallbackLocale: 'zh', messages })

export const language = computed<Language>(() => i18n.global.locale.value)

/** The language for `Intl` and the `lang` attribute. */
export const localeTag = computed(() => (language.value === 'zh' ? 'zh-CN' : 'en-GB'))

export function setLanguage(next: Language): void {
  i18n.global.locale.value = next
  document.documentElement.lang = localeTag.value
  try {
    localStorage.setItem(STORE_KEY, next)
  } catch {
    // not remembered, still switched
  }
}

/** The words for `key`. */
export function t(key: MessageKey, values: Record<string, string | number> = {}): string {
  return i18n.global.t(key, values)
}

/** Whether there are words for `key`: a newer hub may say what this page does not know. */
export function knows(key: string): key is MessageKey {
  return i18n.global.te(key, 'zh')
}

/** A text of the site in the language of the page, or in Chinese where it was not translated. */
export function say(text: Text | null | undefined): string {
  if (!text) return ''
  return (language.value === 'en' ? text.en : text.zh) || text.zh
}

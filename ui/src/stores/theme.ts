// Light by day, dark for the night shift: as the system says, unless somebody chose in this browser.
import { shallowReadonly, ref, watch } from 'vue'

export const themes = ['system', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

const STORE_KEY = 'menshen.theme'
const night = typeof matchMedia === 'undefined' ? null : matchMedia('(prefers-color-scheme: dark)')

function remembered(): Theme {
  try {
    return themes.find((one) => one === localStorage.getItem(STORE_KEY)) ?? 'system'
  } catch {
    return 'system' // storage is refused by the browser's settings
  }
}

const chosen = ref<Theme>(remembered())

export const theme = shallowReadonly(chosen)

export function setTheme(next: Theme): void {
  chosen.value = next
  try {
    localStorage.setItem(STORE_KEY, next)
  } catch {
    // not remembered, still set
  }
}

function paint(): void {
  const dark = chosen.value === 'dark' || (chosen.value === 'system' && night?.matches === true)
  document.documentElement.classList.toggle('dark', dark)
}

/** Paint the page, now and whenever the system or a person changes it. */
export function startTheme(): void {
  watch(chosen, paint, { immediate: true, flush: 'sync' })
  night?.addEventListener('change', paint)
}

// Who is signed in. The session itself is an HttpOnly cookie that the page never sees.
import { computed, shallowReadonly, ref, shallowRef } from 'vue'
import { client, onSessionExpired, read, ApiError } from '@/api/client'
import type { Session } from '@/api/types'
import { now } from '@/stores/clock'

/** `asking` until the hub has said whether the cookie is good; `away` when it could not be asked. */
export type SessionPhase = 'asking' | 'away' | 'out' | 'in'

const current = shallowRef<Session | null>(null)
const phase = ref<SessionPhase>('asking')
const expired = ref(false)

export const session = shallowReadonly(current)
export const sessionPhase = shallowReadonly(phase)
/** The session ended by itself, which the sign-in page should say. */
export const sessionExpired = shallowReadonly(expired)

function enter(who: Session): void {
  current.value = who
  phase.value = 'in'
  expired.value = false
}

onSessionExpired(() => {
  expired.value = phase.value === 'in'
  current.value = null
  phase.value = 'out'
})

/** When the second factor is due that an administrator still lacks. */
export const factorDue = computed(() => current.value?.factor_due ?? null)
/** It is due: the hub allows nothing but to set it up. */
export const factorIsDue = computed(() => factorDue.value !== null && Date.parse(factorDue.value) <= now.value)

/** Ask whether the cookie is still good. */
export async function restoreSession(): Promise<void> {
  try {
    enter(await read(client.GET('/api/v1/session')))
  } catch (error) {
    if (phase.value === 'asking' || phase.value === 'away') {
      phase.value = error instanceof ApiError && error.status === 401 ? 'out' : 'away'
    }
  }
}

const NOTHING = { token: null, name: null, password: null, code: null }

/** Throws ApiError, as all below. */
export async function signIn(token: string): Promise<void> {
  enter(await read(client.POST('/api/v1/session', { body: { ...NOTHING, token: token.trim() } })))
}

/** The hub answers `code_needed` where a second factor is set up and `code` is empty. */
export async function signInByName(name: string, password: string, code: string): Promise<void> {
  enter(await read(client.POST('/api/v1/session', { body: { ...NOTHING, name, password, code: code || null } })))
}

/** Whether the hub waits for its first administrator. */
export async function isFirstRun(): Promise<boolean> {
  return (await read(client.GET('/api/v1/first-run'))).open
}

export async function makeFirstAdmin(code: string, name: string, password: string): Promise<void> {
  enter(await read(client.POST('/api/v1/first-run', { body: { code, name, password } })))
}

export async function signOut(): Promise<void> {
  await read(client.DELETE('/api/v1/session'))
  current.value = null
  expired.value = false
  phase.value = 'out'
}

// The one way to the hub: typed by its OpenAPI document, guarded against CSRF, with every failure an ApiError.
import createClient, { type Middleware } from 'openapi-fetch'
import type { components, paths } from './schema'

/** Longer than this without an answer, and the hub counts as away. */
const TIMEOUT_MS = 10_000

/** A failed request. `status` 0 means that the hub was not reached. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** What does not check, where the request was refused for that. */
    readonly findings: readonly components['schemas']['FindingOut'][] = [],
  ) {
    super(message)
    this.name = 'ApiError'
  }

  get unreachable(): boolean {
    // 502 to 504 come from a proxy in front of a hub that is down.
    return this.status === 0 || (this.status >= 502 && this.status <= 504)
  }
}

type Listener<T> = (value: T) => void

const expired = new Set<Listener<void>>()
const dated = new Set<Listener<number>>()

/** Hear that the session has ended. */
export function onSessionExpired(listener: Listener<void>): void {
  expired.add(listener)
}

/** Hear the hub's clock, in milliseconds since 1970, with each answer. */
export function onServerTime(listener: Listener<number>): void {
  dated.add(listener)
}

export const guard: Middleware = {
  onRequest({ request }) {
    if (request.method !== 'GET') request.headers.set('X-Menshen', '1')
    return request
  },
  onResponse({ request, response }) {
    const date = Date.parse(response.headers.get('date') ?? '')
    if (!Number.isNaN(date)) dated.forEach((listener) => listener(date))
    const signingIn = request.method === 'POST' && request.url.endsWith('/session')
    if (response.status === 401 && !signingIn) expired.forEach((listener) => listener())
    return response
  },
}

export const client = createClient<paths>({
  baseUrl: globalThis.location.origin,
  credentials: 'same-origin',
  cache: 'no-store',
  fetch: (request) => globalThis.fetch(request, { signal: AbortSignal.timeout(TIMEOUT_MS) }),
})
client.use(guard)

interface Answer<T> {
  data?: T
  error?: { error?: string; message?: string; findings?: components['schemas']['FindingOut'][] }
  response: Response
}

/** The data of an answer, or an ApiError that says what went wrong. */
export async function read<T>(request: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>
  try {
    answer = await request
  } catch (reason) {
    throw new ApiError(0, 'unreachable', reason instanceof Error ? reason.message : String(reason))
  }
  const { data, error, response } = answer
  if (!response.ok) throw new ApiError(response.status, error?.error ?? '', error?.message ?? '', error?.findings)
  return data as T
}

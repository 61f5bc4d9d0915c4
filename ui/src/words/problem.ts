import { ApiError } from '@/api/client'
import { knows, t, type MessageKey } from '@/i18n'

function key(error: ApiError): MessageKey {
  if (error.unreachable) return 'problem.unreachable'
  switch (error.status) {
    case 401:
      return 'problem.token'
    case 403:
      return 'problem.forbidden'
    case 404:
    case 410:
      return 'problem.missing'
    case 429:
      return 'problem.many'
    default:
      return error.status >= 500 ? 'problem.hub' : 'problem.invalid'
  }
}

/** What went wrong, in plain words; the hub's own sentence follows where ours is too general to act on. */
export function problemWords(error: unknown): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error)
  const own = `refusal.${error.code}`
  if (knows(own)) return t(own)
  const problem = t(key(error))
  const general = error.status === 400 || error.status === 409 || error.status === 422 || error.status >= 500
  return general && !error.unreachable && error.message ? t('problem.detail', { problem, detail: error.message }) : problem
}

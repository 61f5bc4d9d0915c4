import { ApiError } from '@/api/client'
import { knows, t, type MessageKey } from '@/i18n'

/** Refusals that the page has its own sentence for, by the hub's code. */
const REFUSED: Record<string, MessageKey> = {
  already: 'desk.refused.already', plate: 'desk.refused.plate', nothing_bound: 'desk.refused.nothing_bound',
  incomplete: 'desk.refused.incomplete', too_long: 'desk.refused.too_long', empty: 'desk.refused.empty',
  unknown: 'desk.refused.unknown', device: 'desk.refused.device',
  floors: 'sight.floorsWrong',
  no_font: 'reports.noFont', no_report_extra: 'reports.noExtra',
}

function key(error: ApiError): MessageKey {
  const refused = REFUSED[error.code]
  if (refused !== undefined) return refused
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
  if (error.code in REFUSED) return problem
  const general = error.status === 400 || error.status === 409 || error.status === 422 || error.status >= 500
  return general && !error.unreachable && error.message ? t('problem.detail', { problem, detail: error.message }) : problem
}

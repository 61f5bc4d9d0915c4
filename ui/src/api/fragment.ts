// A token in the address (`#token=…`) signs in at once and is erased, so that it stays out of history and screenshots.

const PATTERN = /^#\/?token=(.+)$/

/** Take the token out of the address, if there is one. */
export function takeToken(win: Pick<Window, 'location' | 'history'>): string | null {
  const found = PATTERN.exec(win.location.hash)?.[1]
  if (found === undefined) return null
  win.history.replaceState(win.history.state, '', `${win.location.pathname}${win.location.search}#/`)
  try {
    return decodeURIComponent(found)
  } catch {
    return found
  }
}

// Whether the hub has a newer page than this one: it was updated while the page stood open, as a desk does for weeks.
import { shallowReadonly, ref } from 'vue'

const HOUR_MS = 3_600_000

const stale = ref(false)

/** Loading the page again would bring another one. */
export const newerPage = shallowReadonly(stale)

/** The scripts that an index.html names. */
export function entries(html: string): string[] {
  return [...html.matchAll(/<script[^>]+src="[^"]*?(assets\/[^"]+)"/g)].map((found) => found[1] ?? '')
}

/** Ask the hub for its page; a hub that is away has none that is newer. */
export async function lookForNewerPage(): Promise<void> {
  try {
    const answer = await fetch('./', { cache: 'no-store' })
    if (!answer.ok) return
    const theirs = entries(await answer.text())
    const own = [...document.scripts].map((script) => script.src)
    stale.value = theirs.length > 0 && own.length > 0 && !theirs.every((name) => own.some((src) => src.endsWith(name)))
  } catch {
    // asked again when it is back
  }
}

/** Keep the shell of the page for when the hub is away. Only over TLS or on the hub itself: browsers want it so. */
export function startShell(): void {
  setInterval(() => void lookForNewerPage(), HOUR_MS)
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return
  // A certificate that the browser does not know, or storage that is refused: the page works without.
  navigator.serviceWorker.register('./sw.js').catch(() => undefined)
}

// The service worker: keeps the shell of the page, so that it opens and says that the hub is away. Never the API, never media.
// Names and version are filled in by pwa/plugin.ts at build time.
const SHELL = __SHELL__
const CACHE = 'menshen-__VERSION__'

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(SHELL)).then(() => self.skipWaiting()))
})

self.addEventListener('activate', (event) => {
  const old = async () => (await caches.keys()).filter((name) => name.startsWith('menshen-') && name !== CACHE)
  event.waitUntil(old().then((names) => Promise.all(names.map((name) => caches.delete(name)))).then(() => self.clients.claim()))
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  const scope = new URL(self.registration.scope)
  if (request.method !== 'GET' || url.origin !== scope.origin) return
  if (request.mode === 'navigate' && url.pathname === scope.pathname) event.respondWith(page(request))
  else if (url.pathname.startsWith(`${scope.pathname}assets/`)) event.respondWith(asset(request))
})

self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  event.waitUntil(show(event.notification.data.address))
})

/** Bring the page forward at an incident: one that is open, else a new one. */
async function show(address) {
  const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true })
  if (pages.length === 0) return void await self.clients.openWindow(`./${address}`)
  pages[0].postMessage({ address })
  await pages[0].focus().catch(() => undefined) // the browser may refuse; the page is at the incident
}

/** The hub's own page wherever it answers: a page of yesterday must not meet the hub of today. */
async function page(request) {
  try {
    return await fetch(request)
  } catch (error) {
    const kept = await caches.match('./', { ignoreVary: true })
    if (kept) return kept
    throw error
  }
}

/** The name of an asset holds its hash: what is kept is good for ever. */
async function asset(request) {
  const kept = await caches.match(request)
  if (kept) return kept
  const answer = await fetch(request)
  if (answer.ok) await (await caches.open(CACHE)).put(request, answer.clone())
  return answer
}

// A small hub for people who work on the page: `npm run mock`, then `npm run dev`, or open it directly after `npm run build`.
//
// Tokens: `viewer`, `guard`, `manager`, `admin`; anything else is refused. MOCK_PORT (8420), MOCK_SCENE=calm for a quiet night.
// POST /mock/{open,close,calm,drop,expire} makes things happen: a new incident, its end, a quiet night, the WebSockets cut off,
// the session gone.
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { calm, closeBlocked, files, incidents, openBlocked, site, zones } from './scene.mjs'
import { accept } from './websocket.mjs'

const PORT = Number(process.env.MOCK_PORT ?? 8420)
const DIST = fileURLToPath(new URL('../dist', import.meta.url))
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }
const ROLES = ['viewer', 'guard', 'manager', 'admin']
/** The hub's own policy, so that a breach is seen here first. */
const POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'"

const sessions = new Map()
const clients = new Set()
if (process.env.MOCK_SCENE === 'calm') calm()

class Refused extends Error {
  constructor(status, error, message) {
    super(message)
    Object.assign(this, { status, error })
  }
}

const broadcast = (topic, id = null) => clients.forEach((client) => client.send(JSON.stringify({ topic, id })))
const cookie = (request) => /menshen_session=([^;]+)/.exec(request.headers.cookie ?? '')?.[1]

function who(request) {
  const session = sessions.get(cookie(request))
  if (!session) throw new Refused(401, 'sign_in', 'sign in first')
  return session
}

async function body(request) {
  const parts = []
  for await (const part of request) parts.push(part)
  return JSON.parse(Buffer.concat(parts).toString() || '{}')
}

function page(items, query) {
  const limit = Number(query.get('limit') ?? 50)
  const from = Number(query.get('cursor') ?? 0)
  return { items: items.slice(from, from + limit), next: from + limit < items.length ? String(from + limit) : null }
}

function find(items, id) {
  const found = items.find((one) => one.id === id)
  if (!found) throw new Refused(404, 'not_found', `no ${id}`)
  return found
}

const API = {
  'POST session': async (request, response) => {
    const { token } = await body(request)
    if (!ROLES.includes(token)) throw new Refused(401, 'unauthorized', 'the token is not known')
    const id = randomUUID()
    sessions.set(id, { name: { viewer: '小李', guard: '王师傅', manager: '陈经理', admin: '管理员' }[token], role: token, account: false })
    response.setHeader('Set-Cookie', `menshen_session=${id}; Path=/; HttpOnly; SameSite=Strict`)
    return sessions.get(id)
  },
  'GET first-run': () => ({ open: false }),
  'GET session': (request) => who(request),
  'DELETE session': (request) => void sessions.delete(cookie(request)),
  'GET site': () => site,
  'PUT site/modes/:id': async (request, _response, { id }) => {
    if (who(request).role === 'viewer') throw new Refused(403, 'forbidden', 'a guard or above may switch modes')
    const { on, minutes } = await body(request)
    const until = on && minutes ? new Date(Date.now() + minutes * 60_000).toISOString() : null
    const mode = Object.assign(site.modes.find((one) => one.mode === id), { on, until, by: on ? who(request).name : '' })
    broadcast('site')
    return mode
  },
  'GET zones': (_request, _response, { query }) => page(zones, query),
  'GET zones/:id': (_request, _response, { id }) => find(zones, id),
  'GET incidents': (_request, _response, { query }) => {
    const state = query.get('state')
    return page(incidents.filter((one) => !state || (one.state === 'closed') === (state === 'closed')), query)
  },
  'GET incidents/:id': (_request, _response, { id }) => find(incidents, id),
}

const HAPPENINGS = {
  open() {
    incidents.unshift(openBlocked(`20261121-${String(1000 + incidents.length)}`, 1))
    broadcast('incidents', incidents[0].id)
  },
  close() {
    const at = incidents.findIndex((one) => one.state === 'open')
    if (at < 0) return
    const [one] = incidents.splice(at, 1)
    incidents.unshift(closeBlocked(one))
    broadcast('incidents', one.id)
  },
  calm() {
    calm()
    for (const topic of ['incidents', 'zones', 'site']) broadcast(topic)
  },
  drop: () => clients.forEach((client) => client.close()),
  expire() {
    sessions.clear()
    clients.forEach((client) => client.close())
  },
}

async function answer(request, response) {
  const url = new URL(request.url, 'http://mock')
  const path = url.pathname.replace(/^\/api\/v1\//, '')
  if (url.pathname.startsWith('/mock/')) return HAPPENINGS[url.pathname.slice(6)]?.()
  if (path === url.pathname) return file(url.pathname, response)
  if (request.method !== 'GET' && request.headers['x-menshen'] !== '1') throw new Refused(403, 'csrf', 'X-Menshen: 1 is missing')
  if (path !== 'session' && path !== 'first-run') who(request)
  if (path.startsWith('evidence/')) {
    const found = files.get(path.slice(9))
    if (!found) throw new Refused(404, 'not_found', 'no such evidence')
    response.setHeader('Content-Type', found.media_type)
    return found.body
  }
  const [, base, id] = /^(.*?)(?:\/([^/]+))?$/.exec(path)
  const handler = API[`${request.method} ${path}`] ?? API[`${request.method} ${base}/:id`]
  if (!handler) throw new Refused(404, 'not_found', path)
  return handler(request, response, { id: decodeURIComponent(id ?? ''), query: url.searchParams })
}

async function file(path, response) {
  if (path !== '/' && !path.startsWith('/assets/')) throw new Refused(404, 'not_found', path) // the hub serves no other file
  const name = normalize(path === '/' ? '/index.html' : path)
  response.setHeader('Content-Type', TYPES[extname(name)] ?? 'application/octet-stream')
  response.setHeader('Content-Security-Policy', POLICY)
  return readFile(join(DIST, name)).catch(() => {
    throw new Refused(404, 'not_found', path)
  })
}

const server = createServer(async (request, response) => {
  try {
    const result = await answer(request, response)
    if (result === undefined) response.writeHead(204).end()
    else if (Buffer.isBuffer(result)) response.end(result)
    else response.setHeader('Content-Type', 'application/json').end(JSON.stringify(result))
  } catch (reason) {
    const { status = 500, error = 'internal', message } = reason
    response.setHeader('Content-Type', 'application/json')
    response.writeHead(status).end(JSON.stringify({ error, message }))
  }
})

server.on('upgrade', (request, socket) => {
  if (!sessions.has(cookie(request))) return void socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n')
  const client = accept(request, socket, () => clients.add(client)) // the first text is the subscription
  client.onClose(() => clients.delete(client))
})
server.listen(PORT, '127.0.0.1', () => console.log(`mock hub on http://127.0.0.1:${PORT}`))

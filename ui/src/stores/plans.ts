// The plans of the site: read while their page is open, and written by managers.
import { shallowReadonly, ref, shallowRef } from 'vue'
import { client, read } from '@/api/client'
import type { Plan, Point } from '@/api/types'
import { latest } from './latest'
import { until } from './until'

/** Milliseconds that sending a picture may take: 8 MB over a poor line. */
const UPLOAD_MS = 120_000

const all = shallowRef<Plan[] | null>(null)
const round = ref(0)

/** Null until first read. */
export const plans = shallowReadonly(all)
/** Rises when a picture was replaced here, so that it is loaded again. */
export const pictureRound = shallowReadonly(round)

export const fetchPlans = latest(async () => {
  all.value = (await read(client.GET('/api/v1/plans'))).items as Plan[] // the client's types forget that a place has two parts
})

export function pictureOf(plan: string): string {
  return `/api/v1/plans/${encodeURIComponent(plan)}/picture?round=${round.value}`
}

/** Throws ApiError, as all below. */
export async function putPicture(plan: string, file: File): Promise<void> {
  const patient = (request: Request) => globalThis.fetch(request, { signal: AbortSignal.timeout(UPLOAD_MS) })
  const sent = client.PUT('/api/v1/plans/{id}/picture', {
    params: { path: { id: plan } },
    body: file as never, // the document speaks of JSON bodies only
    bodySerializer: (body: unknown) => body as File,
    headers: { 'Content-Type': 'application/octet-stream' },
    fetch: patient,
  })
  await read(sent)
  await until(fetchPlans, () => has(plan, () => true))
  round.value += 1
}

/** Draw a zone; null erases it. */
export async function drawZone(plan: string, zone: string, polygon: Point[] | null): Promise<void> {
  const params = { path: { id: plan, zone } }
  await read(polygon
    ? client.PUT('/api/v1/plans/{id}/zones/{zone}', { params, body: { polygon } })
    : client.DELETE('/api/v1/plans/{id}/zones/{zone}', { params }))
  await until(fetchPlans, () => has(plan, (one) => polygon ? same(one.zones[zone]?.[0], polygon[0]) : !one.zones[zone]))
}

/** Place a device; null takes it off. */
export async function placeDevice(plan: string, entity: string, spot: Point | null): Promise<void> {
  const params = { path: { id: plan, entity } }
  await read(spot
    ? client.PUT('/api/v1/plans/{id}/devices/{entity}', { params, body: { x: spot[0], y: spot[1] } })
    : client.DELETE('/api/v1/plans/{id}/devices/{entity}', { params }))
  await until(fetchPlans, () => has(plan, (one) => spot ? same(one.devices[entity], spot) : !one.devices[entity]))
}

function has(plan: string, holds: (plan: Plan) => boolean): boolean {
  return all.value?.some((one) => one.id === plan && holds(one)) ?? false
}

/** Whether two places are one; the hub keeps four decimals. */
function same(one: Point | undefined, other: Point | undefined): boolean {
  return !!one && !!other && one.every((part, axis) => Math.abs(part - (other[axis] ?? 0)) < 1e-4)
}

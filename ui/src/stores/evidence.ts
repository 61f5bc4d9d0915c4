// Evidence of the hub: the head of its chain, packages, view logs.
import { client, read } from '@/api/client'
import type { components } from '@/api/schema'

export type Chain = components['schemas']['ChainOut']
export type Verified = components['schemas']['VerifiedOut']
export type Kept = components['schemas']['KeptOut']
export type View = components['schemas']['ViewOut']

export const fetchChain = (): Promise<Chain> => read(client.GET('/api/v1/chain'))

export const verifyChain = (): Promise<Verified> => read(client.POST('/api/v1/chain/verification'))

export async function fetchViews(id: string): Promise<View[]> {
  return (await read(client.GET('/api/v1/incidents/{id}/views', { params: { path: { id } } }))).items
}

export const fetchKept = (id: string): Promise<Kept> => read(client.GET('/api/v1/incidents/{id}/hold', { params: { path: { id } } }))

export async function putHold(id: string, on: boolean, why: string): Promise<void> {
  await read(client.PUT('/api/v1/incidents/{id}/hold', { params: { path: { id } }, body: { on, why } }))
}

/** Packing reads pictures and draws a cover: it may take longer than other answers. */
const PACKING_MS = 120_000

/** Fetch the package of an incident and give it to the browser to save. */
export async function exportIncident(id: string): Promise<void> {
  const patient = (request: Request): Promise<Response> => globalThis.fetch(request, { signal: AbortSignal.timeout(PACKING_MS) })
  const asked = client.POST('/api/v1/incidents/{id}/export', { params: { path: { id } }, parseAs: 'blob', fetch: patient })
  const address = URL.createObjectURL((await read(asked)) as unknown as Blob)
  Object.assign(document.createElement('a'), { href: address, download: `menshen-${id}.zip` }).click()
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
}

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

// The on-call list and the hand-over of a shift. Read while their pages are open.
import { client, read } from '@/api/client'
import type { Briefing, Handover, Roster, RosterState } from '@/api/types'

/** All throw ApiError; `already` when somebody else was faster. */
export async function fetchRoster(): Promise<RosterState> {
  return read(client.GET('/api/v1/roster'))
}

export async function saveRoster(version: number, roster: Roster): Promise<RosterState> {
  return read(client.PUT('/api/v1/roster', { body: { version, roster } }))
}

export async function fetchBriefing(): Promise<Briefing> {
  return read(client.GET('/api/v1/briefing'))
}

export async function fetchHandovers(): Promise<Handover[]> {
  return (await read(client.GET('/api/v1/handovers'))).items
}

export async function handOver(giver: string, note: string): Promise<Handover> {
  return read(client.POST('/api/v1/handovers', { body: { giver, note } }))
}

export async function takeOver(id: string, taker: string): Promise<void> {
  await read(client.PUT('/api/v1/handovers/{id}/taken', { params: { path: { id } }, body: { taker } }))
}

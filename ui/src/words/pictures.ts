import type { Evidence, Incident } from '@/api/types'

export interface Picture {
  evidence: Evidence
  /** Counts from 1, in the order they were taken; the timeline refers to it. */
  number: number
  moment: 'opening' | 'closing'
  video: boolean
}

/** The pictures and clips of an incident, oldest first, with the moment they were taken at. */
export function pictures(incident: Pick<Incident, 'evidence' | 'timeline'>): Picture[] {
  const cleared = incident.timeline.find((step) => step.kind === 'cleared')
  const end = cleared === undefined ? Infinity : Date.parse(cleared.at)
  // The step that took a picture says better than the file's own time why it was taken.
  const asked = new Map<string, string>()
  for (const step of incident.timeline) if (step.kind === 'command' && step.evidence) asked.set(step.evidence, step.at)
  return incident.evidence
    .filter((one) => /^(image|video)\//.test(one.media_type))
    .sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
    .map((evidence, index) => ({
      evidence,
      number: index + 1,
      moment: Date.parse(asked.get(evidence.id) ?? evidence.at) >= end ? 'closing' : 'opening',
      video: evidence.media_type.startsWith('video/'),
    }))
}

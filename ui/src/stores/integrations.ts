// What integrations are called: people know brands and systems, not the names of modules. Read once.
import { shallowRef } from 'vue'
import { client, read } from '@/api/client'
import type { Text } from '@/api/types'
import { say, t } from '@/i18n'

const names = shallowRef<ReadonlyMap<string, Text> | null>(null)

/** Throws ApiError. */
export async function fetchIntegrations(): Promise<void> {
  if (names.value !== null) return
  const { items } = await read(client.GET('/api/v1/integrations'))
  names.value = new Map(items.map((one) => [one.domain, one.name]))
}

/** The name of an integration; of one that is not known, or not yet, its domain. */
export function integrationName(domain: string): string {
  return domain === 'hub' ? t('zoneKind.hub') : say(names.value?.get(domain)) || domain
}

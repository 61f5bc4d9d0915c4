// The certificate of the page. Everything throws ApiError.
import { client, read } from '@/api/client'
import type { components } from '@/api/schema'

export type Certificate = components['schemas']['CertificateOut']

export async function readCertificate(): Promise<Certificate> {
  return read(client.GET('/api/v1/certificate'))
}

// One's own account: password and second factor. Everything throws ApiError.
import { client, read } from '@/api/client'
import type { Account, Enrolment } from '@/api/types'

export async function readAccount(): Promise<Account> {
  return read(client.GET('/api/v1/account'))
}

export async function changePassword(password: string, next: string): Promise<void> {
  await read(client.PUT('/api/v1/account/password', { body: { password, new: next } }))
}

export async function wantFactor(password: string): Promise<Enrolment> {
  return read(client.POST('/api/v1/account/second-factor', { body: { password } }))
}

/** Returns the recovery codes, which are shown once. */
export async function setFactor(code: string): Promise<string[]> {
  return (await read(client.PUT('/api/v1/account/second-factor', { body: { code } }))).codes
}

export async function dropFactor(password: string): Promise<void> {
  await read(client.POST('/api/v1/account/second-factor/removal', { body: { password } }))
}

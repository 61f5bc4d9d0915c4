// Users and tokens, for administrators. Everything throws ApiError.
import { shallowReadonly, shallowRef } from 'vue'
import { client, read } from '@/api/client'
import type { Token, User, UserChange, UserRole } from '@/api/types'
import { latest } from './latest'

export const ROLES: readonly UserRole[] = ['viewer', 'guard', 'manager', 'admin']

const people = shallowRef<User[] | null>(null)
const holders = shallowRef<Token[] | null>(null)

/** Null until first read. */
export const users = shallowReadonly(people)
export const tokens = shallowReadonly(holders)

export const fetchUsers = latest(async () => {
  const [found, held] = await Promise.all([read(client.GET('/api/v1/users')), read(client.GET('/api/v1/tokens'))])
  people.value = found.items
  holders.value = held.items
})

export async function addUser(name: string, role: UserRole, password: string): Promise<void> {
  await read(client.POST('/api/v1/users', { body: { name, role, password } }))
  await fetchUsers()
}

/** What is left out stays as it is. */
export async function changeUser(id: number, change: Partial<UserChange>): Promise<void> {
  const body = { role: null, disabled: null, password: null, drop_second_factor: false, ...change }
  await read(client.PUT('/api/v1/users/{id}', { params: { path: { id: String(id) } }, body }))
  await fetchUsers()
}

/** Returns the token, which is shown once. */
export async function addToken(name: string, role: UserRole): Promise<string> {
  const { token } = await read(client.POST('/api/v1/tokens', { body: { name, role } }))
  await fetchUsers()
  return token
}

export async function revokeToken(id: number): Promise<void> {
  await read(client.DELETE('/api/v1/tokens/{id}', { params: { path: { id: String(id) } } }))
  await fetchUsers()
}

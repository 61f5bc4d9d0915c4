// How a person comes in: with a token in the address, or with the cookie of an earlier visit.
import { shallowReadonly, shallowRef } from 'vue'
import { restoreSession, signIn } from './session'

const failure = shallowRef<unknown>(null)

/** Why the token of the address was refused, for the sign-in page. */
export const arrivalFailure = shallowReadonly(failure)

export async function arrive(token: string | null): Promise<void> {
  failure.value = null
  if (token !== null) {
    try {
      await signIn(token)
      return
    } catch (error) {
      failure.value = error
    }
  }
  await restoreSession()
}

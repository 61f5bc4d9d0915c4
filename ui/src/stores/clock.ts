// The hub's clock, ticking each second. An old PC's own clock may be minutes off, and a countdown must not be.
import { computed, shallowReadonly, ref } from 'vue'
import { onServerTime } from '@/api/client'

/** A difference below this is the rounding of the Date header and the way of the answer. */
const TOLERATED_MS = 2_000

const offset = ref(0)
const ticked = ref(Date.now())

onServerTime((server) => {
  ticked.value = Date.now() // a countdown that comes with this answer begins at its full length
  const difference = server - Date.now()
  if (Math.abs(difference - offset.value) > TOLERATED_MS) offset.value = Math.abs(difference) > TOLERATED_MS ? difference : 0
})

setInterval(() => {
  ticked.value = Date.now()
}, 1_000)

/** Milliseconds since 1970 on the hub's clock. */
export const now = shallowReadonly(computed(() => ticked.value + offset.value))

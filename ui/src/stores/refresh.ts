// A page that looks at the hub again and again while it is shown; what went wrong last in words.
import { onMounted, onUnmounted, ref, type Ref } from 'vue'
import { problemWords } from '@/words/problem'

export interface Refresh {
  problem: Ref<string>
  /** Look now, and go on as before. */
  look: () => Promise<void>
}

/** Fetch when the page is mounted and every `ms` milliseconds until it is left. */
export function useRefresh(fetch: () => Promise<unknown>, ms: number): Refresh {
  const problem = ref('')
  let timer: ReturnType<typeof setInterval> | undefined
  async function look(): Promise<void> {
    try {
      await fetch()
      problem.value = ''
    } catch (error) {
      problem.value = problemWords(error)
    }
  }
  onMounted(() => {
    void look()
    timer = setInterval(() => void look(), ms)
  })
  onUnmounted(() => clearInterval(timer))
  return { problem, look }
}

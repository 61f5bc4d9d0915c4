// One thing that a form does: busy while it runs, its problem in words afterwards.
import { ref, type Ref } from 'vue'
import { problemWords } from '@/words/problem'

export interface Task {
  busy: Ref<boolean>
  problem: Ref<string>
  /** Do the work, unless some is being done; true when it went well. */
  run: (work: () => Promise<void>) => Promise<boolean>
}

export function useTask(first = ''): Task {
  const busy = ref(false)
  const problem = ref(first)
  async function run(work: () => Promise<void>): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    problem.value = ''
    try {
      await work()
      return true
    } catch (error) {
      problem.value = problemWords(error)
      return false
    } finally {
      busy.value = false
    }
  }
  return { busy, problem, run }
}

/** Runs `task` one at a time: a call during a run leads to one more run after it, so the last answer is never an old one. */
export function latest(task: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null
  let again = false
  const run = async (): Promise<void> => {
    try {
      do {
        again = false
        await task()
      } while (again)
    } finally {
      running = null
      again = false
    }
  }
  return () => {
    if (running !== null) again = true
    return (running ??= run())
  }
}

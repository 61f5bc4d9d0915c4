// Looks again until the hub has taken over what was written: an edited file is seen within two seconds.

/** How often, and the pause between two looks in ms. */
const LOOKS = 20
const PAUSE = 300

/** Look until `holds`; gives up quietly after six seconds, for the page is told of the change when it comes. */
export async function until(look: () => Promise<void>, holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < LOOKS; turn += 1) {
    await look()
    if (holds()) return
    await new Promise((resolve) => setTimeout(resolve, PAUSE))
  }
}

// The sound itself: two short notes made by the browser. It may sound only after a person has touched the page.
import { shallowReadonly, ref } from 'vue'

/** Hertz and seconds after the beginning of each note. */
const NOTES = [[880, 0], [660, 0.22]] as const
const NOTE_S = 0.2

let context: AudioContext | null = null
const touched = ref(false)

/** Whether the browser lets the page sound. */
export const maySound = shallowReadonly(touched)

async function unlock(): Promise<void> {
  if (typeof AudioContext === 'undefined') return // an old browser stays silent; what is seen is enough to work with
  context ??= new AudioContext()
  if (context.state === 'suspended') await context.resume()
  touched.value = context.state === 'running'
}

/** Browsers play nothing on a page that nobody has touched: the first click or key anywhere opens the sound. */
export function listenForTouch(): void {
  for (const kind of ['pointerdown', 'keydown']) document.addEventListener(kind, () => void unlock(), { capture: true })
}

/** Sound once, `volume` from 0 to 1; false where the browser does not allow it yet. */
export function sound(volume: number): boolean {
  if (context === null || context.state !== 'running') return false
  for (const [frequency, after] of NOTES) {
    const [oscillator, gain, begin] = [context.createOscillator(), context.createGain(), context.currentTime + after]
    oscillator.frequency.value = frequency
    gain.gain.setValueAtTime(0, begin)
    gain.gain.linearRampToValueAtTime(volume, begin + 0.02)
    gain.gain.linearRampToValueAtTime(0, begin + NOTE_S)
    oscillator.connect(gain).connect(context.destination)
    oscillator.start(begin)
    oscillator.stop(begin + NOTE_S)
  }
  return true
}

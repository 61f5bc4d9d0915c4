// Times are shown on the clock of the site, whatever the clock of the PC or the phone says.

type Shape = 'day' | 'clock' | 'full'

const SHAPES: Record<Shape, Intl.DateTimeFormatOptions> = {
  day: { year: 'numeric', month: '2-digit', day: '2-digit' },
  clock: { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' },
  full: {
    year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23',
  },
}

const formats = new Map<string, Intl.DateTimeFormat>()

function format(shape: Shape, timezone: string): Intl.DateTimeFormat {
  const key = `${shape} ${timezone}`
  let made = formats.get(key)
  if (made === undefined) {
    try {
      made = new Intl.DateTimeFormat('sv-SE', { ...SHAPES[shape], timeZone: timezone })
    } catch {
      made = new Intl.DateTimeFormat('sv-SE', SHAPES[shape]) // an old browser may not know the zone
    }
    formats.set(key, made)
  }
  return made
}

/** `14:03:07` */
export function clockTime(instant: string, timezone: string): string {
  return format('clock', timezone).format(new Date(instant))
}

/** `2026-11-20 14:03:07` */
export function fullTime(instant: string, timezone: string): string {
  return format('full', timezone).format(new Date(instant))
}

/** The instant of `2026-11-20T14:03` on the clocks of a site, as ISO 8601; null where it is no time. */
export function instantOf(local: string, timezone: string): string | null {
  const wall = Date.parse(`${local}Z`)
  if (Number.isNaN(wall)) return null
  let found = wall
  // An offset holds at its own instant: near a change of the clocks the first guess may lie on the wrong side of it.
  for (let tries = 0; tries < 2; tries += 1) {
    const shown = Date.parse(`${fullTime(new Date(found).toISOString(), timezone).replace(' ', 'T')}Z`)
    found += wall - shown
  }
  return new Date(found).toISOString()
}

/** What the clock of the site shows, as an input of date and time takes it: `2026-11-20T14:03`. */
export function siteClock(instant: number, timezone: string): string {
  return fullTime(new Date(instant).toISOString(), timezone).slice(0, 16).replace(' ', 'T')
}

/** The clock alone on the site's today, with month and day before it otherwise: `11-20 14:03:07`. */
export function shortTime(instant: string, timezone: string, now: number): string {
  const day = format('day', timezone)
  const that = day.format(new Date(instant))
  const today = day.format(new Date(now))
  if (that === today) return clockTime(instant, timezone)
  return `${that.slice(0, 4) === today.slice(0, 4) ? that.slice(5) : that} ${clockTime(instant, timezone)}`
}

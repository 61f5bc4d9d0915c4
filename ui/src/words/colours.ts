// The palette that things are found by, and how each looks on a swatch.
export const COLOURS = {
  black: '#1c1c1e', grey: '#8c8c8c', white: '#ffffff', red: '#d01818', orange: '#f08018', yellow: '#f0d820', green: '#18a030', blue: '#2058d0', purple: '#7020a0', pink: '#f090b8', brown: '#6a4020',
} as const

export type Colour = keyof typeof COLOURS

export const colourNames = Object.keys(COLOURS) as Colour[]

/** The classes that somebody looks for; a number plate is none of them. */
export const findKinds = ['person', 'vehicle', 'bicycle', 'ebike', 'wheelchair', 'pram', 'other'] as const

// Points on a picture, as parts of its width and height: what a mouse, a finger or a key does to them.
import type { Point } from '@/api/types'

/** Part of the picture that one press of an arrow moves a point, and one with Shift. */
const STEP = 0.004
const STRIDE = 0.04
const ARROWS: Record<string, Point> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }

export function within(part: number): number {
  return Math.min(1, Math.max(0, part))
}

/** Where on an element the pointer is. */
export function placeOf(event: { clientX: number; clientY: number }, element: Element): Point {
  const box = element.getBoundingClientRect()
  return [within((event.clientX - box.left) / box.width), within((event.clientY - box.top) / box.height)]
}

/** Where a point is after a key; null for a key that moves nothing. */
export function moved([x, y]: Point, key: string, far: boolean): Point | null {
  const way = ARROWS[key]
  if (way === undefined) return null
  const step = far ? STRIDE : STEP
  return [within(x + way[0] * step), within(y + way[1] * step)]
}

/** The corners of an SVG polygon in a box of 100 × 100. */
export function outline(points: readonly (readonly number[])[]): string {
  return points.map(([x = 0, y = 0]) => `${x * 100},${y * 100}`).join(' ')
}

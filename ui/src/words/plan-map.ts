// Leaflet for one plan: picture, polygons, markers. The page tells it what to show; it tells what a person did.
import L from 'leaflet'
import 'leaflet/dist/leaflet.css'
import type { Plan, Point, ZoneStatus } from '@/api/types'

export interface ShownZone { id: string; name: string; label: string; status: ZoneStatus; word: string; chosen: boolean }
export interface ShownDevice { id: string; name: string; well: boolean; chosen: boolean }
export interface Heard {
  zone: (id: string) => void
  device: (id: string) => void
  moved: (id: string, spot: Point) => void
  /** Somebody clicked on the plan. */
  spot: (spot: Point) => void
}

/** How far one may look closer than the whole plan, in doublings. */
const CLOSER = 4
const LABELS = 'labels'
/** What a state looks like beside its colour: the line, and a sign before the name. */
const LOOK: Record<ZoneStatus, { weight: number; dashArray?: string; sign: string }> = {
  alarm: { weight: 5, sign: '⚠ ' },
  blind: { weight: 3, dashArray: '4 8', sign: '？' },
  pending: { weight: 3, dashArray: '14 6', sign: '… ' },
  calm: { weight: 2, sign: '' },
}

export class PlanMap {
  private readonly map: L.Map
  private readonly zones = L.layerGroup()
  private readonly devices = L.layerGroup()
  private readonly draft = L.layerGroup()

  /** `width` and `height` are the picture's, in its own pixels. */
  constructor(element: HTMLElement, picture: string, private readonly width: number, private readonly height: number, private readonly heard: Heard) {
    element.style.aspectRatio = `${width} / ${height}` // as high as the picture needs, within what the styles allow
    const bounds = L.latLngBounds([0, 0], [height, width])
    this.map = L.map(element, {
      crs: L.CRS.Simple, zoomSnap: 0, zoomDelta: 0.5, minZoom: -10, maxZoom: CLOSER, doubleClickZoom: false, zoomAnimation: false,
      fadeAnimation: false, // a label that fades would say for a moment what is no longer so
      maxBounds: bounds.pad(0.2), attributionControl: true,
    })
    this.map.createPane(LABELS).style.zIndex = '550' // above the zones, below the devices
    this.map.attributionControl.setPrefix(false)
    L.imageOverlay(picture, bounds).addTo(this.map)
    for (const group of [this.zones, this.devices, this.draft]) group.addTo(this.map)
    this.map.fitBounds(bounds, { animate: false })
    this.map.setMinZoom(this.map.getZoom() - 0.5)
    this.map.setMaxZoom(this.map.getZoom() + CLOSER)
    this.map.on('click', (event) => heard.spot(this.spot(event.latlng)))
  }

  /** Show zones that are drawn; with `still` a click on one is a click on the plan. */
  showZones(plan: Plan, zones: readonly ShownZone[], still: boolean): void {
    const focused = document.activeElement?.getAttribute('data-zone')
    this.zones.clearLayers()
    for (const zone of zones) {
      const corners = plan.zones[zone.id]
      if (!corners) continue
      const { sign, ...line } = LOOK[zone.status]
      const polygon = L.polygon(corners.map((corner) => this.place(corner)), {
        ...line, className: `plan-zone ${zone.status}${zone.chosen ? ' chosen' : ''}`, interactive: true,
      }).addTo(this.zones)
      polygon.bindTooltip(written(sign + zone.name + (zone.status === 'calm' ? '' : ` · ${zone.word}`)), {
        permanent: true, direction: 'center', pane: LABELS, className: `plan-label ${zone.status}`,
      })
      if (!still) polygon.on('click', () => this.heard.zone(zone.id))
      this.nameFor(polygon, zone, still)
      if (zone.id === focused) (polygon.getElement() as SVGElement | undefined)?.focus()
    }
  }

  showDevices(plan: Plan, devices: readonly ShownDevice[], movable: boolean): void {
    this.devices.clearLayers()
    for (const device of devices) {
      const spot = plan.devices[device.id]
      if (!spot) continue
      const icon = L.divIcon({ className: `plan-device${device.well ? '' : ' unwell'}${device.chosen ? ' chosen' : ''}`, iconSize: [24, 24] })
      const marker = L.marker(this.place(spot), { icon, draggable: movable, alt: device.name, riseOnHover: true }).addTo(this.devices)
      marker.bindTooltip(written(device.name), { direction: 'top', offset: [0, -10] })
      marker.on('click', () => this.heard.device(device.id))
      marker.on('dragend', () => this.heard.moved(device.id, this.spot(marker.getLatLng())))
      const element = marker.getElement()
      element?.setAttribute('aria-label', device.name)
      element?.setAttribute('data-device', device.id)
    }
  }

  /** Show the corners that were clicked so far. */
  showDraft(corners: readonly Point[]): void {
    this.draft.clearLayers()
    const places = corners.map((corner) => this.place(corner))
    if (places.length > 1) L.polygon(places, { className: 'plan-draft', interactive: false }).addTo(this.draft)
    for (const place of places) L.circleMarker(place, { radius: 5, className: 'plan-draft', interactive: false }).addTo(this.draft)
  }

  remove(): void {
    this.map.remove()
  }

  /** A polygon can be reached and chosen with the keyboard, and says what it is. */
  private nameFor(polygon: L.Polygon, zone: ShownZone, still: boolean): void {
    const element = polygon.getElement() as SVGElement | undefined
    if (!element) return
    const said = { role: 'button', tabindex: still ? '-1' : '0', 'aria-label': zone.label, 'data-zone': zone.id, 'data-status': zone.status }
    for (const [name, value] of Object.entries(said)) element.setAttribute(name, value)
    element.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return
      event.preventDefault()
      if (!still) this.heard.zone(zone.id)
    })
  }

  private place([x, y]: Point): L.LatLngTuple {
    return [(1 - y) * this.height, x * this.width]
  }

  private spot({ lat, lng }: L.LatLng): Point {
    const part = (value: number): number => Math.min(1, Math.max(0, value))
    return [part(lng / this.width), part(1 - lat / this.height)]
  }
}

/** Names are text: Leaflet would take a string as markup. */
function written(text: string): HTMLElement {
  const element = document.createElement('span')
  element.textContent = text
  return element
}

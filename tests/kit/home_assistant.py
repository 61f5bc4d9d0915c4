"""A site and automations written in the style of Home Assistant's documentation, old and new syntax."""

from __future__ import annotations

from hub.config.home_assistant.places import read_maps
from hub.config.home_assistant.read import NotTurned, automations
from hub.config.home_assistant.turn import Importer, Turned
from hub.config.settings import read_settings
from hub.config.yaml import loads
from hub.engine.parse import RuleParser
from hub.engine.rule import Rule
from hub.model.ids import ZoneId
from hub.model.reader import Reader
from hub.model.site import Site

SITE = """\
site: {id: test, name: 小区, calendar: {latitude: 31.2, longitude: 121.4}}
zones:
  lane_3:
    kind: fire_lane
    name: 三号通道
    bind:
      vehicle: mqtt_discovery.lane_3_vehicle
      camera: generic_camera.lane_3
      speaker: rtp_speaker.lane_3
      temperature: mqtt_discovery.lane_3_temperature
  lane_4: {kind: fire_lane, name: 四号通道, bind: {vehicle: mqtt_discovery.lane_4_vehicle}}
  unit_5:
    kind: unit_door
    name: 五号单元
    bind:
      door: [zigbee2mqtt.front_contact, zigbee2mqtt.back_contact]
      card: mqtt_discovery.reader
      speaker: http_speaker.unit_5
      light: mqtt_discovery.hall_lamp
  lift_1: {kind: lift_car, name: 一号梯, bind: {ebike: mqtt_discovery.lift_ebike, door_hold: mqtt_discovery.lift_hold}}
contacts: {guard: {name: 保安, webhook: "http://127.0.0.1:9/x"}}
"""


def site(text: str = SITE) -> Site:
    """Return the site of the tests."""
    settings = read_settings(loads(text, "hub.yaml"), Reader())
    assert settings is not None
    return settings.site


def importer(*maps: str, sun_known: bool = True, live: bool = False, zone: str | None = None) -> Importer:
    """Return an importer for the site."""
    places = read_maps(site(), maps)
    return Importer(places, {"taken"}, sun_known=sun_known, live=live, zone=None if zone is None else ZoneId(zone))


def turn(text: str, *maps: str, zone: str | None = None, sun_known: bool = True) -> tuple[Turned, ...]:
    """Turn the automations of a text; one that holds none gives none."""
    using = importer(*maps, zone=zone, sun_known=sun_known)
    try:
        return tuple(using.turn(node) for node in automations(loads(text, "automations.yaml")))
    except NotTurned:
        return ()


def read_back(text: str, file: str) -> Rule | None:
    """Return the rule in a text, which must have no finding."""
    reader = Reader()
    read = RuleParser(reader, site()).rule(loads(text, file))
    assert reader.findings == []
    return read


def one(trigger: str = "", *, condition: str = "", action: str = "", more: str = "") -> str:
    """Write one automation in which a single part is of interest."""
    trigger = trigger or '{platform: state, entity_id: binary_sensor.lane_3_vehicle, to: "on"}'
    return (
        f"- alias: x\n  trigger:\n  - {trigger}\n  condition:\n  - {condition or 'null'}\n"
        f"  action:\n  - {action or '{service: notify.guard}'}\n{more}"
    ).replace("  condition:\n  - null\n", "")


def said(turned: Turned) -> list[str]:
    """Return the notes as they are printed."""
    return [str(note) for note in turned.notes]


STATE_FOR_OLD = """\
automation:
  - alias: Fire lane blocked
    trigger:
      - platform: state
        entity_id: binary_sensor.lane_3_vehicle
        from: "off"
        to: "on"
        for: "00:03:00"
    condition:
      - condition: time
        after: "07:00:00"
        before: "22:00:00"
        weekday:
          - mon
          - tue
    action:
      - service: camera.snapshot
        target:
          entity_id: camera.lane_3
        data:
          filename: /config/www/lane.jpg
      - service: tts.google_translate_say
        entity_id: media_player.lane_3
        data:
          message: 消防通道禁止停车
      - delay: "00:02:00"
      - service: notify.guard
        data:
          message: The lane is blocked
"""
STATE_FOR_NEW = """\
- id: '1713440000000'
  alias: 电动车进电梯
  description: ''
  triggers:
  - trigger: state
    entity_id:
    - binary_sensor.lift_ebike
    from: null
    to: 'on'
    for:
      hours: 0
      minutes: 0
      seconds: 5
  conditions: []
  actions:
  - action: switch.turn_on
    metadata: {}
    data: {}
    target:
      entity_id: switch.lift_hold
  - delay:
      hours: 0
      minutes: 0
      seconds: 30
      milliseconds: 0
  - action: switch.turn_off
    target:
      entity_id: switch.lift_hold
  mode: restart
"""
NUMERIC = """\
alias: Battery room is hot
trigger:
  platform: numeric_state
  entity_id: sensor.lane_3_temperature
  above: 60
  for: 90
action:
  service: notify.guard
"""
NUMERIC_RANGE = """\
- alias: Mild
  triggers:
    trigger: numeric_state
    entity_id: sensor.lane_3_temperature
    above: "17"
    below: 25.5
  actions:
    - action: tts.speak
      target: {entity_id: tts.piper}
      data: {media_player_entity_id: media_player.lane_3, message: "Mild: 17 to 25 #ok"}
"""
TIME = """\
- alias: Close the gate
  triggers:
    - trigger: time
      at: "22:30:00"
  actions:
    - action: tts.cloud_say
      data: {entity_id: media_player.unit_5, message: 请关好单元门}
    - delay: {minutes: 5}
    - action: tts.cloud_say
      data: {entity_id: media_player.unit_5, message: 请关门}
"""
SUN = """\
- alias: Hall light at dusk
  trigger:
    - platform: sun
      event: sunset
  action:
    - service: light.turn_on
      target: {entity_id: light.hall_lamp}
    - delay: 00:30:00
    - service: light.turn_off
      target: {entity_id: light.hall_lamp}
"""
JOINED = """\
- alias: Door open at night
  triggers:
    - trigger: state
      entity_id: binary_sensor.front_contact, binary_sensor.back_contact
      to: "on"
  conditions:
    - or:
        - condition: sun
          after: sunset
        - condition: sun
          before: sunrise
    - condition: not
      conditions:
        - condition: state
          entity_id: binary_sensor.reader
          state: "on"
  actions:
    - action: notify.guard
      data: {message: x}
"""
TWO_TRIGGERS = """\
- alias: Too long
  trigger:
    - platform: state
      entity_id: binary_sensor.lane_3_vehicle
      to: "on"
      for: {minutes: 10}
    - platform: numeric_state
      entity_id: sensor.lane_3_temperature
      below: -10
    - platform: state
      entity_id: sun.sun
      to: below_horizon
  action:
    - service: notify.guard
"""
TWO_ZONES = """\
- alias: Any lane
  trigger:
    platform: state
    entity_id: [binary_sensor.lane_3_vehicle, binary_sensor.lane_4_vehicle]
    to: "on"
    for: "00:05"
  action:
    service: notify.guard
"""
NIGHT_WINDOW = """\
- alias: Lane at night
  trigger: {platform: state, entity_id: binary_sensor.lane_3_vehicle, to: "on"}
  condition:
    condition: and
    conditions:
      - {condition: time, after: "22:00", before: "06:00:00"}
      - {condition: numeric_state, entity_id: sensor.lane_3_temperature, below: 30}
  action:
    - service: media_player.play_media
      target: {entity_id: media_player.lane_3}
      data: {media_content_id: "media-source://tts/cloud?message=Please+move%21", media_content_type: provider}
"""
MAPPED = """\
- alias: Mapped
  trigger: {platform: state, entity_id: input_boolean.truck, to: "off"}
  action:
    - {service: notify.mobile_app_li, data: {message: gone}}
"""
THROTTLED = """\
- alias: Throttled
  trigger: {platform: state, entity_id: binary_sensor.lane_3_vehicle, from: "off"}
  action:
    - condition: state
      entity_id: binary_sensor.lane_3_vehicle
      state: "on"
    - service: notify.guard
    - delay: {minutes: 5}
"""
BOTH_DOORS = """\
- alias: Both doors
  trigger: {platform: state, entity_id: binary_sensor.reader, to: "on"}
  condition:
    - {condition: state, entity_id: [binary_sensor.front_contact, binary_sensor.back_contact], state: "on"}
  action:
    - service: notify.guard
"""
ALL = (
    STATE_FOR_OLD, STATE_FOR_NEW, NUMERIC, NUMERIC_RANGE, TIME, SUN, JOINED, TWO_TRIGGERS, TWO_ZONES, NIGHT_WINDOW,
    MAPPED, THROTTLED, BOTH_DOORS,
)  # fmt: skip

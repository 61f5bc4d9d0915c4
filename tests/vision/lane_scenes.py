"""Scenes of a fire lane with their truth, each made again from its kind and its seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from hub.vision.frame import Frame
from hub.vision.lane.place import Polygon
from tests.vision.lane_camera import (
    HEIGHT,
    MARGIN,
    WIDTH,
    Camera,
    Canvas,
    Look,
    camera,
    draw_bicycle,
    draw_post,
    draw_vehicle,
    ground,
    shade,
    texture,
    vehicle_look,
)

#: Seconds that a vehicle may stand in these scenes; nothing in between, so that truth is clear.
LIMIT = 60.0
NEAR, FAR = 7.0, 26.0


@dataclass(frozen=True)
class Truth:
    """A vehicle stands in the lane, from and until, in seconds of the stream."""

    start: float
    end: float


@dataclass
class Drive:
    """A vehicle's way: arrives at ``start`` (entering for 3 s before), stands at (x, y), leaves at ``end``."""

    look: Look
    x: float
    y: float
    start: float
    end: float
    backwards: bool = False

    def place(self, at: float) -> tuple[float, float] | None:
        """Return where it is, or None while it is not in the picture."""
        if at < self.start - 5 or at > self.end + 5:
            return None
        way = 0.0
        if at < self.start:
            way = -(((self.start - at) * 1.2) ** 2) - (self.start - at) * 1.5
        elif at > self.end:
            way = ((at - self.end) * 1.2) ** 2 + (at - self.end) * 1.5
        y = self.y + (-way if self.backwards else way)
        return (self.x, y) if 0.5 < y < 55 else None


@dataclass
class Scene:
    """What happens; functions of time draw it."""

    kind: str
    seed: int
    seconds: float = 150.0
    step: float = 1.0
    drives: list[Drive] = field(default_factory=list)
    truth: list[Truth] = field(default_factory=list)
    actors: list[Callable[[Canvas, float], None]] = field(default_factory=list)
    gain: Callable[[float], float] = lambda _: 1.0
    light: list[Callable[[Canvas, float], None]] = field(default_factory=list)
    noise: float = 2.0
    rain: int = 0
    shake: float = 0.0
    turned: Callable[[float], tuple[float, float]] = lambda _: (0.0, 0.0)
    missing: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng((self.seed, sum(map(ord, self.kind))))
        self.camera: Camera = next(view for view in iter(lambda: camera(self.rng), None) if _sees_lane(view))
        self.near = _near(self.camera)
        self.ground = ground(self.rng, self.camera)

    @property
    def polygon(self) -> Polygon:
        """The lane as somebody would draw it."""
        near = self.near
        corners = [(-2.0, near, 0.0), (2.0, near, 0.0), (2.0, FAR, 0.0), (-2.0, FAR, 0.0)]
        points = [self.camera.pixel(corner) for corner in corners]
        return tuple(
            (float(np.clip((x - MARGIN) / WIDTH, 0, 1)), float(np.clip((y - MARGIN) / HEIGHT, 0, 1))) for x, y in points
        )

    def park(self, start: float, end: float, **how: float) -> Drive:
        """Let a vehicle come, stand in the lane, and leave."""
        drive = self.drive(start, end, **how)
        self.truth.append(Truth(start, end))
        return drive

    def drive(self, start: float, end: float, x: float | None = None, y: float | None = None) -> Drive:
        """Let a vehicle come and leave."""
        rng = self.rng
        x = float(rng.uniform(-0.7, 0.7)) if x is None else x
        y = self.near + float(rng.uniform(0.5, 6)) if y is None else y
        found = Drive(vehicle_look(rng), x, y, start, end, bool(rng.random() < 0.3))
        self.drives.append(found)
        return found

    def frames(self) -> Iterator[Frame]:
        """Film it."""
        for at in np.arange(0, self.seconds, self.step):
            if not self.missing[0] < at < self.missing[1]:
                yield Frame(self.picture(float(at)), float(at) + float(self.rng.uniform(0, 0.05)))

    def picture(self, at: float) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        """Draw one picture."""
        canvas = self.ground.copy()
        for light in self.light:
            light(canvas, at)
        standing = [(drive, where) for drive in self.drives if (where := drive.place(at)) is not None]
        for drive, (x, y) in sorted(standing, key=lambda pair: -pair[1][1]):
            draw_vehicle(canvas, self.camera, drive.look, x, y)
        for actor in self.actors:
            actor(canvas, at)
        canvas *= self.gain(at)
        return self._film(canvas, at)

    def _film(self, canvas: Canvas, at: float) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        rng = self.rng
        for _ in range(self.rain):
            row, column, length = int(rng.integers(0, HEIGHT)), int(rng.integers(0, WIDTH)), int(rng.integers(5, 16))
            canvas[row : row + length, column] += rng.uniform(15, 50)
        down, across = np.array(self.turned(at)) + rng.uniform(-self.shake, self.shake, 2)
        shaken = _moved(canvas, MARGIN + down, MARGIN + across)
        shaken = shaken + rng.normal(0, self.noise, shaken.shape).astype(np.float32)
        return np.clip(shaken, 0, 255).astype(np.uint8)


def _shown(view: Camera, x: float, y: float, z: float = 0.0) -> bool:
    across, down = view.pixel((x, y, z))
    return MARGIN <= across <= MARGIN + WIDTH and MARGIN <= down <= MARGIN + HEIGHT


def _near(view: Camera) -> float:
    """Return from how many metres on both sides of the lane are in the picture."""
    ways = np.arange(NEAR, FAR, 0.5)
    return float(next((y for y in ways if _shown(view, -2.0, y) and _shown(view, 2.0, y)), FAR))


def _sees_lane(view: Camera) -> bool:
    """Return whether a camera hangs where it sees 12 m of the lane, and what stands there up to its roof."""
    near = _near(view)
    return near <= 10 and all(_shown(view, x, near + 12, z) for x in (-2.0, 2.0) for z in (0.0, 2.4))


def _moved(canvas: Canvas, top: float, left: float) -> Canvas:
    row, column = int(np.floor(top)), int(np.floor(left))
    fr, fc = np.float32(top - row), np.float32(left - column)
    part = canvas[row : row + HEIGHT + 1, column : column + WIDTH + 1]
    rows = part[:-1] * (1 - fr) + part[1:] * fr
    return np.asarray(rows[:, :-1] * (1 - fc) + rows[:, 1:] * fc, dtype=np.float32)


def pass_by(scene: Scene, times: list[float], x: float | None = None) -> None:
    """Let vehicles drive through without a stop."""
    for at in times:
        drive = scene.drive(at, at, x=x)
        drive.y = 12.0


def waiting(scene: Scene) -> None:
    scene.park(30, 30 + float(scene.rng.uniform(10, 45)))
    pass_by(scene, [100, 120])


def queue(scene: Scene) -> None:
    at = 20.0
    while at < 125:
        stop = float(scene.rng.uniform(10, 35))
        scene.park(at, at + stop, y=scene.near + 1)
        at += stop + 5


def replaced(scene: Scene) -> None:
    """One drives off, another comes to the same place; neither stands too long."""
    scene.seconds = 170
    x, y = float(scene.rng.uniform(-0.5, 0.5)), scene.near + float(scene.rng.uniform(0.5, 5))
    scene.park(25, 75, x=x, y=y)
    scene.park(82, 132, x=x, y=y)


def night(scene: Scene) -> None:
    scene.gain = lambda _: 0.28
    scene.noise = 4.0
    lamp(scene)
    for start in scene.rng.uniform(20, 140, 8):
        headlights(scene, float(start))
    pass_by(scene, [60, 110])


def lamp(scene: Scene) -> None:
    """Hang a street lamp."""
    rows, columns = np.mgrid[: scene.ground.shape[0], : scene.ground.shape[1]]
    row, column = scene.rng.uniform(40, 150), scene.rng.uniform(40, 280)
    pool = 1 + 2.0 * np.exp(-(((rows - row) / 60) ** 2 + ((columns - column) / 80) ** 2))
    scene.ground *= pool.astype(np.float32)


def headlights(scene: Scene, start: float) -> None:
    """Let a beam sweep over the lane, stand for some seconds and go."""
    rng = scene.rng
    row, reach, stay = float(rng.uniform(60, 150)), float(rng.uniform(25, 60)), float(rng.uniform(0, 12))
    rows, columns = np.mgrid[: scene.ground.shape[0], : scene.ground.shape[1]]
    bright = float(rng.uniform(1.5, 5))

    def shine(canvas: Canvas, at: float) -> None:
        if start < at < start + 8 + stay:
            moved = min(at - start, 4) + max(0.0, at - start - 4 - stay)
            column = -60 + moved * 55
            beam = np.exp(-(((rows - row) / (reach / 2)) ** 2 + ((columns - column) / reach) ** 2))
            canvas *= (1 + bright * beam).astype(np.float32)

    scene.light.append(shine)


def rain(scene: Scene) -> None:
    scene.rain, scene.noise = 250, 3.0
    pass_by(scene, [40, 80, 81, 120])


def shadow(scene: Scene) -> None:
    """A building's shadow with a gable moves over the lane; a cloud takes it away and gives it back."""
    rng = scene.rng
    depth = float(rng.uniform(0.45, 0.75))
    first, speed = float(rng.uniform(-3, 0)), float(rng.uniform(0.005, 0.02))
    gap = (float(rng.uniform(40, 60)), float(rng.uniform(75, 110)))

    def cast(canvas: Canvas, at: float) -> None:
        if gap[0] < at < gap[1]:
            return
        edge = first + speed * at
        corners = [(-9.0, 9.0, 0.0), (edge, 9.0, 0.0), (edge + 1.2, 13.0, 0.0), (edge, 17.0, 0.0), (-9.0, 17.0, 0.0)]
        shade(canvas, scene.camera.outline(corners), depth)

    scene.light.append(cast)


def tree_shadow(scene: Scene) -> None:
    """Leaves' shadows sway on the ground; the sun comes and goes."""
    rng = scene.rng
    leaves = np.where(texture(rng, 8, 1.0) > 0.2, np.float32(rng.uniform(0.55, 0.8)), np.float32(1))
    gap = (float(rng.uniform(40, 60)), float(rng.uniform(75, 110)))

    def cast(canvas: Canvas, at: float) -> None:
        if not gap[0] < at < gap[1]:
            sway = round(2.5 * np.sin(at * 1.3) + 1.5 * np.sin(at * 2.1))
            canvas *= np.roll(leaves, sway, axis=1)

    scene.light.append(cast)


def exposure(scene: Scene) -> None:
    steps = np.sort(scene.rng.uniform(15, 140, 6))
    gains = scene.rng.uniform(0.55, 1.5, 7)
    scene.gain = lambda at: float(gains[int(np.searchsorted(steps, at))])
    pass_by(scene, [50, 100])


def dusk(scene: Scene) -> None:
    scene.gain = lambda at: 1.0 - 0.65 * at / scene.seconds
    scene.noise = 3.0
    pass_by(scene, [60, 110])


def shaking(scene: Scene) -> None:
    scene.shake = 2.5
    pass_by(scene, [60, 110])


def turned(scene: Scene) -> None:
    """Somebody knocks the camera a little aside."""
    way = scene.rng.uniform(-8, 8, 2)
    scene.turned = lambda at: (float(way[0]), float(way[1])) if at > 50 else (0.0, 0.0)
    pass_by(scene, [100])


def person(scene: Scene) -> None:
    """One or two people stand in the lane and talk."""
    rng = scene.rng
    first = (float(rng.uniform(-1.2, 0.6)), scene.near + float(rng.uniform(0.5, 6)))
    for index in range(int(rng.integers(1, 3))):
        stand(scene, first[0] + 0.7 * index, first[1], 0.5, 1.5, float(rng.choice([25, 60, 190, 230])))


def bicycle(scene: Scene) -> None:
    """A bicycle is left in the lane, or somebody stands beside it."""
    rng = scene.rng
    x, y, level = float(rng.uniform(-1.2, 1.2)), scene.near + float(rng.uniform(0.5, 6)), float(rng.choice([20, 200]))

    def draw(canvas: Canvas, at: float) -> None:
        if 20 < at < 130:
            draw_bicycle(canvas, scene.camera, x, y, level)

    scene.actors.append(draw)
    if rng.random() < 0.5:
        stand(scene, x, y + 0.8, 0.45, 1.6, 60)


def stand(scene: Scene, x: float, y: float, width: float, height: float, level: float) -> None:
    """Let somebody stand there."""

    def draw(canvas: Canvas, at: float) -> None:
        if 20 < at < 130:
            draw_post(canvas, scene.camera, x, y, width, height, level)

    scene.actors.append(draw)


def beside(scene: Scene) -> None:
    """A vehicle parks where it may, beside the lane."""
    side = -1.0 if scene.camera.side < 0 else 1.0
    scene.drive(30, 130, x=side * float(scene.rng.uniform(3.4, 3.9)))
    pass_by(scene, [80])


def leaves(scene: Scene) -> None:
    """What stood there when the camera began leaves: nothing has come."""
    scene.drive(-20, 60)


def passing(scene: Scene) -> None:
    pass_by(scene, sorted(float(at) for at in scene.rng.uniform(15, 140, 12)))


INNOCENT: dict[str, Callable[[Scene], None]] = {
    "passing": passing,
    "waiting": waiting,
    "queue": queue,
    "replaced": replaced,
    "night": night,
    "rain": rain,
    "shadow": shadow,
    "tree_shadow": tree_shadow,
    "exposure": exposure,
    "dusk": dusk,
    "shaking": shaking,
    "turned": turned,
    "person": person,
    "bicycle": bicycle,
    "beside": beside,
    "leaves": leaves,
}


def parked(scene: Scene) -> None:
    """Stand far too long, while others pass."""
    scene.seconds = 190
    scene.park(30, 30 + float(scene.rng.uniform(100, 140)))


def _and(add: Callable[[Scene], None]) -> Callable[[Scene], None]:
    def make(scene: Scene) -> None:
        add(scene)
        scene.truth.clear()
        parked(scene)

    return make


def occluded(scene: Scene) -> None:
    """Others pass between the camera and the vehicle; one waits there for 10 s."""
    parked(scene)
    pass_by(scene, [60, 64, 90], x=-1.0)
    scene.drive(110, 118, x=scene.drives[0].x, y=scene.drives[0].y - 5.5)


def lost(scene: Scene) -> None:
    """The stream is gone for 13 s."""
    parked(scene)
    scene.missing = (60, 73)


GUILTY: dict[str, Callable[[Scene], None]] = {
    "parked": parked,
    "parked_night": _and(night),
    "parked_rain": _and(rain),
    "parked_dusk": _and(dusk),
    "parked_exposure": _and(exposure),
    "parked_shaking": _and(shaking),
    "parked_shadow": _and(shadow),
    "occluded": occluded,
    "lost": lost,
}


def make(kind: str, seed: int) -> Scene:
    """Make a scene."""
    scene = Scene(kind, seed)
    (INNOCENT | GUILTY)[kind](scene)
    return scene

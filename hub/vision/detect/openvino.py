"""Object detection with OpenVINO on the CPU: asynchronous requests, compiled models kept in the data folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from hub.model.errors import ModelError
from hub.model.text import clean
from hub.vision.detect.card import CARD, check, read
from hub.vision.detect.decode import decode

if TYPE_CHECKING:
    from hub.vision.detect.box import Detection
    from hub.vision.detect.card import Card
    from hub.vision.frame import Frame

#: Where compiled models lie in the data folder.
CACHE = "models/.compiled"
#: Pictures under way at the same time.
REQUESTS = 2


class OpenVinoDetector:
    """One model of the data folder. Not for several threads at once."""

    def __init__(self, folder: Path, data: Path, precision: str | None = None, threads: int = 1) -> None:
        """Load the model of a folder; ``precision`` such as ``f32`` pins what the CPU would choose itself.

        Raises ModelError: extra not installed, checksum, or nothing that OpenVINO can open.
        """
        openvino = library()
        self.card: Card = read(folder / CARD)
        check(self.card, folder)
        settings: dict[str, str | int] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
        settings["CACHE_DIR"] = str(data / CACHE)
        if precision is not None:
            settings["INFERENCE_PRECISION_HINT"] = precision
        try:
            core = openvino.Core()
            model = core.read_model(folder / self.card.files[0].file)
            _, _, height, width = model.input(0).shape
            self._size = (int(height), int(width))
            compiled = core.compile_model(_prepared(openvino, model), "CPU", settings)
        except (RuntimeError, ValueError) as error:  # all that OpenVINO raises
            raise ModelError(f"{self.card.name} cannot be loaded: {clean(str(error), 160)}") from None
        self._queue = openvino.AsyncInferQueue(compiled, REQUESTS)
        self._queue.set_callback(self._take)
        self._found: list[tuple[Detection, ...] | ModelError] = []

    def detect(self, frames: Sequence[Frame]) -> list[tuple[Detection, ...]]:
        """Look at BGR frames of any size; one answer for each. Raises ModelError."""
        if any(frame.pixels.ndim != 3 for frame in frames):
            raise ModelError("a detector needs colour")
        self._found = [()] * len(frames)
        given = [np.ascontiguousarray(frame.pixels)[None] for frame in frames]
        try:
            for index, pixels in enumerate(given):
                self._queue.start_async(pixels, userdata=index, share_inputs=True)
        finally:
            self._queue.wait_all()  # the pixels are read where they lie, and so kept until all are done
        answers = []
        for answer in self._found:
            if isinstance(answer, ModelError):
                raise answer
            answers.append(answer)
        return answers

    def _take(self, request: object, index: int) -> None:
        """Read one answer, in a thread of OpenVINO's: an error must not be raised there."""
        outputs = [np.array(tensor.data) for tensor in request.output_tensors]  # type: ignore[attr-defined]
        try:
            self._found[index] = decode(self.card.decoder, outputs, self._size, self.card.labels)
        except ModelError as error:
            self._found[index] = error


def library() -> ModuleType:
    """Import OpenVINO without its telemetry, which looks a host up and writes into the home folder.

    A module that is None cannot be imported; OpenVINO then uses a stub of its own. Raises ModelError.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino  # type: ignore[import-untyped]
    except ImportError:
        raise ModelError("OpenVINO is missing: install Menshen with the extra menshen[detect]") from None
    found: ModuleType = openvino
    return found


def _prepared(openvino: ModuleType, model: object) -> object:
    """Let the model take BGR bytes of any size: the conversion is then part of the compiled graph."""
    steps = openvino.preprocess.PrePostProcessor(model)
    given = steps.input().tensor()
    given.set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC")).set_spatial_dynamic_shape()
    steps.input().model().set_layout(openvino.Layout("NCHW"))
    steps.input().preprocess().resize(openvino.preprocess.ResizeAlgorithm.RESIZE_LINEAR)
    return steps.build()

"""How the reader sees: finds lines of text in a picture and reads each in its own script.

`rapidocr` finds the lines and reads Latin, Han, kana and Greek. A line that it reads with little confidence
is mostly in another script: it is then read with tesseract line models of those scripts, and the reading
that is surest wins. Detection runs on its own, because lines that rapidocr cannot read would be dropped.
"""

from __future__ import annotations

import functools
import os
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from wheretaken.errors import MissingExtraError
from wheretaken.models.reader import scripts

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from PIL.Image import Image

    Pixels = npt.NDArray[np.uint8]
    Quad = npt.NDArray[np.float32]

TESSDATA = Path(__file__).parent / "tessdata"
SURE = 0.88
"""Above this confidence a reading of the main models is taken as it is."""
SURE_OF = {"han": 0.95}
"""With so many characters, some Han one resembles almost anything: Hangul is read as Han."""
LEGIBLE = 0.5
"""Below this a reading says nothing."""
SINGLE_SURE = 0.93
"""What a single character must reach: pictograms and window frames are read as letters."""
OTHER_SCRIPT_SURE = 0.6
"""What a line model of another script must reach; word confidence of tesseract, 0..1."""
LONGEST_UNIT = 4
"""Letters of a unit such as "км" or "কিমি" as the main models misread it."""
LEAST_VOTE = 0.13
"""Sum of fourth powers of confidence over the probed lines; one line read at 0.6 has it."""
PROBES = 3
"""How many doubtful lines are read with every script to find out which one the picture is in."""
LINE_HEIGHTS = (44, 30, 64)
"""Pixels that a line is scaled to for tesseract: the first is read always, the others when in doubt."""
BORDER = 10
FEWEST = {"hangul": 2}
"""Letters that a reading needs; pictograms are read as one or two letters of some script."""
TALL = 1.8
"""Height over width from which a box holds vertical writing."""


@dataclass(frozen=True)
class Line:
    """A line of text in a picture."""

    text: str
    confidence: float
    quad: tuple[tuple[float, float], ...]
    """Corners in pixels, clockwise from the top left of the writing."""
    script: str
    alternatives: tuple[str, ...] = ()
    """Other readings worth a look-up, such as the Cyrillic one of "PECTOPAH"."""

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in pixels."""
        xs, ys = [x for x, _ in self.quad], [y for _, y in self.quad]
        return min(xs), min(ys), max(xs), max(ys)

    @property
    def height(self) -> float:
        """Height of the writing in pixels, along its own direction."""
        (ax, ay), _, _, (dx, dy) = self.quad
        return ((ax - dx) ** 2 + (ay - dy) ** 2) ** 0.5


@dataclass(frozen=True)
class _Reading:
    text: str
    confidence: float
    script: str

    @property
    def weight(self) -> float:
        return self.confidence * min(len(self.text), 12)


class Eye:
    """Reads text in pictures. Loads its models on first use; one instance may be used by many threads."""

    def __init__(self) -> None:
        """Nothing is loaded before the first picture."""
        self._lock = threading.Lock()
        self._line_models: dict[str, Any] = {}

    def read(self, image: Image) -> list[Line]:
        """Return the legible lines of an RGB picture, from top to bottom.

        Raises:
            MissingExtraError: the OCR libraries are not installed.
        """
        import numpy as np  # noqa: PLC0415 - 0.4 s, not needed to list models

        # rapidocr takes OpenCV's channel order.
        pixels = np.ascontiguousarray(np.asarray(image.convert("RGB"))[:, :, ::-1])
        with self._lock:
            quads = self._detect(pixels)
            crops = [_cut(pixels, quad) for quad in quads]
            readings = self._recognize(crops)
            lines = self._read_doubtful(crops, readings)
        found = [
            Line(r.text, r.confidence, tuple((float(x), float(y)) for x, y in quad), r.script, others)
            for quad, (r, others) in zip(quads, lines, strict=True)
            if r.confidence >= (LEGIBLE if _length(r.text) > 1 else SINGLE_SURE) and _length(r.text)
        ]
        return sorted(found, key=lambda line: (round(line.box[1]), round(line.box[0])))

    @functools.cached_property
    def _engine(self) -> Any:
        try:
            from rapidocr import RapidOCR  # noqa: PLC0415 - loads onnxruntime and OpenCV
        except ImportError as error:
            raise MissingExtraError(
                "reading text in pictures", "offline", error.name or "rapidocr"
            ) from error
        threads = {"EngineConfig.onnxruntime.intra_op_num_threads": _threads()}
        return RapidOCR(params={"Global.log_level": "critical"} | threads)

    def _detect(self, pixels: Pixels) -> list[Quad]:
        found = self._engine(pixels, use_det=True, use_cls=False, use_rec=False)
        return [] if found.boxes is None else [cast("Quad", box) for box in found.boxes]

    def _recognize(self, crops: list[Pixels]) -> list[_Reading]:
        """Read every line with the main model; vertical writing also character by character."""
        if not crops:
            return []
        tall = [n for n, crop in enumerate(crops) if crop.shape[0] > TALL * crop.shape[1]]
        flat = [_rotated(crop) if n in tall else crop for n, crop in enumerate(crops)]
        found = self._engine.recognize_txt([*flat, *(_laid_out(crops[n]) for n in tall)])
        read = [
            # An empty reading comes with high confidence: the model is sure that it cannot read this.
            _Reading(text.strip(), float(score) if _length(text) else 0.0, scripts.dominant(text))
            for text, score in zip(found.txts, found.scores, strict=True)
        ]
        lines = read[: len(crops)]
        for n, other in zip(tall, read[len(crops) :], strict=True):
            lines[n] = max(lines[n], other, key=lambda r: r.weight)
        return lines

    def _read_doubtful(
        self, crops: list[Pixels], readings: list[_Reading]
    ) -> list[tuple[_Reading, tuple[str, ...]]]:
        """Replace unsure readings by surer ones in another script."""
        doubtful = [n for n, r in enumerate(readings) if r.confidence < SURE_OF.get(r.script, SURE)]
        ambiguous = [n for n, r in enumerate(readings) if scripts.looks_ambiguous(r.text)]
        lines: list[tuple[_Reading, tuple[str, ...]]] = [(r, ()) for r in readings]
        for n in ambiguous:
            others = [self._read_as(crops[n], script) for script in ("cyrillic", "greek")]
            texts = tuple(r.text for r in others if r.confidence >= OTHER_SCRIPT_SURE)
            lines[n] = (readings[n], texts)
        numbers = [n for n, r in enumerate(readings) if r.confidence >= SURE and _is_number(r.text)]
        pairs = self._scripts_of(crops, doubtful)
        for n, script in pairs:
            other = self._read_as(crops[n], script)
            current = lines[n][0]
            # The main models know none of these scripts, so that a tie goes to the script's own.
            head_start = 0.15 if current is readings[n] else 0.0
            if other.confidence >= OTHER_SCRIPT_SURE and other.confidence > current.confidence - head_start:
                kept = (readings[n].text,) if readings[n].confidence >= LEGIBLE else ()
                lines[n] = (other, kept)
        found = Counter(line.script for line, _ in lines if line.script in {script for _, script in pairs})
        for script, _count in found.most_common(1):
            for n in numbers:
                lines[n] = (self._with_unit(crops[n], readings[n], script), ())
        return lines

    def _with_unit(self, crop: Pixels, reading: _Reading, script: str) -> _Reading:
        """Read a number again in the script of its sign: "31 კმ" (km) is "3138" to the main models."""
        model = self._line_model(script)
        model.SetImage(_prepared(crop, LINE_HEIGHTS[0]))
        text = " ".join(str(model.GetUTF8Text()).split())
        digits = "".join(char for char in text if char.isdigit())
        has_unit = any(scripts.script_of(char) == script for char in text)
        same = digits and "".join(filter(str.isdigit, reading.text)).startswith(digits)
        return _Reading(text, reading.confidence, script) if has_unit and same else reading

    def _scripts_of(self, crops: list[Pixels], doubtful: list[int]) -> list[tuple[int, str]]:
        """Pair doubtful lines with the script they are probably in, found out on the largest of them."""
        largest = sorted(doubtful, key=lambda n: -crops[n].shape[0] * crops[n].shape[1])[:PROBES]
        votes: dict[str, float] = {}
        for n in largest:
            tried = [self._read_as(crops[n], script, thorough=False) for script in _line_scripts()]
            for reading in tried:
                # Steep, because the right model is sure and the wrong ones are only not sure enough.
                votes[reading.script] = votes.get(reading.script, 0.0) + reading.confidence**4
        likely = sorted((s for s in votes if votes[s] > LEAST_VOTE), key=lambda s: -votes[s])[:2]
        return [(n, script) for n in doubtful for script in likely]

    def _read_as(self, crop: Pixels, script: str, *, thorough: bool = True) -> _Reading:
        """Read one line with the line model of a script; sizes are tried until one is sure."""
        best = _Reading("", 0.0, script)
        for height in LINE_HEIGHTS if thorough else LINE_HEIGHTS[:1]:
            model = self._line_model(script)
            model.SetImage(_prepared(crop, height))
            text = _tidied(model.GetUTF8Text(), script)
            # A model of another script also reads Latin; only writing of its own script counts.
            confidence = model.MeanTextConf() / 100 * min(1.0, scripts.share(text, script) / 0.7)
            if sum(scripts.script_of(char) == script for char in text) < FEWEST.get(script, 3):
                confidence = 0.0
            best = max(best, _Reading(text, confidence, script), key=lambda r: r.confidence)
            if best.confidence >= SURE:
                break
        return best

    def _line_model(self, script: str) -> Any:
        if script not in self._line_models:
            try:
                import tesserocr  # noqa: PLC0415 - only pictures in these scripts need it
            except ImportError as error:
                raise MissingExtraError("reading this script", "offline", "tesserocr") from error
            self._line_models[script] = tesserocr.PyTessBaseAPI(
                path=str(TESSDATA), lang=script, psm=tesserocr.PSM.SINGLE_LINE
            )
        return self._line_models[script]


def _threads() -> int:
    """Return how many threads may work on a picture, -1 for the library's own choice.

    Tesseract and NumPy obey OMP_NUM_THREADS by themselves. onnxruntime does not: where several processes read
    pictures side by side, its threads would spend a third of their time waiting for each other.
    """
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdecimal() else -1


@functools.cache
def shared_eye() -> Eye:
    """Return the process's one eye, so that its models are loaded once."""
    return Eye()


@functools.cache
def _line_scripts() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in TESSDATA.glob("*.traineddata")))


def _cut(pixels: Pixels, quad: Quad) -> Pixels:
    """Cut a quadrilateral out and straighten it."""
    import cv2  # noqa: PLC0415 - part of the OCR libraries
    import numpy as np  # noqa: PLC0415 - as above

    width = max(np.linalg.norm(quad[0] - quad[1]), np.linalg.norm(quad[3] - quad[2]), 4)
    height = max(np.linalg.norm(quad[0] - quad[3]), np.linalg.norm(quad[1] - quad[2]), 4)
    size = (round(float(width)), round(float(height)))
    corners = np.array([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(quad.astype(np.float32), corners)
    cut = cv2.warpPerspective(pixels, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return cast("Pixels", cut)


def _rotated(crop: Pixels) -> Pixels:
    import numpy as np  # noqa: PLC0415 - loaded long before

    return np.ascontiguousarray(np.rot90(crop))


def _laid_out(crop: Pixels) -> Pixels:
    """Lay the square characters of a vertical line side by side."""
    import numpy as np  # noqa: PLC0415 - loaded long before

    count = max(round(crop.shape[0] / crop.shape[1]), 1)
    step = crop.shape[0] // count
    return np.ascontiguousarray(np.hstack([crop[n * step : (n + 1) * step] for n in range(count)]))


def _prepared(crop: Pixels, height: int) -> Image:
    """Scale a line to the height that the line models were trained at, dark on light, with a margin."""
    import cv2  # noqa: PLC0415 - part of the OCR libraries
    import numpy as np  # noqa: PLC0415 - as above
    from PIL import Image, ImageOps  # noqa: PLC0415 - as above

    grey = cast("Pixels", cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY))
    factor = height / grey.shape[0]
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    size = (max(round(grey.shape[1] * factor), 8), height)
    grey = cast("Pixels", cv2.resize(grey, size, interpolation=method))
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    if float(np.median(edge)) < float(grey.mean()):
        grey = 255 - grey
        edge = 255 - edge
    return ImageOps.expand(Image.fromarray(grey), BORDER, fill=int(np.median(edge)))


def _is_number(text: str) -> bool:
    """Whether a line is a number, perhaps with a short unit that was not read right."""
    return text[:1].isdigit() and sum(char.isalpha() for char in text) <= LONGEST_UNIT


def _length(text: str) -> int:
    """Letters and digits."""
    return sum(char.isalnum() for char in text)


def _tidied(text: str, script: str) -> str:
    words = text.replace("\u200e", "").replace("\u200f", "").split()
    words = [word for word in words if _length(word)]
    # Wide lettering: syllables that stand alone are one word.
    spread = script == "hangul" and all(len(word) == 1 for word in words)
    return ("" if spread or script in scripts.UNSPACED else " ").join(words)

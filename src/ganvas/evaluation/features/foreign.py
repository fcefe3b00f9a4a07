"""A user's own feature network: a TorchScript or ONNX file."""

import hashlib
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.evaluation.features.inception import FeaturesError
from ganvas.evaluation.features.network import RESIZED, in_batches, on_white, prepare

BATCH = 16
SCRIPTS, GRAPHS = (".pt", ".pth", ".ts"), (".onnx",)


class Foreign:
    """A feature network in a user's file.

    Its input is RGB images (N, 3, H, W) in [0, 1], at their own size unless an ONNX graph fixes
    one. Its output is (N, D), or (N, D, h, w), which is averaged over positions.
    """

    def __init__(self, path: Path, device: torch.device | str = "cpu") -> None:
        """Load the file onto `device`; raises FeaturesError."""
        if not path.is_file():
            raise FeaturesError(f"--features {path}: there is no such file.")
        opening = {**dict.fromkeys(SCRIPTS, _script), **dict.fromkeys(GRAPHS, _graph)}
        if path.suffix.lower() not in opening:
            raise FeaturesError(
                f"--features {path}: the file extension must be one of {', '.join(opening)}, for "
                "a TorchScript or an ONNX file."
            )
        self.path, self.device = path, torch.device(device)
        self.network, self.side = opening[path.suffix.lower()](path, self.device)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
        resized = f"{self.side} px {RESIZED}" if self.side else "at their own size"
        self.name = f"{path.name} {digest}, {resized}"

    def features(self, images: Tensor) -> Tensor:
        """(N, D) float32 features of (N, C, H, W) images in [-1, 1], C = 1, 3 or 4.

        Raises FeaturesError where the network does not return one row of finite numbers for each.
        """
        return in_batches(self._rows, images, BATCH, self.device)

    def _rows(self, images: Tensor) -> Tensor:
        shown = prepare(images, self.side) if self.side else on_white(images)
        try:
            found = self.network((shown + 1) / 2)
        except Exception as fault:  # a user's network may raise anything
            said = str(fault).strip().splitlines() or [type(fault).__name__]
            raise FeaturesError(
                f"{self.path} fails on images of shape {tuple(shown.shape)}: {said[-1][:200]}"
            ) from fault
        if not isinstance(found, Tensor):
            raise FeaturesError(
                f"{self.path} returns a {type(found).__name__}; it must return one tensor of "
                "features."
            )
        if found.ndim == 4:
            found = F.adaptive_avg_pool2d(found, 1).flatten(1)
        if found.ndim != 2 or len(found) != len(images) or not found.shape[1]:
            raise FeaturesError(
                f"{self.path} returns shape {tuple(found.shape)} for {len(images)} images; it must "
                "return one row of features for each."
            )
        found = found.float()
        if not torch.isfinite(found).all():
            raise FeaturesError(f"{self.path} returns features that are not finite.")
        return found


Network = Callable[[Tensor], Tensor]


def _script(path: Path, device: torch.device) -> tuple[Network, int | None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # in favour of torch.export
        try:
            module = torch.jit.load(str(path), map_location=device).eval()  # type: ignore[no-untyped-call]  # torch
        except Exception as fault:  # damaged files raise nearly every class of exception
            raise FeaturesError(f"{path} is damaged, or holds no TorchScript.") from fault

    @torch.inference_mode()
    def network(images: Tensor) -> Tensor:
        found: Tensor = module(images)
        return found

    return network, None


def _graph(path: Path, device: torch.device) -> tuple[Network, int | None]:
    try:
        import onnxruntime
    except ImportError:
        raise FeaturesError(
            f"--features {path} needs onnxruntime: pip install 'ganvas[onnx]'."
        ) from None
    try:
        session = onnxruntime.InferenceSession(str(path), providers=_providers(device))
    except Exception as fault:  # onnxruntime's own classes, which it does not document
        raise FeaturesError(f"{path} is damaged, or holds no ONNX graph.") from fault
    if not session.get_inputs() or not session.get_outputs():
        raise FeaturesError(f"{path} has no inputs or no outputs.")
    given, sides = session.get_inputs()[0], session.get_inputs()[0].shape[2:]
    side = sides[0] if all(isinstance(wanted, int) for wanted in sides) and sides else None

    def network(images: Tensor) -> Tensor:
        return torch.from_numpy(session.run(None, {given.name: images.cpu().numpy()})[0])

    return network, side


def _providers(device: torch.device) -> list[str]:
    """The ways in which onnxruntime is to compute, by preference: on a GPU where its build can."""
    import onnxruntime

    by_device = {"cuda": "CUDAExecutionProvider", "mps": "CoreMLExecutionProvider"}
    wanted = [by_device.get(device.type, ""), "CPUExecutionProvider"]
    return [name for name in wanted if name in onnxruntime.get_available_providers()]

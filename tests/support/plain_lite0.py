"""EfficientNet-Lite0 of ordinary modules, padded by TensorFlow's formula: a reference."""

import json

from safetensors import safe_open
from torch import nn


class Same(nn.Module):
    """An ordinary convolution that first widens its input to what its last output reads."""

    def __init__(self, file, name, stride=1, groups=1):
        super().__init__()
        weight = file.get_tensor(f"{name}.weight")
        out, per_group, kernel, _ = weight.shape
        self.kernel, self.stride = kernel, stride
        self.convolution = nn.Conv2d(per_group * groups, out, kernel, stride, groups=groups)
        bias = file.get_tensor(f"{name}.bias")
        self.convolution.load_state_dict({"weight": weight.float(), "bias": bias.float()})

    def forward(self, x):
        (top, bottom), (left, right) = (self._margins(size) for size in x.shape[2:])
        return self.convolution(nn.ZeroPad2d((left, right, top, bottom))(x))

    def _margins(self, size):
        outputs = size // self.stride + (size % self.stride > 0)
        extra = self.stride * (outputs - 1) + self.kernel - size
        return extra // 2, (extra + 1) // 2


def plain_blocks(path):
    """The network as ordinary modules: name, module, and whether a shortcut goes around it."""
    with safe_open(path, framework="pt") as file:
        for block in json.loads(file.metadata()["blocks"]):
            name, stride = block["name"], block["stride"]
            if block["kind"] == "conv":
                yield name, nn.Sequential(Same(file, name, stride), nn.ReLU6()), False
                continue
            channels = len(file.get_tensor(f"{name}.depthwise.bias"))
            expand = [Same(file, f"{name}.expand"), nn.ReLU6()] if block["expand"] else []
            depthwise = [Same(file, f"{name}.depthwise", stride, channels), nn.ReLU6()]
            project = [Same(file, f"{name}.project")]
            yield name, nn.Sequential(*expand, *depthwise, *project), block["skip"]

#!/usr/bin/env python3
"""A two-tower training step in Python PyTorch: what `avbench bench step simclr` is measured against.

Two R3D networks of one block a stage, a contrastive loss over normalised projections of the pooled
features (temperature 0.5), gradient clipping at 1, SGD with momentum. Needs torch alone.

  plain     NCDHW, the spectrogram repeated over the clip's frames: what one writes first
  tuned     channels_last_3d, the spectrogram as a clip of one frame
  compiled  tuned, with torch.compile on each tower
"""

import argparse
import json
import time

import torch
from torch import nn
from torch.nn import functional


def conv_norm(inputs, outputs, kernel, stride=1):
    padding = tuple(k // 2 for k in kernel)
    conv = nn.Conv3d(inputs, outputs, kernel, stride, padding, bias=False)
    return nn.Sequential(conv, nn.BatchNorm3d(outputs))


class Residual(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first = conv_norm(inputs, outputs, (3, 3, 3), stride)
        self.second = conv_norm(outputs, outputs, (3, 3, 3))
        self.shortcut = nn.Fingerprint() if stride == 1 else conv_norm(inputs, outputs, (1, 1, 1), stride)

    def forward(self, x):
        y = functional.relu(self.first(x), inplace=True)
        return functional.relu(self.second(y) + self.shortcut(x), inplace=True)


class Tower(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.stem = conv_norm(3, width, (3, 7, 7), (1, 2, 2))
        channels = [width, width, 2 * width, 4 * width, 8 * width]
        self.stages = nn.Sequential(
            *(Residual(channels[i], channels[i + 1], 1 if i == 0 else 2) for i in range(4)))
        self.projector = nn.Sequential(nn.Linear(8 * width, 8 * width), nn.ReLU(inplace=True),
                                       nn.Linear(8 * width, 128))

    def forward(self, x):
        x = self.stages(functional.relu(self.stem(x), inplace=True))
        return functional.normalize(self.projector(x.mean((2, 3, 4))))


def contrastive(a, b, temperature=0.5):
    rows = torch.cat([a, b])
    logits = rows @ rows.T / temperature
    logits.fill_diagonal_(float("-inf"))
    n = len(a)
    partner = torch.cat([torch.arange(n, 2 * n), torch.arange(n)])
    return functional.cross_entropy(logits, partner)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("mode", choices=["plain", "tuned", "compiled"])
    for name in ("batch", "frames", "size", "width"):
        parser.add_argument("--" + name, type=int, required=True)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--steps", type=int, default=7)
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    tuned = arguments.mode != "plain"
    layout = torch.channels_last_3d if tuned else torch.contiguous_format
    towers = nn.ModuleList([Tower(arguments.width), Tower(arguments.width)]).to(memory_format=layout)
    shape = (arguments.batch, 3, arguments.frames, arguments.size, arguments.size)
    video = torch.rand(shape).contiguous(memory_format=layout)
    audio = torch.rand(shape[:2] + (1 if tuned else arguments.frames,) + shape[3:])
    audio = audio.contiguous(memory_format=layout)
    parameters = list(towers.parameters())
    optimizer = torch.optim.SGD(parameters, 1e-3, momentum=0.9, weight_decay=5e-4)
    run = [torch.compile(tower) if arguments.mode == "compiled" else tower for tower in towers]

    seconds = []
    for _ in range(arguments.steps + 2):
        begin = time.perf_counter()
        optimizer.zero_grad()
        contrastive(run[0](video), run[1](audio)).backward()
        nn.utils.clip_grad_norm_(parameters, 1)
        optimizer.step()
        seconds.append(time.perf_counter() - begin)
    seconds = seconds[2:]  # the first allocate, and compile
    print(json.dumps({"mode": arguments.mode, "torch": torch.__version__,
                      "best": arguments.batch / min(seconds),
                      "median": arguments.batch / sorted(seconds)[len(seconds) // 2]}))


if __name__ == "__main__":
    main()

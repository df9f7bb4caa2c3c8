"""What scripts/bench.sh runs: see there."""

import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
AVBENCH = ROOT / "build/release/bin/avbench"
PEER = ROOT / "benchmarks/peers/train_step.py"
RESULT = ROOT / "results/bench/step.json"

# batch, frames, size, width; the goals over plain and over tuned.
SHAPES = [
    ((16, 8, 56, 16), 3.2, 1.35),
    ((8, 8, 56, 64), 2.4, 1.4),
    ((4, 16, 112, 64), 2.5, 1.25),
]
ENCODERS = ["r2plus1d", "c3d"]  # beside r3d: with own kernels over LibTorch's, goal 1.25


def run(command, **variables):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          env={**os.environ, **variables})
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return json.loads(done.stdout)


def avbench(shape, encoder="r3d", **variables):
    batch, frames, size, width = shape
    report = run([AVBENCH, "bench", "step", "simclr", "--batch", batch, "--frames", frames, "--size", size,
                  "--width", width, "--encoder", encoder, "--min-time", 2, "--repetitions", 1, "--json"],
                 **variables)
    return next(b for b in report["benchmarks"] if b["name"].startswith("step/simclr"))["clips_per_second"]


def peer(python, mode, shape):
    batch, frames, size, width = shape
    threads = os.environ.get("OMP_NUM_THREADS", str(len(os.sched_getaffinity(0))))
    return run([python, PEER, mode, "--batch", batch, "--frames", frames, "--size", size, "--width", width,
                "--threads", threads])["best"]


def ratio(ours, theirs):
    """Of the best of each, and how far single rounds lie apart."""
    rounds = sorted(a / b for a, b in zip(ours, theirs))
    return {"ratio": max(ours) / max(theirs), "lowest": rounds[0], "highest": rounds[-1]}


def measure(arguments, python):
    contenders = {"own": lambda shape: avbench(shape),
                  "library": lambda shape: avbench(shape, AVBENCH_KERNELS="off")}
    if python:
        for mode in ["plain", "tuned"] + (["compiled"] if arguments.compiled else []):
            contenders[mode] = lambda shape, mode=mode: peer(python, mode, shape)
    shapes = SHAPES[:2] if arguments.quick else SHAPES
    results = []
    for shape, *goals in shapes:
        speeds = {name: [] for name in contenders}
        for _ in range(1 if arguments.quick else 3):  # interleaved: all see the same machine
            for name, contender in contenders.items():
                speeds[name].append(contender(shape))
        goal = dict(zip(["plain", "tuned"], goals))
        for name in list(contenders)[1:]:
            results.append({"name": f"r3d {'x'.join(map(str, shape))} over {name}",
                            **ratio(speeds["own"], speeds[name]), "goal": goal.get(name),
                            "clips_per_second": [max(speeds["own"]), max(speeds[name])]})
    for encoder in [] if arguments.quick else ENCODERS:
        shape = SHAPES[1][0]
        own, library = [], []
        for _ in range(3):
            own.append(avbench(shape, encoder))
            library.append(avbench(shape, encoder, AVBENCH_KERNELS="off"))
        results.append({"name": f"{encoder} {'x'.join(map(str, shape))} over library", **ratio(own, library),
                        "goal": 1.25, "clips_per_second": [max(own), max(library)]})
    return results


def provenance():
    def text(*command):
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT).stdout.strip()
    cpu = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    return {"commit": text("git", "rev-parse", "HEAD"), "clean": not text("git", "status", "--porcelain"),
            "cpu": cpu[0] if cpu else platform.processor(), "processors": len(os.sched_getaffinity(0)),
            "instructions": run([AVBENCH, "doctor", "--kernels", "--width", 8, "--batch", 1, "--json"])["instruction_set"]}


def main():
    parser = argparse.ArgumentParser()
    for flag in ("check", "quick", "compiled"):
        parser.add_argument("--" + flag, action="store_true")
    arguments = parser.parse_args()
    if not AVBENCH.exists():
        sys.exit(f"{AVBENCH} is not there; run scripts/build.sh first")
    python = os.environ.get("PEER_PYTHON")
    results = measure(arguments, python)
    print(f"{'':44} {'ratio':>6} {'rounds':>13} {'goal':>5}  clips/s")
    for r in results:
        goal = f"{r['goal']:.2f}" if r["goal"] else ""
        missed = "" if not r["goal"] or r["ratio"] >= r["goal"] else "  below the goal"
        print(f"{r['name']:44} {r['ratio']:6.2f} {r['lowest']:6.2f}-{r['highest']:.2f} {goal:>5}  "
              f"{r['clips_per_second'][0]:.2f} and {r['clips_per_second'][1]:.2f}{missed}")
    if not python:
        print("PEER_PYTHON is not set: Python PyTorch was not measured.")
    if arguments.check:
        before = {r["name"]: r for r in json.loads(RESULT.read_text())["results"]}
        fallen = [r["name"] for r in results
                  if r["name"] in before and r["highest"] < before[r["name"]]["lowest"]]
        if fallen:
            sys.exit("slower than in results/bench/step.json by more than the spread: " + "; ".join(fallen))
        return
    if not arguments.quick:
        RESULT.parent.mkdir(parents=True, exist_ok=True)
        RESULT.write_text(json.dumps({"provenance": provenance(), "results": results}, indent=1) + "\n")
        print(f"written to {RESULT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Many runs of the nemesis, each with a seed of its own: soak.py [--runs N] [--seconds S] [--faults KIND,...] [--seed FIRST]

Three members of etcd mostly, one in every fourth run. The history of a run that is wrong is kept."""

import argparse
import collections
import json
import pathlib
import subprocess
import sys
import tempfile

NEMESIS = pathlib.Path(__file__).with_name("nemesis.py")
SKIPPED = 77


def members_of(seed):
    return 1 if seed % 4 == 0 else 3


def play(seed, options, directory):
    """One run: what nemesis.py says of it. Its words go to the terminal as they come."""
    result = directory / f"{seed}.json"
    command = [sys.executable, NEMESIS, "--programs", options.programs, "--seed", seed, "--seconds", options.seconds,
               "--members", members_of(seed), "--faults", options.faults, "--keep", directory / str(seed),
               "--result", result]
    try:
        ran = subprocess.run([str(word) for word in command], timeout=options.seconds * 2 + 240, check=False)
    except subprocess.TimeoutExpired:
        print(f"seed {seed}: no end after {options.seconds * 2 + 240:g} s")
        return {"is_right": False, "figures": {}}
    if ran.returncode == SKIPPED:
        sys.exit(SKIPPED)
    if not result.exists():
        return {"is_right": False, "figures": {}}
    told = json.loads(result.read_text(encoding="utf-8"))
    if told["is_right"] and not options.keep:
        subprocess.run(["rm", "-r", str(directory / str(seed))], check=False)
    return told


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", default="build/bin")
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--faults", default="all")
    parser.add_argument("--seed", type=int, default=1, help="of the first run")
    parser.add_argument("--keep", action="store_true", help="also the histories of runs that are right")
    options = parser.parse_args()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="five_soak."))
    wrong, sums, faults, silences = [], collections.Counter(), collections.Counter(), collections.defaultdict(float)
    for seed in range(options.seed, options.seed + options.runs):
        told = play(seed, options, directory)
        if not told["is_right"]:
            wrong.append(seed)
        figures = told["figures"]
        for name in ("said", "acknowledged", "fences"):
            sums[name] += figures.get(name, 0)
        faults.update(figures.get("faults", {}))
        for kind, seconds in figures.get("longest silence", {}).items():
            silences[kind] = max(silences[kind], seconds)
    for kind in sorted(faults):
        print(f"{kind}: {faults[kind]} times, longest silence {silences[kind]} s")
    print(f"Soak: {options.runs} runs, {len(wrong)} wrong" + (f", seeds {wrong}, see {directory}" if wrong else "") +
          f"; said {sums['said']}, acknowledged {sums['acknowledged']}, fences {sums['fences']}")
    if not wrong and not options.keep:
        subprocess.run(["rm", "-r", str(directory)], check=False)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

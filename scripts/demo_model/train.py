"""Trains the demo checkpoint: first to look (a detector over the pictures' tokens), then to talk about what it sees.

    python scripts/demo_model/train.py --work FOLDER

Every batch comes from its step's number and the optimizer's state is saved every few minutes, so an interrupted run goes on
where it was when the command is given again. The log is FOLDER/log.jsonl, a line for each report.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections import defaultdict
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader

import tokenizer as tokens
from batches import NOTHING, Batch, Group, Looks, Talks
from model import Detector, InternVL, Sizes

MEAN = torch.tensor((0.485, 0.456, 0.406)).reshape(3, 1, 1)
STD = torch.tensor((0.229, 0.224, 0.225)).reshape(3, 1, 1)
REPORT, SAVE_SECONDS = 50, 180
AVERAGE = 0.997


def normalized(pixels: Tensor) -> Tensor:
    return (pixels.float() / 255 - MEAN) / STD


def detector_loss(detector: Detector, patches: Tensor, rows: Tensor, batch: Batch) -> tuple[Tensor, dict[str, float]]:
    """The loss; and of the patches that hold a centre, the share each head says right from the language model's rows;
    "found": of all things everything."""
    loss = patches.new_zeros((), dtype=torch.float32)
    centres = batch.truth["centre"] == 1
    there = ~batch.places.isnan()
    shares = {}
    for scores, places in detector(patches, rows):
        found = torch.ones(int(centres.sum()), dtype=torch.bool)
        for name, score in scores.items():
            truth = batch.truth[name]
            loss = loss + F.cross_entropy(score.flatten(0, 1), truth.flatten(), ignore_index=NOTHING)
            right = (score.argmax(-1) == truth)[centres]
            found &= right
            shares[f"look {name}"] = right.float().mean().item()
        loss = loss + 10 * F.mse_loss(places[there], batch.places[there])
        shares["found"] = found.float().mean().item()
    return loss, shares


def may_look(group: Group) -> Tensor:
    """(batch, 1, length, length): back to the trunk and to one's own branch; padding sees itself."""
    branch = group.branch
    mask = (branch[:, None, :] == 0) | (branch[:, None, :] == branch[:, :, None])
    return mask.tril()[:, None]


def talk_loss(model: InternVL, group: Group, seen: Tensor | None) -> tuple[Tensor, int, dict[str, list[bool]]]:
    """The summed loss of what is said, its tokens, and for each kind which dialogs were said without a mistake."""
    embedded = model.embed(group.ids, seen, tokens.IMG_CONTEXT)
    states = model.language_model(embedded, group.positions, may_look(group))
    where = group.targets != NOTHING
    scores = model.language_model.lm_head(states[where]).float()
    truth = group.targets[where]
    loss = F.cross_entropy(scores, truth, reduction="sum")
    wrong = torch.zeros_like(group.ids, dtype=torch.bool)
    wrong[where] = scores.argmax(-1) != truth
    exact = defaultdict(list)
    for row, kinds in enumerate(group.kinds):
        bad = set(group.branch[row][wrong[row]].tolist())
        for index, kind in enumerate(kinds):
            exact[kind].append(index + 1 not in bad)
    return loss, len(truth), exact


def optimizers(model: InternVL) -> list[torch.optim.Optimizer]:
    """Muon for the layers' matrices, AdamW for the rest: embeddings, heads, norms, biases."""
    matrices, others = [], []
    for name, parameter in model.named_parameters():
        layer = ".layers." in name or name.startswith("mlp1.")
        (matrices if layer and parameter.ndim == 2 else others).append(parameter)
    return [
        torch.optim.Muon(matrices, weight_decay=0.05, momentum=0.95, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.0, fused=True),
    ]


class Trainer:
    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.work = Path(options.work)
        self.work.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(options.seed)
        vocabulary = self.work / "tokenizer.model"
        if not vocabulary.exists():
            vocabulary.write_bytes(tokens.train())
        self.tokenizer = tokens.Tokenizer(vocabulary.read_bytes())
        self.sizes = Sizes(vocabulary=tokens.VOCABULARY + len(tokens.ADDED))
        self.model = InternVL(self.sizes)
        if options.compile:
            # Compiled where most of the time goes, once for each shape; the parameters keep their names.
            torch._dynamo.config.automatic_dynamic_shapes = False
            self.model.vision_model.compile()
            self.model.language_model.compile()
        self.optimizers = optimizers(self.model)
        self.average = {name: p.detach().clone() for name, p in self.model.named_parameters()}
        self.done = {"look": 0, "talk": 0}
        self.seconds = 0.0
        self._restore()

    # ---- state ---------------------------------------------------------------------------------------------------------

    def _restore(self) -> None:
        path = self.work / "state.pt"
        if not path.exists():
            return
        state = torch.load(path, weights_only=True)
        self.model.load_state_dict(state["model"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"]):
            optimizer.load_state_dict(saved)
        self.average, self.done, self.seconds = state["average"], state["done"], state["seconds"]
        log = self.work / "log.jsonl"  # without what came after the saved state
        lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
        log.write_text("".join(line for line in lines if self._is_done(json.loads(line))), encoding="utf-8")
        print(f"going on after {self.done}", flush=True)

    def _is_done(self, line: dict) -> bool:
        return line["step"] <= self.done[line["phase"]]

    def _save(self) -> None:
        state = {"model": self.model.state_dict(), "optimizers": [o.state_dict() for o in self.optimizers],
                 "average": self.average, "done": self.done, "seconds": self.seconds}
        torch.save(state, self.work / "state.pt.new")
        os.replace(self.work / "state.pt.new", self.work / "state.pt")

    # ---- steps ---------------------------------------------------------------------------------------------------------

    def _rate(self, phase: str, step: int, steps: int) -> float:
        peak = {"look": self.options.look_rate, "talk": self.options.talk_rate}[phase]
        warm = min(1.0, (step + 1) / 150)
        progress = step / steps
        return peak * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))

    def _update(self, loss: Tensor, rate: float) -> None:
        self.model.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()
        with torch.no_grad():
            names, values = zip(*self.model.named_parameters())
            torch._foreach_lerp_([self.average[name] for name in names], list(values), 1 - AVERAGE)

    def _step(self, phase: str, batch: Batch, rate: float) -> dict[str, list[float]]:
        report: dict[str, list[float]] = defaultdict(list)
        # Once it can see, the vision tower stays as it is: a language model that knows nothing yet would spoil it.
        with torch.autocast("cpu", torch.bfloat16):
            with torch.set_grad_enabled(phase == "look"):
                patches = self.model.vision_model(normalized(batch.pixels))
            if phase == "look":
                loss, shares = detector_loss(self.model.detector, patches, self.model.project(patches), batch)
                for name, share in shares.items():
                    report[name].append(share)
            else:
                loss = self._talk(patches, batch.groups, report)
        self._update(loss, rate)
        report["loss"].append(loss.item())
        return report

    def _talk(self, patches: Tensor, groups: dict[str, Group], report: dict[str, list[float]]) -> Tensor:
        """The mean loss of what is said in all groups."""
        seen = self.model.project(patches)
        total, said, first = 0, 0, 0
        for name, group in groups.items():
            pictures = int((group.ids == tokens.IMG_CONTEXT).sum()) // self.sizes.tokens
            own = seen[first : first + pictures] if pictures else None
            first += pictures
            part, count, exact = talk_loss(self.model, group, own)
            total, said = total + part, said + count
            for kind, right in exact.items():
                report[f"{name}: {kind}"] += right
        return total / said

    def _run(self, phase: str, steps: int, dataset: Looks | Talks) -> None:
        first = self.done[phase]
        if first >= steps:
            return
        loader = DataLoader(dataset, batch_size=None, sampler=range(first, steps), num_workers=self.options.workers,
                            prefetch_factor=4, persistent_workers=True)
        sums: dict[str, list[float]] = defaultdict(list)
        began = saved = time.monotonic()
        with open(self.work / "log.jsonl", "a", encoding="utf-8") as log:
            for step, batch in enumerate(loader, first):
                for name, values in self._step(phase, batch, self._rate(phase, step, steps)).items():
                    sums[name] += values
                self.done[phase] = step + 1
                now = time.monotonic()
                if (step + 1) % REPORT == 0 or step + 1 == steps:
                    self.seconds += now - began
                    began = now
                    line = {"phase": phase, "step": step + 1, "seconds": round(self.seconds)}
                    line |= {name: round(sum(values) / len(values), 4) for name, values in sorted(sums.items())}
                    print(json.dumps(line), file=log, flush=True)
                    print({k: v for k, v in line.items() if ":" not in k}, flush=True)
                    sums.clear()
                    if now - saved > SAVE_SECONDS or step + 1 == steps:
                        self._save()
                        saved = now

    def run(self) -> None:
        self._run("look", self.options.look_steps, Looks(self.options.seed, 128, self.sizes))
        self._run("talk", self.options.talk_steps, Talks(self.options.seed, self.tokenizer, self.sizes))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", required=True, help="the folder of the run: state, log, tokenizer")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--look-steps", type=int, default=3000)
    parser.add_argument("--talk-steps", type=int, default=4400)
    parser.add_argument("--look-rate", type=float, default=2e-3)
    parser.add_argument("--talk-rate", type=float, default=2e-3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=0, help="of PyTorch; 0: as many as processors")
    parser.add_argument("--no-compile", dest="compile", action="store_false")
    options = parser.parse_args()
    torch.set_num_threads(options.threads or os.cpu_count() or 1)
    Trainer(options).run()


if __name__ == "__main__":
    main()

"""lens1000 in torch, eager, as one would write it there: what training speed is compared with.

    python torch_lens.py BATCHES.npz --products V --threads 2 --passes 4      (prints the seconds of each pass)
    python torch_lens.py BATCHES.npz --products V --threads 2 --weights W.npz (prints the losses of each batch)

Run by a Python that has torch, which Larder does not install; it reads batches and imports nothing of Larder. Layers,
sizes, losses and the optimizer's constants are those of `lens1000`; on the same weights and batch the losses are equal
(tests/pipeline/benchmarks/training_speed/test_torch_lens.py).
"""

import argparse
import json
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence

PRODUCT, CUSTOMER, SESSION, BEHAVIOUR, DECODER, FEATURES = 128, 32, 64, 256, 512, 6
END, FIRST_PRODUCT = 2, 3
NEVER = -1e9  # score of padding and of the unknown product
WEEK = 7.0


class Lens1000(nn.Module):
    """Session encoder, behaviour encoder, decoder and heads of Table 1."""

    def __init__(self, n_products: int) -> None:
        super().__init__()
        context = 2 * BEHAVIOUR + CUSTOMER
        self.products = nn.Embedding(n_products, PRODUCT, padding_idx=0)
        self.bias = nn.Parameter(torch.zeros(n_products))
        blocked = torch.zeros(n_products)
        blocked[:END] = NEVER
        self.register_buffer("blocked", blocked, persistent=False)
        self.customers = nn.Embedding(1, CUSTOMER)
        self.session = nn.LSTM(PRODUCT + 1, SESSION, batch_first=True, bidirectional=True)
        self.behaviour = nn.LSTM(2 * SESSION + FEATURES, BEHAVIOUR, batch_first=True, bidirectional=True)
        self.start = nn.Linear(context, 2 * DECODER)
        self.decoder = nn.LSTM(PRODUCT, DECODER, batch_first=True)
        self.readout = nn.Linear(DECODER + context, PRODUCT)
        self.quantity = nn.Linear(DECODER + context + PRODUCT, 1)
        self.size = nn.Linear(context, 1)
        self.gap = nn.Linear(context, 1)

    def forward(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """The weighted loss of a batch."""
        losses = self.losses(batch)
        return losses["content"] + 0.1 * losses["quantity"] + 0.5 * losses["size"] + losses["gap"]

    def losses(self, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Mean losses over the examples of a batch; an example whose next basket has not come counts 0."""
        ids, rows = batch["product_ids"].long(), batch["basket_rows"].long()
        lines = torch.cat([self.products(ids), torch.log1p(batch["quantities"])[..., None]], dim=-1)
        sessions = _state(self.session, lines, (ids != 0).sum(1))
        baskets = functional.pad(torch.cat([sessions, batch["basket_features"]], dim=-1), (0, 0, 1, 0))
        state = _state(self.behaviour, baskets[rows], (rows > 0).sum(1))
        context = torch.cat([state, self.customers(batch["customer_ids"].long())], dim=-1)
        targets = batch["target_products"].long()
        before = functional.pad(targets[:, :-1], (1, 0), value=END)
        hidden, cell = torch.tanh(self.start(context)).chunk(2, dim=-1)
        outputs, _ = self.decoder(self.products(before), (hidden[None].contiguous(), cell[None].contiguous()))
        positions = batch["target_positions"].long()
        example = positions // targets.shape[1]
        outputs = torch.cat([outputs.reshape(-1, DECODER)[positions], context[example]], dim=-1)
        target = targets.reshape(-1)[positions]
        logits = self.readout(outputs) @ self.products.weight.T * PRODUCT**-0.5 + self.bias + self.blocked
        units = batch["target_quantities"].reshape(-1)[positions]
        deviance = _deviance(self.quantity(torch.cat([outputs, self.products(target)], dim=-1)), units)
        observed = batch["target_observed"]
        sizes = (targets >= FIRST_PRODUCT).sum(1).float()
        weeks = functional.softplus(self.gap(context)[:, 0])
        return {
            "content": functional.cross_entropy(logits, target, reduction="sum") / len(targets),
            "quantity": (deviance * (target != END)).sum() / len(targets),
            "size": (_deviance(self.size(context), sizes) * observed).mean(),
            "gap": ((weeks - batch["target_gap_days"] / WEEK) * observed).square().mean(),
        }


def _state(layer: nn.LSTM, inputs: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    packed = pack_padded_sequence(inputs, lengths.cpu(), batch_first=True, enforce_sorted=False)
    _, (hidden, _) = layer(packed)
    return torch.cat([hidden[0], hidden[1]], dim=-1)


def _deviance(log_mean: torch.Tensor, observed: torch.Tensor) -> torch.Tensor:
    """Half the gamma deviance; what is above ten times the predicted mean counts as ten times it."""
    ratio = observed.clamp(min=0.01) / log_mean[:, 0].clamp(-7, 7).exp()
    ratio = ratio / (ratio / ratio.clamp(max=10)).detach()
    return ratio - 1.0 - ratio.log()


def seconds_of_passes(model: Lens1000, batches: list[dict[str, torch.Tensor]], passes: int) -> list[float]:
    """Train on the batches, pass after pass."""
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3, alpha=0.9, eps=1e-7)
    seconds = []
    for _ in range(passes):
        started = time.perf_counter()
        for batch in batches:
            optimizer.zero_grad()
            loss = model(batch)
            loss.backward()
            optimizer.step()
            loss.item()
        seconds.append(time.perf_counter() - started)
    return seconds


def losses_of(
    model: Lens1000, weights: str, batches: list[dict[str, torch.Tensor]]
) -> tuple[list[dict[str, float]], dict[str, float]]:
    """Losses of each batch, and the norm of each weight's gradient in the first, with weights from a file."""
    with np.load(weights) as stored:
        model.load_state_dict({name: torch.from_numpy(stored[name]) for name in stored})
    model(batches[0]).backward()
    norms = {name: float(weight.grad.norm()) for name, weight in model.named_parameters() if weight.grad is not None}
    with torch.no_grad():
        losses = [{name: loss.item() for name, loss in model.losses(batch).items()} for batch in batches]
    return losses, norms


def main() -> None:
    """Train and print how long each pass took, or print the losses of given weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("batches")
    parser.add_argument("--products", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--passes", type=int)
    what.add_argument("--weights")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    with np.load(arguments.batches) as stored:
        numbers = sorted({int(name.partition("/")[0]) for name in stored})
        names = [name.partition("/")[2] for name in stored if name.startswith("0/")]
        batches = [{name: torch.from_numpy(stored[f"{number}/{name}"]) for name in names} for number in numbers]
    model = Lens1000(arguments.products)
    if arguments.weights:
        losses, norms = losses_of(model, arguments.weights, batches)
        print(json.dumps({"losses": losses, "gradient_norms": norms}))
        return
    parameters = sum(parameter.numel() for parameter in model.parameters())
    seconds = seconds_of_passes(model, batches, arguments.passes)
    print(json.dumps({"seconds": seconds, "parameters": parameters, "version": torch.__version__}))


if __name__ == "__main__":
    main()

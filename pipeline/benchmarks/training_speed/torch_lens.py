"""lens1000 in torch, eager, as one would write it there: what training speed is compared with.

    python torch_lens.py BATCHES.npz --products V --threads 2 --passes 4

Run by a Python that has torch, which Larder does not bring; it reads batches and knows nothing else of Larder. Prints
the seconds of each pass over them as JSON. Same layers and sizes, same losses, same optimizer, packed sequences.
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
END = 2


class Lens1000(nn.Module):
    """Session encoder, behaviour encoder, decoder and heads of Table 1."""

    def __init__(self, n_products: int) -> None:
        super().__init__()
        context = 2 * BEHAVIOUR + CUSTOMER
        self.products = nn.Embedding(n_products, PRODUCT, padding_idx=0)
        self.bias = nn.Parameter(torch.zeros(n_products))
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
        """The loss of a batch."""
        ids, rows = batch["product_ids"].long(), batch["basket_rows"].long()
        lines = torch.cat([self.products(ids), torch.log1p(batch["quantities"])[..., None]], dim=-1)
        sessions = _state(self.session, lines, (ids != 0).sum(1))
        baskets = functional.pad(torch.cat([sessions, batch["basket_features"]], dim=-1), (0, 0, 1, 0))
        state = _state(self.behaviour, baskets[rows], (rows > 0).sum(1))
        context = torch.cat([state, self.customers(batch["customer_ids"].long())], dim=-1)
        targets = batch["target_products"].long()
        before = functional.pad(targets[:, :-1], (1, 0), value=END)
        hidden, cell = torch.tanh(self.start(context)).chunk(2, dim=-1)
        written, _ = self.decoder(self.products(before), (hidden[None].contiguous(), cell[None].contiguous()))
        places = batch["target_places"].long()
        of_place = places // targets.shape[1]
        written = torch.cat([written.reshape(-1, DECODER)[places], context[of_place]], dim=-1)
        target = targets.reshape(-1)[places]
        logits = self.readout(written) @ self.products.weight.T * PRODUCT**-0.5 + self.bias
        n = len(targets)
        content = functional.cross_entropy(logits, target, reduction="sum") / n
        means = self.quantity(torch.cat([written, self.products(target)], dim=-1))[:, 0].clamp(-7, 7).exp()
        units = batch["target_quantities"].reshape(-1)[places]
        quantity = (_deviance(means, units) * (target != END)).sum() / n
        size = _deviance(self.size(context)[:, 0].clamp(-7, 7).exp(), (targets > END).sum(1).float()).mean()
        gap = ((self.gap(context)[:, 0] - torch.log1p(batch["target_gap_days"])) ** 2).mean()
        return content + 0.1 * quantity + 0.5 * size + gap


def _state(layer: nn.LSTM, inputs: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    packed = pack_padded_sequence(inputs, lengths.cpu(), batch_first=True, enforce_sorted=False)
    _, (hidden, _) = layer(packed)
    return torch.cat([hidden[0], hidden[1]], dim=-1)


def _deviance(mean: torch.Tensor, observed: torch.Tensor) -> torch.Tensor:
    ratio = observed.clamp(min=0.01) / mean
    return ratio - 1.0 - ratio.log()


def main() -> None:
    """Train on the batches, pass after pass, and tell how long each pass took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("batches")
    parser.add_argument("--products", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--passes", type=int, required=True)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    torch.manual_seed(0)
    with np.load(asked.batches) as stored:
        numbers = sorted({int(name.partition("/")[0]) for name in stored})
        names = [name.partition("/")[2] for name in stored if name.startswith("0/")]
        batches = [{name: torch.from_numpy(stored[f"{number}/{name}"]) for name in names} for number in numbers]
    model = Lens1000(asked.products)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
    seconds = []
    for _ in range(asked.passes):
        started = time.perf_counter()
        for batch in batches:
            optimizer.zero_grad()
            loss = model(batch)
            loss.backward()
            optimizer.step()
            loss.item()
        seconds.append(time.perf_counter() - started)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    print(json.dumps({"seconds": seconds, "parameters": parameters, "version": torch.__version__}))


if __name__ == "__main__":
    main()

"""Sets of character images in one shape, whatever they come from."""

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from jaxtyping import Int, UInt8
from torch import Tensor


@dataclass(frozen=True)
class Images:
    """C characters (the classes) with M instances each.

    name: "Omniglot" or "Glyphs"; pixels: uint8 [C, M, H, W], 0 paper, 255 ink;
    alphabets: names; alphabet: [C], index into alphabets; characters: C names;
    labels: further labels by name, [C] for a class or [C, M] for an instance (int64);
    label_names: what the values of each of `labels` mean;
    held_out: [C] bool, the classes of the alphabets that the "alphabets" split keeps for testing.
    """

    name: str
    pixels: UInt8[Tensor, "cls instance height width"]
    alphabets: tuple[str, ...]
    alphabet: Int[Tensor, " cls"]
    characters: tuple[str, ...]
    held_out: Tensor
    labels: dict[str, Tensor] = field(default_factory=dict)
    label_names: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.pixels)

    def select(self, index) -> "Images":
        """The classes at `index` (an int64 or bool tensor [C]), with all their labels."""
        index = torch.arange(len(self))[index]
        return replace(
            self,
            pixels=self.pixels[index],
            alphabet=self.alphabet[index],
            characters=tuple(self.characters[i] for i in index.tolist()),
            held_out=self.held_out[index],
            labels={name: values[index] for name, values in self.labels.items()},
        )


def split(images: Images, kind: str = "random", seed: int = 0) -> tuple[Images, Images]:
    """Meta-train and meta-test classes.

    "random": 1200/1623 of the classes at random for training, the split of Vinyals et al. (2016) and MAML;
    "alphabets": whole alphabets are held out (Omniglot's own background and evaluation sets).
    """
    if kind == "random":
        order = torch.from_numpy(np.random.RandomState(seed).permutation(len(images)))
        n_train = len(images) * 1200 // 1623
        return images.select(order[:n_train]), images.select(order[n_train:])
    if kind == "alphabets":
        return images.select(~images.held_out), images.select(images.held_out)
    raise ValueError(f"kind is 'random' or 'alphabets', found {kind!r}")


def with_rotations(pixels: UInt8[Tensor, "cls instance height width"]) -> UInt8[Tensor, "cls4 instance height width"]:
    """Four times as many classes: each character turned by 0, 90, 180 and 270 degrees (Santoro et al., 2016)."""
    return torch.cat([torch.rot90(pixels, k, (2, 3)) for k in range(4)])


def few_shot_images() -> Images:
    """Omniglot if it is on this machine, else Glyphs, which every machine can draw. Never downloads."""
    from utils.tasks import glyphs, omniglot

    return omniglot.load() if omniglot.available() else glyphs.load()

"""How sure is a mean? The 95% interval that every number of the course carries."""

import torch
from jaxtyping import Float
from torch import Tensor

# 97.5% points of Student's t with 1, 2, ..., 29 degrees of freedom; from 30 on the normal distribution's point serves.
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
           2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045)
NORMAL = 1.960


def mean_interval(values, dim: int = 0) -> tuple[Float[Tensor, "..."], Float[Tensor, "..."]]:
    """Mean over independent runs or episodes, and half the width of its 95% interval (Student's t).

    values: tensor, array or list, runs along `dim`. With three seeds the half width is 2.5 standard deviations:
    three runs say little, and the interval says so. Raises ValueError for fewer than two values.
    """
    values = torch.as_tensor(values)
    values = values if values.is_floating_point() else values.float()
    count = values.shape[dim]
    if count < 2:
        raise ValueError(f"an interval needs at least two independent values, found {count}")
    point = STUDENT[count - 2] if count - 2 < len(STUDENT) else NORMAL
    return values.mean(dim), point * values.std(dim) / count**0.5

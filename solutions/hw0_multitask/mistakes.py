"""Homework 0's usual misconceptions: a wrong version of each function, and what to tell its author.

Not for students. A message must hold for every way of writing code with these outputs, name what was
misunderstood, and say where to look without giving the line away.
"""

import torch

from utils.grading import Mistake

# The right pieces, of which each mistake gets one wrong.


def _heads(features, V, c, task):
    return torch.einsum("nh,nhc->nc", features, V[task]) + c[task]


def _trunk(W, b, x):
    return (x @ W + b).relu()


def _forward(trunk=_trunk, head_of=lambda task, V: task):
    return lambda W, b, V, c, x, task: _heads(trunk(W, b, x), V, c, head_of(task, V))


def _by_task(W, b, V, c, x, task):
    return torch.cat([_trunk(W, b, x[task == t]) @ V[t] + c[t] for t in range(len(V))])


def _grid_of_means(losses, task, weights):
    """The mean loss of each task [T], 0 for those without a row."""
    zeros = torch.zeros(len(weights))
    return zeros.index_add(0, task, losses) / zeros.index_add(0, task, torch.ones_like(losses)).clamp(min=1)


def _weighted(losses, task, weights):
    return (weights * _grid_of_means(losses, task, weights)).sum()


def _present(task, weights):
    return torch.stack([(task == t).any() for t in range(len(weights))])


def _uncertain(factor=lambda s: torch.exp(-s), half=lambda r: torch.where(r, 0.5, 1.0), price=lambda s: s / 2):
    return lambda losses, s, r: (half(r) * factor(s) * losses + price(s)).sum()


# gradnorm_step(w, norms, losses, first_losses, alpha, rate)


def _relative_rates(losses, first):
    return (losses / first) / (losses / first).mean()


def _target(w, norms, losses, first, alpha):
    return (w * norms).mean() * _relative_rates(losses, first) ** alpha


def _to_sum(w, total=None):
    return w * (total or len(w)) / w.sum()


def _gradnorm(target=_target, slope=lambda difference, n: difference.sign() * n, floor=1e-3, finish=_to_sum):
    def gradnorm_step(w, norms, losses, first, alpha, rate):
        goal = target(w, norms, losses, first, alpha)
        moved = w - rate * slope(w * norms - goal, norms)
        return finish(moved.clamp(min=floor)), goal
    return gradnorm_step


def _moving_target(w, norms, losses, first, alpha, rate):
    w = w.clone().requires_grad_()
    goal = _target(w, norms, losses, first, alpha)
    (slope,) = torch.autograd.grad((w * norms - goal).abs().sum(), [w])
    return _to_sum((w - rate * slope).detach().clamp(min=1e-3)), goal.detach()


def _unweighted(w, norms, losses, first, alpha, rate):
    goal = norms.mean() * _relative_rates(losses, first) ** alpha
    return _to_sum((w - rate * (norms - goal).sign() * norms).clamp(min=1e-3)), goal


# pcgrad(G, order)


def _pcgrad(share=lambda inner, mine, other: inner / (other @ other), when=lambda inner: inner < 0,
            partners=lambda row: row, combine=lambda rows: rows.sum(0)):
    """PCGrad that subtracts share(inner, mine, other) * other where when(inner)."""
    def pcgrad(G, order):
        rows = []
        for i in range(len(G)):
            mine = G[i].clone()
            for j in partners(order[i]):
                inner = mine @ G[j]
                if when(inner):
                    mine = mine - share(inner, mine, G[j]) * G[j]
            rows.append(mine)
        return combine(torch.stack(rows))
    return pcgrad


def _all_at_once(G, order):
    gram = G @ G.T
    return (G - (gram.clamp(max=0) / gram.diagonal()) @ G).sum(0)


def _projected_partners(G, order, overwrite=False):
    rows = G if overwrite else G.clone()
    for i in range(len(rows)):
        for j in order[i]:
            inner = rows[i] @ rows[j]
            if inner < 0:
                rows[i] -= inner / (rows[j] @ rows[j]) * rows[j]
    return rows.sum(0)


def _drop_conflicting(G, order):
    return (G * ((G @ G.T) >= 0).all(1, keepdim=True)).sum(0)


# mgda_two_tasks(g1, g2) and what is built on it


def _unclipped(g1, g2):
    difference = g1 - g2
    return torch.nan_to_num(-(difference @ g2) / (difference @ difference), nan=0.5)


def _mgda(g1, g2):
    return _unclipped(g1, g2).clamp(0, 1)


def _safe(alpha):
    """A version that may be wrong, but never NaN."""
    return lambda g1, g2: torch.nan_to_num(torch.as_tensor(alpha(g1, g2)), nan=0.5)


def _between(G, alpha):
    return alpha * G[0] + (1 - alpha) * G[1]


def _shortest(G):
    return _between(G, _mgda(*G)).norm()


# cagrad(G, c)


def _search(G, c, terms=(1, 1), best=torch.argmin):
    """The weight of G[0] that is best for terms[0] * g_w.g_0 + terms[1] * c |g_0| |g_w| on a grid."""
    w = torch.linspace(0, 1, 10_001, dtype=G.dtype)[:, None]
    mixed, g0 = w * G[0] + (1 - w) * G[1], G.mean(0)
    return w[best(terms[0] * mixed @ g0 + terms[1] * c * g0.norm() * mixed.norm(dim=1)), 0]


def _cagrad(weight=_search, start=lambda G: G.mean(0), radius=lambda g0, c: c * g0.norm(),
            direction=lambda g: g / g.norm().clamp(min=1e-12)):
    def cagrad(G, c):
        return start(G) + radius(G.mean(0), c) * direction(_between(G, weight(G, c)))
    return cagrad


def _sum_for_mean(G, c):
    g0, half = G.sum(0), _cagrad()(G, c) - G.mean(0)
    return g0 + 2 * half


# pareto_stationary(G, tol)


def _longest(G):
    return G.norm(dim=1).max()


def _cosine(G):
    return G[0] @ G[1] / (G[0].norm() * G[1].norm())


# train_together(theta, loss, batches, weights, opt)


def _train(one_step):
    """A loop over the batches whose body is one_step(losses, weights, opt); losses: functions without arguments."""
    def train_together(theta, loss, batches, weights, opt):
        opt.zero_grad()
        for batch in batches:
            losses = [lambda x=x, y=y, t=t: loss(theta, x, y, t) for t, (x, y) in enumerate(batch)]
            one_step(losses, weights, opt)
        return theta
    return train_together


def _zero_each_task(losses, weights, opt):
    for w, loss in zip(weights, losses, strict=True):
        opt.zero_grad()
        (w * loss()).backward()
    opt.step()


def _step_each_task(losses, weights, opt):
    for w, loss in zip(weights, losses, strict=True):
        opt.zero_grad()
        (w * loss()).backward()
        opt.step()


def _step_without_zero(losses, weights, opt):
    opt.zero_grad()
    for w, loss in zip(weights, losses, strict=True):
        (w * loss()).backward()
        opt.step()


def _on(combine, zero=True, step=True):
    """One step on combine(losses, weights), a scalar."""
    def one_step(losses, weights, opt):
        if zero:
            opt.zero_grad()
        combine(torch.stack([loss() for loss in losses]), weights).backward()
        if not step:
            opt.zero_grad()
        opt.step()
    return one_step


def _first_batch_only(theta, loss, batches, weights, opt):
    return _train(_on(_dot))(theta, loss, batches[:1], weights, opt)


def _dot(losses, weights):
    return losses @ weights


DETACHED = ("The value is right, but no gradient comes back from it, so nothing can be trained. Stay with torch "
            "operations on the tensors that you were given: no .item(), detach or no_grad.")
SWAPPED = ("The weights of the two tasks are exchanged. Set the weight to 1 and look which of the two gradients you "
           "get: the first one is asked for.")

MISTAKES = {
    "shared_forward": [
        Mistake(_forward(head_of=lambda task, V: torch.zeros_like(task)),
                "Head 0 answers for everybody. Each row belongs to one task, and that task's head answers: "
                "look at what you do with `task`."),
        Mistake(lambda W, b, V, c, x, task: _trunk(W, b, x) @ V.mean(0) + c.mean(0),
                "You average the heads. Only the trunk is shared; a row is answered by the head of its own task."),
        Mistake(lambda W, b, V, c, x, task: _trunk(W, b, x) @ V.sum(0) + c.sum(0),
                "You add the answers of all heads. A row is answered by the head of its own task alone."),
        Mistake(_forward(head_of=lambda task, V: torch.arange(len(task)) % len(V)),
                "You take the heads in turn, as if row 0 belonged to task 0, row 1 to task 1, and so on. A row's "
                "place in the batch is not its task."),
        Mistake(_forward(head_of=lambda task, V: task - 1),
                "Every row gets the head of the task before its own. Tasks count from 0, as Python does."),
        Mistake(_by_task, "All answers are right, but they come out grouped by task. Row n of the result must "
                          "answer row n of x: put each answer back in its place.", credit=0.5),
        Mistake(_forward(lambda W, b, x: x @ W + b),
                "The trunk has no ReLU. Without it, trunk and head are one matrix, and a hidden layer adds nothing."),
        Mistake(_forward(lambda W, b, x: (x @ W).relu()), "The bias of the trunk is missing."),
        Mistake(_forward(lambda W, b, x: (x @ W).relu() + b),
                "The bias of the trunk comes after the ReLU. It belongs inside: it decides where a unit switches on."),
        Mistake(lambda W, b, V, c, x, task: _heads(_trunk(W, b, x), V, 0 * c, task),
                "The biases of the heads are missing."),
        Mistake(lambda *a: _forward()(*a).relu(),
                "The outputs pass through a ReLU too. They are logits and may be negative."),
        Mistake(lambda *a: _forward()(*a).softmax(-1),
                "These are probabilities. The heads give logits; the loss applies the softmax itself."),
        Mistake(_forward(lambda W, b, x: _trunk(W, b, x).detach()),
                "The outputs are right, but no gradient reaches the trunk, so the tasks would share random "
                "features. Look for a detach or a no_grad."),
        Mistake(lambda *a: _forward()(*a).detach(), DETACHED),
    ],
    "weighted_loss": [
        Mistake(lambda losses, task, w: (w[task] * losses).mean(),
                "You average over all rows, so a task with more rows counts more. Average within each task first; "
                "how much a task counts is what the weight says."),
        Mistake(lambda losses, task, w: (w[task] * losses).sum(),
                "You add up the rows of a task, so its loss grows with its rows. Take their mean."),
        Mistake(lambda losses, task, w: (w[task] * losses).sum() / w[task].sum(),
                "This is a weighted mean over rows: tasks with more rows count more. Average within each task, "
                "then weigh the tasks."),
        Mistake(lambda losses, task, w: _weighted(losses, task, w) / len(w),
                "You divide by the number of tasks. The weights are given; they add up to what they add up to."),
        Mistake(lambda losses, task, w: _weighted(losses, task, w) / w.sum(),
                "You divide by the sum of the weights. Doubling all weights should double the loss, as a larger "
                "learning rate would."),
        Mistake(lambda losses, task, w: _weighted(losses, task, w) / w[_present(task, w)].sum(),
                "You divide by the weights of the tasks that are present, so a task counts more when another one is "
                "absent. An absent task adds 0, and the others stay as they are."),
        Mistake(lambda losses, task, w: _weighted(losses, task, w) * len(w) / _present(task, w).sum(),
                "You scale the loss up to make good for absent tasks. An absent task adds 0, and the others stay as "
                "they are.", credit=0.5),
        Mistake(lambda losses, task, w: _grid_of_means(losses, task, w).sum(),
                "The weights have no effect."),
        Mistake(lambda losses, task, w: _weighted(losses, task, w.softmax(0)),
                "You apply a softmax to the weights. They are given as they are."),
        Mistake(lambda losses, task, w: sum(w[t] * losses[task == t].mean() for t in range(len(w))),
                "Right, until a task has no row in the batch: the mean of nothing is NaN, and one NaN ruins every "
                "parameter. Such a task adds 0.", credit=0.5),
        Mistake(lambda *a: _weighted(*a).detach(), DETACHED),
    ],
    "uncertainty_weights": [
        Mistake(_uncertain(price=lambda s: 0),
                "There is no price for a large variance: with nothing against it, every log_var grows, every weight "
                "goes to 0, and the loss with it. Look at the term that contains no loss."),
        Mistake(_uncertain(lambda s: torch.exp(-2 * s), price=lambda s: s),
                "You read log_var as log sigma. It is log sigma^2, so exp(-log_var) is 1 / sigma^2 already."),
        Mistake(_uncertain(lambda s: torch.exp(-s / 2)),
                "You weigh by 1 / sigma. The likelihood of a Gaussian has 1 / sigma^2, and log_var is log sigma^2."),
        Mistake(_uncertain(lambda s: torch.exp(s)),
                "A noisy task gets *more* weight here. Look at the sign in the exponential."),
        Mistake(_uncertain(half=lambda r: 0.5),
                "Every loss is halved. The 1/2 comes from the Gaussian, so it belongs to regression alone."),
        Mistake(_uncertain(half=lambda r: 1.0),
                "No loss is halved. The Gaussian likelihood of a regression has a factor of 1/2."),
        Mistake(_uncertain(half=lambda r: torch.where(r, 1.0, 0.5)),
                "You halve classification and leave regression whole. Which of the two comes from a Gaussian?"),
        Mistake(_uncertain(price=lambda s: s),
                "The price is twice too high. It is log sigma, and log_var is the logarithm of its *square*."),
        Mistake(_uncertain(price=lambda s: s.exp() / 2),
                "You add sigma^2 / 2. The price is the logarithm of sigma."),
        Mistake(_uncertain(lambda s: 1 / s, price=lambda s: s.log() / 2),
                "You read log_var as the variance itself. Where it is negative, as a logarithm may be, its "
                "logarithm is NaN."),
        Mistake(lambda losses, s, r: _uncertain()(losses, s, r) / len(s),
                "You average over tasks. The logarithms of the likelihoods are added."),
        Mistake(lambda losses, s, r: _uncertain(lambda s: torch.exp(-s).detach())(losses, s, r),
                "The value is right, but log_var does not feel the losses: the weights are cut from the graph, and "
                "every log_var would fall without end. Look for a detach or a no_grad."),
        Mistake(lambda losses, s, r: _uncertain()(losses, s.detach(), r),
                "The value is right, but no gradient reaches log_var, so the weights would never be learned."),
        Mistake(lambda losses, s, r: _uncertain()(losses.detach(), s, r),
                "The value is right, but no gradient reaches the losses, so the network would never be trained."),
        Mistake(lambda *a: _uncertain()(*a).detach(), DETACHED),
    ],
    "gradnorm_step": [
        Mistake(_moving_target, "The target moves with w: you differentiate through it. It is a constant in this "
                                "step; only the weighted norm in |G - target| depends on w."),
        Mistake(_gradnorm(lambda w, n, losses, first, a: (w * n).mean() * (losses / losses.mean()) ** a),
                "You compare raw losses. A rate is a loss relative to that task's *first* loss; otherwise the units "
                "decide which task looks slow."),
        Mistake(_gradnorm(lambda w, n, losses, first, a: (w * n).mean() * (losses / first) ** a),
                "The rates are not divided by their mean. Only a task's rate relative to the others says "
                "whether it is behind."),
        Mistake(_gradnorm(lambda w, n, losses, first, a: _target(w, n, first, losses, a)),
                "The rate is upside down. A task whose loss has hardly fallen is behind and must get *more*."),
        Mistake(_gradnorm(lambda w, n, losses, first, a: (w * n).mean() * _relative_rates(losses, first) * a),
                "alpha multiplies the rate. It is an exponent: alpha = 0 asks for equal norms."),
        Mistake(_gradnorm(lambda w, n, losses, first, a: _relative_rates(losses, first) ** a),
                "The target has no size: the mean of the weighted norms is missing."),
        Mistake(_gradnorm(lambda w, n, losses, first, a: w * n * _relative_rates(losses, first) ** a),
                "Each task is compared with its own norm. The target starts from the *mean* of the weighted norms, one "
                "number for all tasks."),
        Mistake(_unweighted, "You balance the norms of the unweighted gradients, which w cannot change. "
                             "The norm of a task's share in the update is w times its norm."),
        Mistake(_gradnorm(lambda w, n, losses, first, a: n.mean() * _relative_rates(losses, first) ** a),
                "Your target is made of unweighted norms. Both sides of |G - target| speak of the weighted ones."),
        Mistake(_gradnorm(finish=lambda w: w),
                "The new weights are not scaled back to sum T, so the step also changes the learning rate of the "
                "whole network."),
        Mistake(_gradnorm(finish=lambda w: w / w.sum()),
                "The new weights sum to 1. They should sum to the number of tasks, so that all equal means all 1."),
        Mistake(_gradnorm(finish=lambda w: len(w) * w.softmax(0)),
                "You normalise with a softmax, which changes the ratios of the weights. Divide by their sum."),
        Mistake(_gradnorm(floor=-torch.inf),
                "A weight falls below zero, which would *raise* that task's loss. Keep every weight at 0.001 or more "
                "before you scale.", credit=0.5),
        Mistake(_gradnorm(slope=lambda difference, n: difference * n),
                "This is the slope of a squared difference. GradNorm minimises the absolute one; only its "
                "sign is left."),
        Mistake(_gradnorm(slope=lambda difference, n: difference.sign()),
                "You step by the sign alone. The weighted norm is w times n, so a factor is left when it "
                "is differentiated by w."),
        Mistake(_gradnorm(slope=lambda difference, n: -difference.sign() * n),
                "You step up the slope: weights of gradients that are too long grow. Look at the sign."),
    ],
    "pcgrad": [
        Mistake(_projected_partners,
                "You project onto partners that were projected before. Conflicts are resolved against the raw "
                "gradients; keep them apart from the ones that you change."),
        Mistake(lambda G, order: _projected_partners(G, order, overwrite=True),
                "You write into G, and later tasks meet partners that have changed already. `G[i]` is a "
                "window into G, not a copy."),
        Mistake(_all_at_once, "You test and project the untouched gradient against every partner. The projections "
                              "follow one another: what earlier ones left is tested next."),
        Mistake(_pcgrad(when=lambda inner: True),
                "You project always. A gradient that agrees with its partner is left alone."),
        Mistake(_pcgrad(when=lambda inner: inner > 0),
                "You project where gradients agree. A conflict is a negative inner product."),
        Mistake(_pcgrad(lambda inner, mine, other: inner / other.norm()),
                "You divide by the partner's norm. The part along g_j is (g.g_j / |g_j|^2) g_j: check "
                "that the result is orthogonal to g_j."),
        Mistake(_pcgrad(lambda inner, mine, other: inner / (mine @ mine)),
                "You divide by the length of the gradient that is projected. The length of the partner, which it is "
                "projected onto, belongs there."),
        Mistake(_pcgrad(lambda inner, mine, other: inner),
                "You subtract the inner product times the partner, as if the partner had length 1."),
        Mistake(_pcgrad(lambda inner, mine, other: -inner / (other @ other)),
                "You add the projection, so the conflict doubles. It is to be removed."),
        Mistake(_pcgrad(partners=lambda row: row[:1]),
                "Each gradient meets only its first partner. All the others follow, in the order given."),
        Mistake(_pcgrad(partners=lambda row: row.sort().values),
                "You take the partners from 0 upwards. The order is given, since the result depends on it (the "
                "method draws it anew in every step)."),
        Mistake(_pcgrad(combine=lambda rows: rows.mean(0)),
                "You average the projected gradients. They are added here; the difference is a learning rate.",
                credit=0.5),
        Mistake(_pcgrad(combine=lambda rows: rows),
                "You return one gradient for each task. The network takes one step: add them."),
        Mistake(_drop_conflicting, "You drop a gradient that conflicts with another one. Only its conflicting part is "
                                   "removed."),
        Mistake(lambda G, order: G.sum(0), "This is the plain sum: no conflict was found. Look at the test, and at "
                                           "whether its result is kept."),
    ],
    "mgda_two_tasks": [
        Mistake(_unclipped, "Your weight can leave [0, 1]. There one task would be *climbed*: the point lies on the "
                            "line through both gradients, but outside the hull."),
        Mistake(lambda g1, g2: 1 - _mgda(g1, g2), SWAPPED),
        Mistake(lambda g1, g2: 0.5,
                "Your weight is always 1/2: the mean, or the shortest vector after both were brought to length 1. MGDA "
                "sees lengths and angles as they are; the shorter gradient gets the larger weight."),
        Mistake(lambda g1, g2: g2.norm() / (g1.norm() + g2.norm()),
                "This makes the same *projection* onto both unit gradients, which is IMTL-G. MGDA seeks the shortest "
                "vector."),
        Mistake(lambda g1, g2: g1.norm() / (g1.norm() + g2.norm()),
                "The longer gradient gets the larger weight. The shortest vector between two gradients lies nearer to "
                "the shorter one, and its direction matters too."),
        Mistake(lambda g1, g2: (-((g1 - g2) @ g2) / ((g1 - g2) @ (g1 - g2))).clamp(0, 1),
                "Right, but for equal gradients it is 0 / 0. There every weight is right, and NaN is the only wrong "
                "answer.", credit=0.5),
        Mistake(_safe(lambda g1, g2: (-((g1 - g2) @ g2) / (g1 @ g1 + g2 @ g2)).clamp(0, 1)),
                "The denominator misses the inner product of the two. It is the squared length of the whole "
                "difference."),
        Mistake(_safe(lambda g1, g2: (-((g1 - g2) @ g2) / (g1 - g2).norm()).clamp(0, 1)),
                "You divide by the length of the difference. It belongs there squared."),
        Mistake(_safe(lambda g1, g2: (((g1 - g2) @ g2) / ((g1 - g2) @ (g1 - g2))).clamp(0, 1)),
                "The numerator has the wrong sign. Set the derivative of |alpha g1 + (1 - alpha) g2|^2 to zero again."),
        Mistake(lambda g1, g2: _mgda(g1, g2) if g1 @ g2 < 0 else torch.tensor(0.5),
                "You only look for the shortest vector when the gradients conflict. MGDA always takes it, also where "
                "both agree."),
        Mistake(lambda g1, g2: _mgda(g1, g2).round(),
                "You choose between the two ends. The shortest vector mostly lies between them."),
    ],
    "cagrad": [
        Mistake(_cagrad(radius=lambda g0, c: c),
                "Your ball has radius c. Its radius grows with the mean gradient: c |g_0|."),
        Mistake(_cagrad(radius=lambda g0, c: c**2 * (g0 @ g0)),
                "Your ball has radius c^2 |g_0|^2. That is phi; its root is the radius."),
        Mistake(_cagrad(direction=lambda g: g),
                "g_w is not brought to length 1. It gives only the direction in which to leave the mean; "
                "the radius says how far."),
        Mistake(_cagrad(lambda G, c: _mgda(*G)),
                "You take the shortest vector of the hull as g_w. That is MGDA's; here the objective has a second "
                "term, the inner product with the mean."),
        Mistake(_cagrad(lambda G, c: _search(G, c, terms=(1, 0))),
                "You minimise the inner product with the mean alone. The length of g_w is a part of the objective."),
        Mistake(_cagrad(lambda G, c: _search(G, c, best=torch.argmax)),
                "You maximise over w. w finds the *worst* mixture of the tasks, which is then improved."),
        Mistake(_cagrad(lambda G, c: 1 - _search(G, c)), SWAPPED),
        Mistake(_cagrad(lambda G, c: torch.tensor(0.5)),
                "Your update is the mean gradient, scaled. A step along the mean helps the worst task no more than "
                "before: w has to be searched for."),
        Mistake(lambda G, c: _between(G, _search(G, c)),
                "You return g_w. It tells where to lean; the update is the mean gradient plus a step that way."),
        Mistake(_cagrad(start=lambda G: 0),
                "You return the step away from the mean. The ball is centred at g_0, not at 0."),
        Mistake(_sum_for_mean, "Your g_0 is the sum. It is the mean of the two gradients.", credit=0.5),
        Mistake(lambda G, c: _cagrad()(G, c * c),
                "You use c^2 for c. With phi = c^2 |g_0|^2 it is the root of phi that counts."),
        Mistake(_cagrad(radius=lambda g0, c: -c * g0.norm()),
                "You step away from g_w. The update leans towards the task that is worst off."),
        Mistake(lambda G, c: _cagrad()(G, c) / (1 + c**2),
                "The direction is right; the update is divided by 1 + c^2, a rescaling that some programs apply. "
                "Here d itself is asked for.", credit=0.5),
        Mistake(lambda G, c: G.mean(0), "This is the mean gradient, the centre of the ball. What is the best point "
                                        "*in* the ball for the worse of the two tasks?"),
    ],
    "pareto_stationary": [
        Mistake(lambda G, tol: G.mean(0).norm() <= tol * _longest(G),
                "You ask whether the *mean* gradient vanishes. Any mixture may be the one that cancels, and opposite "
                "gradients of unequal length need another."),
        Mistake(lambda G, tol: (G.norm(dim=1) <= tol * _longest(G)).all(),
                "You ask whether each gradient vanishes. On the Pareto front neither has to: they pull against each "
                "other."),
        Mistake(lambda G, tol: G.norm(dim=1).min() <= tol * _longest(G),
                "You ask whether some gradient vanishes. That is one way; two gradients that pull against each "
                "other are another."),
        Mistake(lambda G, tol: G[0] @ G[1] < 0,
                "You ask for a conflict. At 150 degrees both losses can still fall; at 180 they cannot. And a task "
                "with no gradient left conflicts with nobody."),
        Mistake(lambda G, tol: _cosine(G) <= -1 + tol,
                "You look at the angle alone. A point is stationary too when one of the gradients has vanished, and "
                "nearly opposite is not yet a short mixture."),
        Mistake(lambda G, tol: _between(G, _unclipped(*G)).norm() <= tol * _longest(G),
                "One of your weights can be negative, so parallel gradients seem to cancel. The weights lie in "
                "[0, 1]."),
        Mistake(lambda G, tol: _shortest(G) <= tol,
                "You compare with tol itself, so the unit of the losses decides. Compare with tol times the longer "
                "gradient."),
        Mistake(lambda G, tol: _shortest(G) <= tol * G.norm(dim=1).min(),
                "You compare with the shorter gradient. When it has nearly vanished, nothing is small beside it."),
        Mistake(lambda G, tol: _shortest(G) > tol * _longest(G),
                "Your answer is the opposite: True where both losses can still fall."),
        Mistake(lambda G, tol: bool(G[0] @ G[1] < 0) or bool(G.norm(dim=1).min() <= tol * _longest(G)),
                "You take every conflict for a stationary point. At 150 degrees there is a direction in which both "
                "losses fall."),
    ],
    "train_together": [
        Mistake(_train(_zero_each_task),
                "Not repaired yet: only the last task's gradient reaches the step. Follow one number: what is in "
                ".grad just before opt.step(), and which tasks have written there?"),
        Mistake(_train(_on(_dot, zero=False)),
                "The gradients of earlier steps are still there: each backward adds to what it finds, and nobody "
                "clears it between two steps."),
        Mistake(_train(_step_each_task),
                "You step after each task, so the second task sees a network that the first one has changed. "
                "One batch, one step."),
        Mistake(_train(_step_without_zero),
                "You step after each task, and the gradients of the tasks before it are applied again. One batch, one "
                "step."),
        Mistake(_train(_on(lambda losses, w: losses @ w / len(w))),
                "You average the weighted losses. The weights are given: the objective is the sum."),
        Mistake(_train(_on(lambda losses, w: losses @ w / w.sum())),
                "You divide by the sum of the weights. They are given as they are."),
        Mistake(_train(_on(lambda losses, w: losses.sum())),
                "The weights are gone: every task counts the same. The bug was elsewhere."),
        Mistake(_train(_on(lambda losses, w: losses.mean())),
                "The weights are gone, and the losses are averaged. The objective is the weighted sum."),
        Mistake(_train(_on(lambda losses, w: losses[0] * w[0])),
                "Only the first task is learned. Look at what leaves your loop too early."),
        Mistake(_train(_on(_dot, step=False)),
                "Nothing has moved: the gradients are cleared, or never made, before the step can use them."),
        Mistake(_first_batch_only, "You stop after the first batch. Look at how far `return` is indented."),
    ],
}

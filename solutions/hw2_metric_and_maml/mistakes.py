"""Homework 2's usual misconceptions: a wrong version of each function, and what to tell its author.

Not for students. A message must hold for every way of writing code with these outputs, name what was
misunderstood, and say where to look without giving the line away.
"""

import torch
import torch.nn.functional as F
from torch.autograd import grad

from utils.grading import Mistake

# The right pieces, of which each mistake gets one wrong.


def _members(y, way):
    return F.one_hot(y, way).float()


def _means(z, y, way):
    return _members(y, way).T @ z / _members(y, way).sum(0)[:, None]


def _squares(query, prototypes):
    return (query[:, None] - prototypes).pow(2).sum(-1)


def _step(loss, theta, x, y, lr, second=True):
    gradients = grad(loss(theta, x, y), theta.values(), create_graph=second)
    return {name: p - lr * g for (name, p), g in zip(theta.items(), gradients, strict=True)}


def _adapt(loss, theta, x, y, lr, steps, second=True):
    for _ in range(steps):
        theta = _step(loss, theta, x, y, lr, second)
    return theta


def _tasks(support, query):
    return list(zip(*support, *query, strict=True))


def _detached(theta):
    return {name: p.detach().requires_grad_() for name, p in theta.items()}


def _with(theta, change):
    """theta with each tensor replaced by change(name, tensor)."""
    return {name: change(name, p) for name, p in theta.items()}


# prototypes(z, y, way)


def _running_average(z, y, way):
    found = [torch.zeros(z.shape[1])] * way
    for embedding, label in zip(z, y.tolist(), strict=True):
        found[label] = (found[label] + embedding) / 2
    return torch.stack(found)


def _last_index_wins(z, y, way):
    last = torch.stack([z[y == k][-1] for k in range(way)])
    return last / _members(y, way).sum(0)[:, None]


# proto_loss(z_support, y_support, z_query, y_query, way)


def _proto_loss(logits=lambda q, c: -_squares(q, c), rule=F.cross_entropy, means=_means):
    return lambda zs, ys, zq, yq, way: rule(logits(zq, means(zs, ys, way)), yq)


def _on_support(zs, ys, zq, yq, way):
    return F.cross_entropy(-_squares(zs, _means(zs, ys, way)), ys)


def _queries_in_prototypes(zs, ys, zq, yq, way):
    return F.cross_entropy(-_squares(zq, _means(torch.cat([zs, zq]), torch.cat([ys, yq]), way)), yq)


def _own(values, y):
    return values.gather(1, y[:, None])


# inner_step(loss, theta, support, lr)


def _inner(change):
    """An inner step whose new value of each parameter is change(name, parameter, gradient, lr)."""
    def inner_step(loss, theta, support, lr):
        gradients = dict(zip(theta, grad(loss(theta, *support), theta.values(), create_graph=True), strict=True))
        return _with(theta, lambda name, p: change(name, p, gradients[name], lr))
    return inner_step


def _unit_length(loss, theta, support, lr):
    gradients = grad(loss(theta, *support), theta.values(), create_graph=True)
    length = sum(g.pow(2).sum() for g in gradients).sqrt()
    return {name: p - lr * g / length for (name, p), g in zip(theta.items(), gradients, strict=True)}


def _overwrite(theta, phi):
    theta.update(phi)
    return theta


def _inner_in_place(loss, theta, support, lr):
    for p, g in zip(theta.values(), grad(loss(theta, *support), theta.values()), strict=True):
        p.data -= lr * g
    return theta


# outer_loss(loss, theta, support, query, lr, steps)


def _outer(task_loss, combine=lambda losses: torch.stack(losses).mean()):
    """An outer loss from task_loss(loss, theta, xs, ys, xq, yq, lr, steps), task by task."""
    def outer_loss(loss, theta, support, query, lr, steps):
        return combine([task_loss(loss, theta, *task, lr, steps) for task in _tasks(support, query)])
    return outer_loss


def _maml(loss, theta, xs, ys, xq, yq, lr, steps):
    return loss(_adapt(loss, theta, xs, ys, lr, steps), xq, yq)


def _adapt_on_both(loss, theta, xs, ys, xq, yq, lr, steps):
    return loss(_adapt(loss, theta, torch.cat([xs, xq]), torch.cat([ys, yq]), lr, steps), xq, yq)


def _carried(loss, theta, support, query, lr, steps):
    losses = []
    for xs, ys, xq, yq in _tasks(support, query):
        theta = _adapt(loss, theta, xs, ys, lr, steps)
        losses.append(loss(theta, xq, yq))
    return torch.stack(losses).mean()


def _overwritten(loss, theta, support, query, lr, steps):
    losses = []
    for xs, ys, xq, yq in _tasks(support, query):
        losses.append(loss(_overwrite(theta, _adapt(loss, theta, xs, ys, lr, steps)), xq, yq))
    return torch.stack(losses).mean()


def _one_phi_for_all(loss, theta, support, query, lr, steps):
    phi = _adapt(lambda *arguments: loss(*arguments).mean(), theta, *support, lr, steps)
    return loss(phi, *query).mean()


def _mean_over_tasks_inside(loss, theta, support, query, lr, steps):
    return _outer(_maml)(loss, theta, support, query, lr / len(support[0]), steps)


def _every_step_counts(loss, theta, xs, ys, xq, yq, lr, steps):
    return sum(_maml(loss, theta, xs, ys, xq, yq, lr, k) for k in range(1, steps + 1)) / steps


# first_order_update(loss, theta, support, query, lr, steps, outer_lr)


def _at_phi(loss, theta, xs, ys, xq, yq, lr, steps):
    phi = _detached(_adapt(loss, theta, xs, ys, lr, steps))
    return grad(loss(phi, xq, yq), phi.values())


def _update(task_gradient=_at_phi, share=lambda tasks: 1 / tasks, rate=lambda lr, outer_lr: outer_lr):
    """theta - rate * share * sum of task_gradient(loss, theta, xs, ys, xq, yq, lr, steps) over the tasks."""
    def first_order_update(loss, theta, support, query, lr, steps, outer_lr):
        found = [task_gradient(loss, theta, *task, lr, steps) for task in _tasks(support, query)]
        total = [sum(parts) * share(len(found)) for parts in zip(*found, strict=True)]
        return {n: p - rate(lr, outer_lr) * g for (n, p), g in zip(theta.items(), total, strict=True)}
    return first_order_update


def _from_last_phi(loss, theta, support, query, lr, steps, outer_lr):
    new = _update()(loss, theta, support, query, lr, steps, outer_lr)
    phi = _adapt(loss, theta, support[0][-1], support[1][-1], lr, steps)
    return _with(phi, lambda name, p: p + new[name] - theta[name])


def _task_after_task(loss, theta, support, query, lr, steps, outer_lr):
    for task in _tasks(support, query):
        gradients = _at_phi(loss, _detached(theta), *task, lr, steps)
        theta = {n: p - outer_lr * g for (n, p), g in zip(theta.items(), gradients, strict=True)}
    return theta


def _update_in_place(*arguments):
    theta, new = arguments[1], _update()(*arguments)
    for name, p in theta.items():
        p.data.copy_(new[name])
    return theta


# reptile_update(theta, phis, epsilon)


def _reptile(change):
    return lambda theta, phis, epsilon: _with(theta, lambda name, p: change(p, phis[name], epsilon))


def _one_after_another(p, phi, epsilon):
    for point in phi:
        p = p + epsilon * (point - p)
    return p


# learned_inner_rates(loss, theta, rates, support)


def _rates(change):
    """An inner step whose new value of each parameter is change(parameter, rate, gradient)."""
    def learned_inner_rates(loss, theta, rates, support):
        return _inner(lambda name, p, g, _: change(p, rates[name], g))(loss, theta, support, None)
    return learned_inner_rates


FIRST_ORDER = ("Your meta-gradient is first-order: the inner gradient is treated as a constant, so the second "
               "derivatives are lost. Look at how the graph of a gradient is kept (create_graph).")
CUT = ("The values are right, but no gradient reaches theta: the graph is cut on the way. Look for a detach, a "
       "no_grad, .data, .item() or a new leaf made by requires_grad_.")
CHANGED = ("You changed theta itself. It belongs to all tasks, and the next one would start from your phi. Build a "
           "new dict of new tensors.")
IDENTITY_LOST = ("In phi = theta - rate * gradient, theta itself is cut from the graph, so only the Hessian part "
                 "of the meta-gradient is left. phi must depend on theta along both paths.")
UPHILL = "You step up the gradient, so the loss grows. Look at the sign of the step."
TASKS_SUMMED = ("You add the tasks up. The outer objective is the mean over tasks; otherwise the outer "
                "rate would have to change with the number of tasks.")
ONE_SHORT = "You take one inner step less than `steps`. Count how often your loop changes phi."
RESTARTS = ("After all your steps phi is one step away from theta: either every step starts at theta again, or "
            "`steps` is ignored. Each step starts where the last one ended.")
RATE_OVER_T = ("Your inner steps are T times too small, as happens when the *mean* over tasks is differentiated. "
               "The gradient of the sum of the task losses is each task's own gradient.")
ON_QUERY = "You adapt on the query set. phi may see the support set only; the query set judges it."
LAST_TASK = "Only the last task counts. All tasks have the same share in the mean; look at what becomes of the others."

MISTAKES = {
    "prototypes": [
        Mistake(lambda z, y, way: z[: len(z) // way * way].reshape(way, -1, z.shape[1]).mean(1),
                "You cut the support set into equal blocks, as if it were sorted by class with equal shots. The "
                "labels in y say which rows belong together."),
        Mistake(lambda z, y, way: z[: len(z) // way * way].reshape(-1, way, z.shape[1]).mean(0),
                "You take every way-th row, as if the labels ran 0, 1, 2, ... in turn. The labels in y say which "
                "rows belong together."),
        Mistake(lambda z, y, way: _members(y, way).T @ z,
                "This is the sum of each class's embeddings. A prototype is their mean; otherwise a class with "
                "more shots lies further out."),
        Mistake(lambda z, y, way: _members(y, way).T @ z / len(z),
                "You divide by the size of the whole support set. Divide by the number of shots of this class."),
        Mistake(lambda z, y, way: _members(y, way).T @ z * way / len(z),
                "You divide every class by the same number of shots, S / way. Here the classes have unequal shots; "
                "count each one's own."),
        Mistake(lambda z, y, way: F.normalize(_means(z, y, way), dim=1),
                "You scale the prototypes to length 1. The mean of eq. 1 keeps its length; squared "
                "distances need it."),
        Mistake(lambda z, y, way: _means(F.normalize(z, dim=1), y, way),
                "You average embeddings scaled to length 1. That belongs to cosine distance; eq. 1 averages the "
                "embeddings as they are."),
        Mistake(lambda z, y, way: torch.stack([z[y == k][0] for k in range(way)]),
                "Your prototype is one example of each class, the first. All of a class's shots should count."),
        Mistake(lambda z, y, way: torch.stack([z[y == k][-1] for k in range(way)]),
                "Your prototype is the last example of each class: each one overwrites those before it. Look at "
                "how you collect rows with the same label."),
        Mistake(_last_index_wins,
                "Each class ends up with its last example divided by its count: with repeated indices, `c[y] += z` "
                "adds only one of them. Look at index_add, or at a product with one-hot labels."),
        Mistake(_running_average,
                "You halve the old average with each new example, so late examples weigh most and the start "
                "value counts as one. Sum first, divide once."),
        Mistake(lambda z, y, way: _means(z.detach(), y, way),
                "The values are right, but no gradient reaches z, so the embedding could not be trained through "
                "its prototypes. Stay with torch operations on z itself."),
    ],
    "proto_logits": [
        Mistake(lambda q, c: -_squares(q, c).sqrt(),
                "These are distances, not squared distances. Only squared ones make the classifier linear. Look for a "
                "root, or a missing square."),
        Mistake(_squares, "The farthest prototype wins here. A logit is large where the distance is small: look at "
                          "the sign."),
        Mistake(lambda q, c: -_squares(q, c) / q.shape[1],
                "You average over the D features. That divides all logits by D, a hidden temperature. Add "
                "the squares up."),
        Mistake(lambda q, c: -_squares(q, c) / 2,
                "All logits are halved. The 1/2 of a unit Gaussian is not in eq. 2; it acts as a "
                "temperature of 2.", credit=0.5),
        Mistake(lambda q, c: -_squares(q, c) / q.shape[1] ** 0.5,
                "You divide by the square root of D, as in attention. Eq. 2 has no such temperature."),
        Mistake(lambda q, c: q @ c.T,
                "This is the dot product. The squared length of the prototype is missing, so a long prototype "
                "wins too often. Expand |q - c|^2."),
        Mistake(lambda q, c: F.cosine_similarity(q[:, None], c, dim=-1),
                "This is cosine similarity: the lengths are gone. Prototypical networks use squared Euclidean "
                "distance."),
        Mistake(lambda q, c: -(q[:, None] - c).abs().sum(-1),
                "You add absolute differences (the L1 distance). Square them."),
        Mistake(lambda q, c: (-_squares(q, c)).softmax(-1),
                "These are probabilities. Logits are asked for: cross_entropy applies the softmax itself."),
        Mistake(lambda q, c: (-_squares(q, c)).exp(),
                "These are exp(-distance), the numerators of the softmax. Logits come before the exponential."),
        Mistake(lambda q, c: (-_squares(q, c)).log_softmax(-1),
                "These are log-probabilities: right up to a constant per query, so every probability agrees. "
                "The negative squared distances themselves were asked for.", credit=0.5),
        Mistake(lambda q, c: 2 * q @ c.T - c.pow(2).sum(1),
                "Right up to a constant per query: you left out -|q|^2, which no softmax can see. A good thing to "
                "have noticed, but the negative squared distance was asked for.", credit=0.5),
    ],
    "proto_loss": [
        Mistake(lambda *a: _proto_loss()(*a).detach(),
                "The loss is right, but no gradient comes back from it, so nothing can be trained. Return a tensor "
                "that is still in the graph: no .item(), detach or no_grad."),
        Mistake(_proto_loss(means=lambda *a: _means(*a).detach()),
                "The loss is right, but the prototypes are cut from the graph. The embedding of the support set "
                "must be trained too: look for a detach or a no_grad."),
        Mistake(lambda zs, ys, zq, yq, way: _proto_loss()(zs, ys, zq.detach(), yq, way),
                "The loss is right, but no gradient reaches the query embeddings. Both sets pass through the "
                "network that is trained."),
        Mistake(_on_support, "You classify the support set by prototypes made of itself: with one shot that loss is "
                             "near 0 whatever the network does. The query set judges."),
        Mistake(_proto_loss(lambda q, c: -_squares(q, c).T, lambda l, y: -_own(l.log_softmax(1).T, y).mean()),
                "Your softmax runs over the queries. Each query chooses among the classes: normalise over the "
                "last axis of [Q, way]."),
        Mistake(_proto_loss(lambda q, c: (-_squares(q, c)).softmax(1)),
                "The softmax is applied twice: cross_entropy takes logits, you give it probabilities, and its "
                "gradients shrink."),
        Mistake(_proto_loss(rule=lambda l, y: F.cross_entropy(l, y, reduction="sum")),
                "You add the queries up. Average them; otherwise the step size depends on the number of queries."),
        Mistake(_proto_loss(rule=lambda l, y: F.cross_entropy(l, y) / l.shape[1]),
                "Your loss is way times too small: you average over classes too. One term counts for each "
                "query, that of its own class."),
        Mistake(_queries_in_prototypes,
                "The query embeddings, with their labels, are part of your prototypes. At test time those labels "
                "are what we want to know."),
        Mistake(_proto_loss(_squares),
                "Your logits have the wrong sign: the loss rewards queries far from their own prototype."),
        Mistake(_proto_loss(lambda q, c: -_squares(q, c).sqrt()),
                "Your logits are distances, not squared distances."),
        Mistake(_proto_loss(lambda q, c: -_squares(q, c) / q.shape[1]),
                "Your logits are averaged over the D features, a hidden temperature of D. Add the squares up."),
        Mistake(_proto_loss(_squares, lambda d, y: _own(d, y).mean()),
                "You only pull queries towards their own prototype. Without the other classes in the softmax, "
                "mapping everything to one point is perfect."),
        Mistake(_proto_loss(rule=lambda l, y: 1 - _own(l.softmax(1), y).mean()),
                "You minimise 1 - probability. Take the negative logarithm: it keeps its gradient when "
                "a query is badly wrong."),
        Mistake(_proto_loss(rule=lambda l, y: -_own(l.softmax(1), y).mean()),
                "You average the probabilities and forget the logarithm. The loss is the negative "
                "log-probability of the right class."),
    ],
    "inner_step": [
        Mistake(lambda loss, theta, support, lr: _step(loss, theta, *support, lr, second=False), FIRST_ORDER),
        Mistake(_inner(lambda name, p, g, lr: (p - lr * g).detach()), CUT),
        Mistake(_inner(lambda name, p, g, lr: p.detach() - lr * g), IDENTITY_LOST),
        Mistake(_inner_in_place, CHANGED),
        Mistake(lambda loss, theta, support, lr: _overwrite(theta, _step(loss, theta, *support, lr)), CHANGED),
        Mistake(_inner(lambda name, p, g, lr: p + lr * g), UPHILL),
        Mistake(_unit_length, "You scale the gradient to length 1. The inner step is plain gradient descent: a flat "
                              "loss makes small steps."),
        Mistake(_inner(lambda name, p, g, lr: p - lr * g.sign()),
                "You step along the sign of the gradient. Its size matters too: plain gradient descent."),
        Mistake(_inner(lambda name, p, g, lr: p - lr * g if name == "w2" else p),
                "Only the last layer adapts. That is ANIL; MAML moves every parameter."),
        Mistake(_inner(lambda name, p, g, lr: p if name.startswith("b") else p - lr * g),
                "The bias does not move. Every entry of theta takes the step."),
        Mistake(_inner(lambda name, p, g, lr: -lr * g),
                "You return the step. phi is the point it leads to: theta plus the step."),
        Mistake(_inner(lambda name, p, g, lr: p - g), "The inner rate is missing from the step."),
        Mistake(lambda loss, theta, support, lr: _adapt(loss, theta, *support, lr, 2),
                "You take two steps. One was asked for; the loop over steps comes in the outer loss."),
        Mistake(lambda loss, theta, support, lr: _step(loss, theta, *support, lr / len(support[0])),
                "Your step is S times too small: loss is already the mean over the support set."),
    ],
    "outer_loss": [
        Mistake(_outer(lambda loss, theta, xs, ys, xq, yq, lr, steps: _maml(loss, theta, xs, ys, xs, ys, lr, steps)),
                "You judge phi on the support set it was adapted on. That rewards memorising; eq. 4 takes the loss "
                "on the query set."),
        Mistake(_outer(lambda loss, theta, xs, ys, xq, yq, lr, steps: _maml(loss, theta, xq, yq, xq, yq, lr, steps)),
                ON_QUERY),
        Mistake(_outer(_adapt_on_both), "You adapt on the support and the query set together. phi may see the support "
                                        "set only; the query set judges it."),
        Mistake(_carried, "The phi of one task is the start of the next. Every task starts at the same theta: look "
                          "for a variable that your loop overwrites."),
        Mistake(_overwritten, CHANGED),
        Mistake(_outer(_maml, sum), TASKS_SUMMED),
        Mistake(_outer(_maml, lambda losses: losses[-1]), LAST_TASK),
        Mistake(_outer(lambda loss, theta, xs, ys, xq, yq, lr, steps:
                       loss(_adapt(loss, theta, xs, ys, lr, steps, second=False), xq, yq)), FIRST_ORDER),
        Mistake(_outer(lambda loss, theta, *rest: _maml(loss, _detached(theta), *rest).detach()), CUT),
        Mistake(_outer(lambda *a: _maml(*a[:-1], a[-1] - 1)), ONE_SHORT),
        Mistake(_outer(lambda *a: _maml(*a[:-1], a[-1] + 1)),
                "You take one inner step more than `steps`. Count how often your loop changes phi."),
        Mistake(_outer(lambda *a: _maml(*a[:-1], 1)), RESTARTS),
        Mistake(_outer(lambda *a: _maml(*a[:-1], 0)),
                "This is the query loss at theta: nothing has adapted. Joint training minimises that; MAML "
                "minimises the loss after the inner steps."),
        Mistake(_one_phi_for_all, "All tasks share one phi, adapted to the average of their support sets. Each task "
                                  "needs its own."),
        Mistake(_mean_over_tasks_inside, RATE_OVER_T),
        Mistake(_outer(_every_step_counts),
                "You average the query loss after each step. That is MAML++'s multi-step loss; eq. 4 takes the loss "
                "after the last step alone."),
    ],
    "first_order_update": [
        Mistake(_update(lambda loss, theta, xs, ys, xq, yq, lr, steps: grad(loss(theta, xq, yq), theta.values())),
                "You take the query gradient at theta. That is joint training; first-order MAML takes it at the "
                "adapted phi."),
        Mistake(_update(lambda loss, theta, xs, ys, xq, yq, *rest: _at_phi(loss, theta, xs, ys, xs, ys, *rest)),
                "You use the gradient of the support loss at phi. The query set judges what was learned from the "
                "support set."),
        Mistake(_update(lambda loss, theta, xs, ys, xq, yq, *rest: _at_phi(loss, theta, xq, yq, xq, yq, *rest)),
                ON_QUERY),
        Mistake(_update(lambda loss, theta, *rest: grad(_maml(loss, theta, *rest), theta.values())),
                "This is second-order MAML: you differentiate through the inner steps. First-order MAML stops at "
                "phi and takes the gradient with respect to phi."),
        Mistake(_update(lambda loss, theta, xs, ys, xq, yq, lr, steps:
                        [p - f for p, f in zip(theta.values(), _adapt(loss, theta, xs, ys, lr, steps).values(),
                                               strict=True)]),
                "You move theta towards the mean of the phis. That is Reptile, the next exercise; here the gradient "
                "of the query loss moves it."),
        Mistake(_from_last_phi, "You apply the update to the phi of the last task. The gradients come from the "
                                "phis, but theta is what moves."),
        Mistake(_task_after_task, "You update theta after each task, so later tasks start elsewhere. Collect the "
                                  "gradients of all tasks at one theta, then move once.", credit=0.5),
        Mistake(_update(share=lambda tasks: 1), TASKS_SUMMED),
        Mistake(lambda *a: _update()(a[0], a[1], *[tuple(v[-1:] for v in pair) for pair in a[2:4]], *a[4:]),
                LAST_TASK),
        Mistake(_update(lambda *a: _at_phi(*a[:-1], a[-1] - 1)), ONE_SHORT),
        Mistake(_update(lambda *a: _at_phi(*a[:-1], 1)), RESTARTS),
        Mistake(_update(rate=lambda lr, outer_lr: -outer_lr), UPHILL),
        Mistake(_update(rate=lambda lr, outer_lr: lr),
                "You use the inner rate for the outer step too. theta moves by outer_lr."),
        Mistake(_update_in_place, "The new values are right, but you wrote them into the old theta. Return a "
                                  "new dict and leave the argument as it was.", credit=0.5),
    ],
    "reptile_update": [
        Mistake(_reptile(lambda p, phi, e: p - e * (phi.mean(0) - p)),
                "You move away from the tasks. phi - theta points towards them: look at the sign."),
        Mistake(_reptile(lambda p, phi, e: p + e * (phi - p).sum(0)),
                "You add the differences of all tasks up. Take their mean: with epsilon = 1, theta should land on the "
                "mean of the phis."),
        Mistake(_reptile(lambda p, phi, e: phi.mean(0)),
                "You jump to the mean of the phis, which is the case epsilon = 1. Go the share epsilon of "
                "the way."),
        Mistake(_reptile(lambda p, phi, e: p + e * phi.mean(0)),
                "You add the phis themselves. Only their difference to theta is a direction."),
        Mistake(_reptile(lambda p, phi, e: (1 - e) * phi.mean(0) + e * p),
                "The two weights are exchanged: with epsilon = 0 theta should stay where it is."),
        Mistake(_reptile(lambda p, phi, e: p + e * (phi[-1] - p)), LAST_TASK),
        Mistake(_reptile(_one_after_another),
                "You move theta after each task. That is the online version of Reptile; here all tasks "
                "started from one theta, so average their differences.", credit=0.5),
        Mistake(_reptile(lambda p, phi, e: e * (phi.mean(0) - p)),
                "You return the step alone. Add it to theta."),
        Mistake(_reptile(lambda p, phi, e: p + e * (phi.mean() - p)),
                "You average each tensor to a single number. The mean runs over the tasks only, the leading axis."),
        Mistake(_reptile(lambda p, phi, e: p + e * (phi - p).mean(0) / len(phi)),
                "Your step is T times too small: the mean over tasks is divided by T once more."),
        Mistake(_reptile(lambda p, phi, e: p.copy_(p + e * (phi.mean(0) - p))),
                "The new values are right, but you wrote them into the old theta. Return a new dict and leave "
                "the argument as it was.", credit=0.5),
    ],
    "learned_inner_rates": [
        Mistake(_rates(lambda p, r, g: p - r.detach() * g),
                "phi is right, but no gradient reaches the rates, so they would never learn."),
        Mistake(_rates(lambda p, r, g: p - r * g.detach()), FIRST_ORDER),
        Mistake(_rates(lambda p, r, g: p.detach() - r * g), IDENTITY_LOST),
        Mistake(_rates(lambda p, r, g: (p - r * g).detach()), CUT),
        Mistake(_rates(lambda p, r, g: p - r.mean() * g),
                "You use one rate for each tensor, its mean. Meta-SGD has one for each single number of theta: "
                "multiply elementwise."),
        Mistake(_rates(lambda p, r, g: p - r.exp() * g),
                "You take the exponential of the rates. They are given as they are and may be negative."),
        Mistake(_rates(lambda p, r, g: p - r.clamp(min=0) * g),
                "You cut negative rates off at 0. Meta-SGD allows them: a parameter may have to climb."),
        Mistake(_rates(lambda p, r, g: p - r.abs() * g),
                "You drop the sign of the rates. They may be negative: a parameter may have to climb."),
        Mistake(_rates(lambda p, r, g: p - r * g.sign()),
                "You step by the sign of the gradient. The rate multiplies the gradient itself."),
        Mistake(_rates(lambda p, r, g: p + r * g), UPHILL),
        Mistake(_rates(lambda p, r, g: (p - g) * r),
                "The rate multiplies theta too. Only the gradient is scaled by it."),
    ],
}

"""Homework 1's usual misconceptions: a wrong version of each function, and what to tell its author.

Not for students. A message must hold for every way of writing code with these outputs, name what was
misunderstood, and say where to look without giving the line away.
"""

import torch
import torch.nn.functional as F

from utils.grading import Mistake

# sample_episode(images, way, shot, query, generator): a right sampler whose pieces can be exchanged.


def _classes(n, way, g):
    return torch.randperm(n, generator=g)[:way]


def _instances(way, m, count, g):
    return torch.rand(way, m, generator=g).argsort(1)[:, :count]


def _shuffle(way, query, g):
    return torch.randperm(way * query, generator=g)


def _sampler(classes=_classes, instances=_instances, order=_shuffle, relabel=lambda chosen, way, g: torch.arange(way)):
    """order(way, query, g) -> the places of queries that stand class after class."""
    def sample_episode(images, way, shot, query, generator):
        chosen = classes(len(images), way, generator)
        picked = images[chosen[:, None], instances(way, images.shape[1], shot + query, generator)]
        labels, places = relabel(chosen, way, generator), order(way, query, generator)
        return (picked[:, :shot].flatten(0, 1), labels.repeat_interleave(shot),
                picked[:, shot:].flatten(0, 1)[places], labels.repeat_interleave(query)[places])
    return sample_episode


def _then(change, sampler=None):
    """change(support_x, support_y, query_x, query_y, generator) after a right sampler."""
    def sample_episode(images, way, shot, query, generator):
        return change(*(sampler or _sampler())(images, way, shot, query, generator), generator)
    return sample_episode


def _mixed(values, g):
    return values[torch.randperm(len(values), generator=g)]


def _drawn_apart(images, way, shot, query, g):
    chosen, labels, m = _classes(len(images), way, g), torch.arange(way), images.shape[1]
    places = _shuffle(way, query, g)
    support, queries = (images[chosen[:, None], _instances(way, m, n, g)].flatten(0, 1) for n in (shot, query))
    return support, labels.repeat_interleave(shot), queries[places], labels.repeat_interleave(query)[places]


def _any_queries(images, way, shot, query, g):
    chosen, labels, m = _classes(len(images), way, g), torch.arange(way), images.shape[1]
    picked = images[chosen[:, None], _instances(way, m, m, g)]
    rest, y = picked[:, shot:].flatten(0, 1), labels.repeat_interleave(m - shot)
    places = torch.randperm(len(rest), generator=g)[: way * query]
    return picked[:, :shot].flatten(0, 1), labels.repeat_interleave(shot), rest[places], y[places]


def _query_in_all(images, way, shot, query, g):
    sx, sy, qx, qy = _sampler()(images, way, shot, query, g)
    return sx, sy, qx[:query], qy[:query]


def _rounds(way, query, g):
    return torch.arange(way * query).view(way, query).T.flatten()


def _mixed_blocks(way, query, g):
    return torch.arange(way * query).view(way, query)[torch.randperm(way, generator=g)].flatten()


def _mixed_rounds(way, query, g):
    return torch.stack([torch.randperm(way, generator=g) * query + k for k in range(query)]).flatten()


def _same_seed(images, way, shot, query, generator):
    return _sampler()(images, way, shot, query, torch.Generator().manual_seed(0))


def _own_generator(images, way, shot, query, generator):
    return _sampler()(images, way, shot, query, None)


# mann_forward(net, x, y)


def _hidden(y):
    return torch.cat([y[:, :-1], torch.zeros_like(y[:, -1:])], 1)


def _mann(labels=_hidden, images=lambda x: x, run=lambda net, t: net(t.flatten(1, 2)).view(*t.shape[:3], -1)):
    """run(net, tokens [B, K+1, N, D+N]) -> logits [B, K+1, N, N]."""
    return lambda net, x, y: run(net, torch.cat([images(x), labels(y)], 3))


def _first_hidden(y):
    return torch.cat([torch.zeros_like(y[:, :1]), y[:, 1:]], 1)


def _late(y):
    flat = y.flatten(1, 2)
    return torch.cat([torch.zeros_like(flat[:, :1]), flat[:, :-1]], 1).view(y.shape)


def _in_place(y):
    y[:, -1] = 0
    return y


def _class_by_class(net, t):
    turned = t.transpose(1, 2)
    return net(turned.flatten(1, 2)).view(*turned.shape[:3], -1).transpose(1, 2)


def _batch_as_time(net, t):
    return net(t.flatten(1, 2).transpose(0, 1)).transpose(0, 1).reshape(*t.shape[:3], -1)


def _turned_output(net, t):
    b, rounds, n, _ = t.shape
    return net(t.flatten(1, 2)).reshape(b, n, rounds, n).transpose(1, 2)


def _round_alone(net, t):
    return net(t.flatten(0, 1)).view(*t.shape[:3], -1)


def _one_sequence(net, t):
    return net(t.flatten(0, 2)[None]).view(*t.shape[:3], -1)


def _labels_first(net, x, y):
    return _mann(images=_hidden, labels=lambda y: y)(net, y, x)


def _late_and_hidden(y):
    return _late(_hidden(y))


# query_loss(logits, y)


def _loss(rule, part=lambda values: values[:, -1]):
    return lambda logits, y: rule(part(logits), part(y))


def _ce(logits, y):
    return -(logits.log_softmax(-1) * y).sum(-1).mean()


# cnp_aggregate(encode, x, y, mask)


def _cnp(combine, pairs=lambda x, y, mask: torch.cat([x, y], 2)):
    """combine(h [B, S, r], m [B, S, 1]) -> [B, r]."""
    return lambda encode, x, y, mask: combine(encode(pairs(x, y, mask)), mask[..., None])


def _zeroed(x, y, mask):
    return torch.cat([x, y], 2) * mask[..., None]


def _masked_mean(h, m):
    return (h * m).sum(1) / m.sum(1).clamp(min=1)


def _mean_pair(encode, x, y, mask):
    mean = _masked_mean(torch.cat([x, y], 2), mask[..., None])
    return encode(mean) * (mask.sum(1, keepdim=True) > 0)


def _where(h, m):
    count = m.sum(1)
    return torch.where(count > 0, (h * m).sum(1) / count, torch.zeros(()))


# make_prompt(x, y)


def _question(x, y):
    return torch.cat([x, torch.zeros_like(y)[..., None]], 2)


def _answer(x, y):
    return torch.cat([torch.zeros_like(x), y[..., None]], 2)


def _both(x, y):
    return torch.cat([x, y[..., None]], 2)


def _prompt(*pair, join=lambda tokens: torch.stack(tokens, 2).flatten(1, 2)):
    return lambda x, y: join([token(x, y) for token in pair])


# causal_regression_loss(model, tokens, y)


def _causal(error=lambda p, y: (p[:, ::2] - y).pow(2), mean=torch.mean):
    return lambda model, tokens, y: mean(error(model(tokens), y))


# ridge_predictor(x, y, query, noise_var, prior_var)


def _ridge(penalty=lambda s, t, n: s / t, gram=lambda a, penalty: a + penalty * torch.eye(a.shape[-1])):
    def ridge_predictor(x, y, query, noise_var, prior_var):
        a = gram(x.mT @ x, penalty(noise_var, prior_var, x.shape[1]))
        return (query * torch.linalg.solve(a, x.mT @ y[..., None])[..., 0]).sum(1)
    return ridge_predictor


def _shortest_fit(x, y, query, noise_var, prior_var):
    return (query * (torch.linalg.pinv(x) @ y[..., None])[..., 0]).sum(1)


def _centred(x, y, query, noise_var, prior_var):
    x_mean, y_mean = x.mean(1), y.mean(1)
    moved = x - x_mean[:, None], y - y_mean[:, None], query - x_mean
    return _ridge()(*moved, noise_var, prior_var) + y_mean


def _pooled(x, y, query, noise_var, prior_var):
    x, y = x.flatten(0, 1)[None], y.flatten()[None]
    w = torch.linalg.solve(x.mT @ x + noise_var / prior_var * torch.eye(x.shape[2]), x.mT @ y[..., None])
    return query @ w[0, :, 0]


def _weights(x, y, query, noise_var, prior_var):
    a = x.mT @ x + noise_var / prior_var * torch.eye(x.shape[2])
    return torch.linalg.solve(a, x.mT @ y[..., None])[..., 0]


PARTED = ("Images and labels were parted: some image carries the label of another class. Whatever reorders the images "
          "must reorder their labels in the same way, and support and query share one numbering of the classes.")
MEMORY = ("A class tends to get the same label in every episode, so weights can memorise it and need no support set. "
          "Which class is number 0 must be drawn anew each time.")
POSITION = ("The position of a query tells its label, as in the order 0, 0, 1, 1, ... or 0, 1, 2, .... A network that "
            "reads a sequence learns to count, reaches 100% and looks at no image.")
COPYING = ("The support rounds are part of your loss, and their labels were in the input: the network is paid for "
           "copying. Only the query round asks something.")
NO_GRADIENT = ("The value is right, but no gradient comes back from it, so nothing can be trained. Look for a detach, "
               "a no_grad, .item() or .data.")
LATE = ("Each label arrives one step after its image. That is the protocol of a stream; here the label of a support "
        "image stands beside that image.")
OVER_POSITIONS = ("Your softmax runs over the positions of the round. Each query chooses among the classes, on the "
                  "last axis. Look at which axis your loss function takes for the classes.")
PADDING = ("Points that are not there count in your average. Divide by the number of points that each task has.")
DOUBLED = "Each point takes one token of yours. Here it takes two: first the question, then the answer."
NOT_ON_QUESTIONS = ("You take the first n outputs, half of which stand at answers of the first points. The questions "
                    "are spread over the whole prompt: compare the lengths of tokens and y.")

MISTAKES = {
    "sample_episode": [
        Mistake(_sampler(order=lambda way, query, g: torch.arange(way * query)), POSITION),
        Mistake(_sampler(order=_rounds), POSITION),
        Mistake(_sampler(order=_mixed_blocks),
                "The queries of one class still stand together, as when whole classes are mixed. A network can guess "
                "that a query has the label of the one before it. Mix single queries."),
        Mistake(_sampler(order=_mixed_rounds),
                "In each round of queries every class comes once, so the last one is known by elimination. Every "
                "order of all the queries should be equally likely.", credit=0.5),
        Mistake(_drawn_apart,
                "Some query images are in the support set, as when the two sets are drawn independently. To remember "
                "an image is not to recognise its class. Draw once, then divide."),
        Mistake(_sampler(instances=lambda way, m, count, g: torch.randint(m, (way, count), generator=g)),
                "The same image comes twice in one set, as drawing with replacement does. All images of an episode are "
                "different ones."),
        Mistake(_sampler(classes=lambda n, way, g: torch.randint(n, (way,), generator=g)),
                "One class can get two labels in an episode, and nobody could tell them apart. That comes from drawing "
                "classes with replacement; they should be different ones."),
        Mistake(_sampler(relabel=lambda chosen, way, g: chosen),
                "Some labels are not in 0 to way - 1. The number of a class in the whole data set is no label: weights "
                "could memorise it. Inside an episode labels mean something only there."),
        Mistake(_sampler(classes=lambda n, way, g: _classes(n, way, g).sort().values), MEMORY),
        Mistake(_then(lambda sx, sy, qx, qy, g: (sx, sy, _mixed(qx, g), qy)), PARTED),
        Mistake(_then(lambda sx, sy, qx, qy, g: (_mixed(sx, g), sy, qx, qy)), PARTED),
        Mistake(_sampler(classes=lambda n, way, g: torch.arange(way)),
                "Some classes of `images` come far more often than others, as when the first `way` are always taken. "
                "Few tasks are soon memorised; each class should be equally likely."),
        Mistake(_sampler(instances=lambda way, m, count, g: torch.arange(count).expand(way, -1)),
                "Some instances serve as support far more often than others, as when the first `shot` always are. "
                "Draw anew which images serve for what."),
        Mistake(_sampler(instances=lambda way, m, count, g: _instances(1, m, count, g).expand(way, -1)),
                "Most often all classes of an episode give the same instance numbers. If number 3 is everywhere the "
                "same font or writer, the support set looks too alike; draw for each class separately.", credit=0.5),
        Mistake(_any_queries,
                "The numbers of images differ from class to class, as when queries are drawn from all together. "
                "Each class gives exactly `shot` to one set and `query` to the other."),
        Mistake(_query_in_all,
                "You return `query` queries in all. It is the number for each class, as `shot` is."),
        Mistake(_then(lambda sx, sy, qx, qy, g: (sx, F.one_hot(sy), qx, F.one_hot(qy))),
                "You return one-hot labels. Class numbers are asked for, one whole number for each image."),
        Mistake(_own_generator,
                "You do not draw from `generator`: with the same generator your episodes are different each time, and "
                "an experiment could not be repeated. Hand it to every random call."),
        Mistake(_same_seed,
                "Every call gives the same episode: nothing is random, or the random numbers start anew inside your "
                "function. The generator goes on from call to call; leave its seed alone."),
    ],
    "mann_forward": [
        Mistake(_mann(labels=lambda y: y),
                "The labels of the query round are in the input, so the answer stands beside the question. Nothing "
                "has to be learned from the support set. The last round gets zeros."),
        Mistake(_mann(labels=torch.zeros_like),
                "You erase the labels of all rounds. Without support labels nothing says which class is which; only "
                "the last round is hidden."),
        Mistake(_mann(labels=_first_hidden),
                "You erase the labels of the first round and leave those of the queries. The query round is the last."),
        Mistake(_mann(labels=_in_place),
                "The logits are right, but you erased the labels in the caller's y, and the loss needs them "
                "afterwards. Write your zeros into a copy."),
        Mistake(_mann(run=_class_by_class),
                "Your sequence goes class by class, so queries come before the support of the next class. It should go "
                "round by round: all N images of a round, then the next round."),
        Mistake(_mann(run=_batch_as_time),
                "The network walks along the batch: one episode is read as the next step of another. Its input is "
                "[B, L, ...], batch first."),
        Mistake(_mann(run=_one_sequence),
                "All episodes are read as one long sequence, so an episode sees the labels of those before it. Each "
                "episode is a sequence of its own."),
        Mistake(_mann(run=_round_alone),
                "Each round is a sequence of its own here, so the query round starts with an empty memory. All rounds "
                "of an episode belong to one sequence."),
        Mistake(_mann(run=_turned_output),
                "The network reads the right sequence, but you undo the flattening with the axes exchanged. Unflatten "
                "in the order in which you flattened."),
        Mistake(_mann(labels=_late), LATE),
        Mistake(_mann(labels=_late_and_hidden), LATE),
        Mistake(_labels_first,
                "The label stands before the image in your tokens. The network expects the D numbers of the image "
                "first, then the N of the label."),
        Mistake(_mann(labels=lambda y: torch.cat([y[:, :-1], torch.full_like(y[:, -1:], 1 / y.shape[3])], 1)),
                "You give the queries the label 1/N for each class. It leaks nothing, but zeros were asked for.",
                credit=0.5),
        Mistake(_mann(images=_hidden),
                "You erase the images of the query round too. They are the question; only their labels are hidden."),
        Mistake(lambda net, x, y: _mann()(net, x, y).softmax(-1),
                "These are probabilities. Logits are asked for: the loss applies the softmax itself."),
        Mistake(lambda net, x, y: _mann()(net, x, y).detach(), NO_GRADIENT),
    ],
    "query_loss": [
        Mistake(_loss(_ce, lambda values: values), COPYING),
        Mistake(_loss(_ce, lambda values: values[:, :-1]),
                "You judge the support rounds and leave the queries out. The labels of the support rounds were in the "
                "input, so copying is enough."),
        Mistake(_loss(_ce, lambda values: values[:, 0]),
                "You judge the first round. The queries stand in the last."),
        Mistake(_loss(_ce, lambda values: values[:, -1:, -1]),
                "Only the last query counts. The whole last round is the query round, N images."),
        Mistake(_loss(_ce, lambda values: values[:, :, -1]),
                "You take the last image of every round. The query round is the last entry of axis 1, not of axis 2."),
        Mistake(_loss(lambda logits, y: _ce(logits.softmax(-1), y)),
                "The softmax is applied twice: the loss takes logits, you give it probabilities, and its gradients "
                "shrink."),
        Mistake(_loss(lambda logits, y: -(logits.log_softmax(-2) * y).sum(-1).mean()), OVER_POSITIONS),
        Mistake(_loss(lambda logits, y: F.cross_entropy(logits, y.argmax(-1))), OVER_POSITIONS),
        Mistake(_loss(lambda logits, y: -(logits.log_softmax(-1) * y).sum()),
                "You add the queries of all episodes up. Average them; otherwise the step size depends on the batch."),
        Mistake(_loss(lambda logits, y: -(logits.log_softmax(-1) * y).sum((-1, -2)).mean()),
                "You add the N queries of an episode up and average over episodes alone. Average over both; otherwise "
                "the loss grows with the number of ways."),
        Mistake(_loss(lambda logits, y: -(logits.log_softmax(-1) * y).mean()),
                "Your loss is N times too small: you average over classes too. One term counts for each query, that "
                "of its own class."),
        Mistake(_loss(lambda logits, y: -_ce(logits, y)),
                "Your loss has the wrong sign: it rewards wrong answers. It is minus the log-probability."),
        Mistake(_loss(lambda logits, y: -(logits.softmax(-1) * y).sum(-1).mean()),
                "You average the probabilities and forget the logarithm. The loss is the negative log-probability of "
                "the right class."),
        Mistake(_loss(lambda logits, y: (logits.softmax(-1) - y).pow(2).sum(-1).mean()),
                "This is the squared error of the probabilities. Its gradient vanishes where the network is surely "
                "wrong; cross-entropy is asked for."),
        Mistake(_loss(lambda logits, y: -(logits * y).sum(-1).mean()),
                "You raise the right logit and leave out the softmax: nothing pushes the other classes down, and the "
                "loss has no lower end."),
        Mistake(_loss(lambda logits, y: _ce(logits, y).detach()), NO_GRADIENT),
    ],
    "cnp_aggregate": [
        Mistake(_cnp(lambda h, m: h.mean(1)),
                "You average over all S places, also those that the mask marks as empty. Padding is no data."),
        Mistake(_cnp(lambda h, m: (h * m).mean(1)), PADDING),
        Mistake(_cnp(lambda h, m: (h * m).sum(1)),
                "This is the sum. It grows with the number of points, and a decoder trained on five points would not "
                "know what to do with fifty. The mean keeps its size."),
        Mistake(_cnp(lambda h, m: h.masked_fill(m == 0, -torch.inf).amax(1).nan_to_num(neginf=0)),
                "This is the maximum over points. Every point should have the same share: take the mean."),
        Mistake(_mean_pair,
                "You average the pairs, then encode. The encoder is not linear: the code of a mean pair forgets which "
                "y belonged to which x. Encode each pair first."),
        Mistake(_cnp(lambda h, m: h.sum(1) / m.sum(1).clamp(min=1), _zeroed),
                "You set the padding to zero before the encoder. A zero is still a point to it: its code is not zero. "
                "Mask the codes."),
        Mistake(_cnp(lambda h, m: h.mean(1), _zeroed),
                "You set the padding to zero before the encoder and average over all S places. A zero is still a point "
                "to the encoder: mask its codes, and count only points that are there."),
        Mistake(_cnp(lambda h, m: (h * m).sum(1) / m.sum(1)),
                "A task without points gives 0/0. Before any point only the prior is known, and its code is zeros."),
        Mistake(_cnp(_where),
                "The values are right, but the gradient is not a number: 0/0 is still computed, and throwing it away "
                "afterwards does not help its gradient. Make the divisor safe before you divide."),
        Mistake(_cnp(lambda h, m: (h * m).sum(1) / (m.sum(1) + 1)),
                "You divide by one more than the number of points. That keeps the empty task safe and makes all "
                "others too small."),
        Mistake(_cnp(lambda h, m: (h * m).sum(1) / m.sum(1).amax()),
                "You divide every task by the number of points of the fullest one. Each task has its own count."),
        Mistake(_cnp(lambda h, m: _masked_mean(h, 1 - m)),
                "You average the points that are not there. The mask is 1 where a point is."),
        Mistake(_cnp(lambda h, m: (h * m.softmax(1)).sum(1)),
                "You use a softmax of the mask as weights, and exp(0) = 1 is not nothing: padding still counts."),
        Mistake(_cnp(_masked_mean, lambda x, y, m: torch.cat([y, x], 2)),
                "You hand y to the encoder before x. It expects the input first, then the output."),
        Mistake(_cnp(lambda h, m: _masked_mean(h, m).detach()), NO_GRADIENT),
    ],
    "make_prompt": [
        Mistake(_prompt(_both, _answer),
                "y stands in the token of its own question: the answer is read before it is asked for. The question "
                "holds x and a zero."),
        Mistake(_prompt(_question, _both),
                "The answer token holds x too. That is another layout (and an easier one): here the network has to "
                "find out by itself which question an answer belongs to."),
        Mistake(_prompt(_both, _both),
                "Both tokens of a point hold x and y: two copies and no question."),
        Mistake(_prompt(_answer, _question),
                "Your answers stand before their questions. Position 2i holds x_i, position 2i + 1 holds y_i."),
        Mistake(_prompt(_question, _answer, join=lambda tokens: torch.cat(tokens, 1)),
                "All questions come first, then all answers, so no question can be answered from earlier pairs. The "
                "two take turns: x_0, y_0, x_1, y_1, ... Look at the axis along which you join and reshape."),
        Mistake(_prompt(_question, lambda x, y: F.pad(y[..., None], (0, x.shape[2]))),
                "y stands in the first column, where the network reads the first coordinate of x. The last column is "
                "its own."),
        Mistake(_prompt(*(lambda x, y, make=make: make(x, y).roll(1, 2) for make in (_question, _answer))),
                "The column of y is the first in your tokens and x stands behind it. The d columns of x come first."),
        Mistake(_prompt(_question, lambda x, y: y[..., None].expand(-1, -1, x.shape[2] + 1)),
                "y fills the whole answer token, as broadcasting does. It belongs into the last column, with zeros in "
                "the columns of x."),
        Mistake(_prompt(_question, lambda x, y: _answer(x, y).roll(1, 1)),
                "Answers stand one point away from their question. Position 2i + 1 holds the y of the x just before."),
        Mistake(_prompt(_both), DOUBLED),
        Mistake(lambda x, y: torch.cat([x, F.pad(y[:, :-1], (1, 0))[..., None]], 2), DOUBLED),
    ],
    "causal_regression_loss": [
        Mistake(_causal(lambda p, y: (p[:, 1::2] - y).pow(2)),
                "You judge what the network says at the answers, after it has read them: copying brings the loss to "
                "zero. It must answer at the question."),
        Mistake(_causal(lambda p, y: (p[:, -2] - y[:, -1]).pow(2)),
                "Only the last point counts. A causal network answers every question from the points before it: one "
                "prompt holds n lessons, and you throw n - 1 away."),
        Mistake(_causal(lambda p, y: (p[:, -1] - y[:, -1]).pow(2)),
                "You judge the last output alone, and it has read the last answer. Take those at the n questions."),
        Mistake(_causal(lambda p, y: (p[:, 2::2] - y[:, 1:]).pow(2)),
                "You leave the first point out. Nothing was seen before it, but what the network says there is its "
                "prior, which is to be learned too."),
        Mistake(_causal(lambda p, y: (p[:, 2::2] - y[:, :-1]).pow(2)),
                "You compare each answer with the y of the point before. At position 2i the network has read x_i and "
                "should say y_i."),
        Mistake(_causal(lambda p, y: (p[:, :-2:2] - y[:, 1:]).pow(2)),
                "You ask at each question for the y of the next point, as in language modelling. At position 2i the "
                "network has read x_i and should say y_i."),
        Mistake(_causal(lambda p, y: (p[:, 1:-1:2] - y[:, 1:]).pow(2)),
                "You ask at each answer for the next y, before x of that point was read. Ask at the questions."),
        Mistake(_causal(lambda p, y: (p[:, : y.shape[1]] - y).pow(2)), NOT_ON_QUESTIONS),
        Mistake(_causal(lambda p, y: (p - y.repeat_interleave(2, 1)).pow(2)),
                "Every output is judged, also those at the answers, where the network has just read y. Half of your "
                "loss rewards copying."),
        Mistake(_causal(mean=torch.sum),
                "You add the errors up. Average over prompts and points, else the step size depends on both numbers."),
        Mistake(_causal(mean=lambda e: e.sum(1).mean()),
                "You add the n points of a prompt up and average over prompts alone. Average over both."),
        Mistake(_causal(lambda p, y: (p[:, ::2] - y).abs()),
                "This is the absolute error: its best prediction is the median. The squared error leads to the "
                "posterior mean, with which ridge regression is compared."),
        Mistake(_causal(mean=lambda e: e.mean().sqrt()),
                "You take the root of the mean. The loss is the mean squared error itself."),
        Mistake(_causal(lambda p, y: (p[:, ::2] - y).pow(2) / 2),
                "Your loss is half the mean squared error. The minimum is the same, but the 1/2 was not asked for.",
                credit=0.5),
        Mistake(_causal(mean=lambda e: e.mean().detach()), NO_GRADIENT),
    ],
    "ridge_predictor": [
        Mistake(_shortest_fit,
                "This is least squares: it believes every y to the last digit, as if there were no noise, and "
                "explodes where points and dimensions are equally many. The prior is missing."),
        Mistake(_ridge(lambda s, t, n: s),
                "Your penalty is the noise variance alone, right only for a prior of variance 1. How strong "
                "is the prior compared with the noise?"),
        Mistake(_ridge(lambda s, t, n: 1 / t),
                "Your penalty looks at the prior alone. The noisier the data, the more the prior should count."),
        Mistake(_ridge(lambda s, t, n: t / s),
                "The penalty is upside down: noisy data should raise it, a wide prior should lower it."),
        Mistake(_ridge(lambda s, t, n: s * t),
                "You multiply the two variances. A wide prior should lower the penalty: take their ratio."),
        Mistake(_ridge(lambda s, t, n: (s / t) ** 0.5),
                "Your penalty is a ratio of standard deviations. The exponents of two Gaussians hold variances."),
        Mistake(_ridge(lambda s, t, n: (s / t) ** 2),
                "You square the variances once more. noise_var and prior_var are squares already."),
        Mistake(_ridge(lambda s, t, n: n * s / t),
                "The penalty grows with the number of points, as it does when the squared error is averaged. Here the "
                "errors are added up, so that the prior fades as points come in."),
        Mistake(_ridge(gram=lambda a, penalty: a + penalty),
                "You add the penalty to every entry of the matrix. It belongs on the diagonal: the prior says nothing "
                "about two coordinates together."),
        Mistake(_centred,
                "You subtract means, which fits an intercept. The prior has none: every line goes through the origin."),
        Mistake(_pooled,
                "One w is fitted to all prompts together. Each prompt is a task with its own w: keep the batch axis."),
        Mistake(_ridge(gram=lambda a, penalty: penalty * torch.eye(a.shape[-1]).expand(a.shape)),
                "The inputs' own second moments are missing: you only scale the correlation of x and y."),
        Mistake(_weights,
                "You return w. The prediction at the query is asked for, one number for each prompt."),
    ],
}

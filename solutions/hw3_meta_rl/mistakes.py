"""Homework 3's usual misconceptions: a wrong version of each function, and what to tell its author.

Not for students. A message must hold for every way of writing code with these outputs, name what was
misunderstood, and say where to look without giving the line away.
"""

import math

import torch
import torch.nn.functional as F
from checks import beta_quantile

from utils.grading import Mistake

# thompson_action(success, failure, u)


def _sampled(a, b):
    """Thompson sampling from Beta(a(s, f), b(s, f))."""
    return lambda s, f, u: beta_quantile(u, a(s, f), b(s, f)).argmax(1)


def _posterior(s, f, u):
    return beta_quantile(u, s + 1, f + 1)


def _mean(s, f):
    return (s + 1) / (s + f + 2)


# ucb_action(success, pulls, t, c)


def _ucb(score, untried=torch.inf):
    """argmax of score(s, n, log t, c), where arms that nobody has tried get `untried`."""
    def ucb_action(s, n, t, c):
        found = score(s.float(), n.clamp(min=1).float(), math.log(t), c)
        return found.masked_fill(n == 0, untried).argmax(1)
    return ucb_action


def _width(n, log_t):
    return (2 * log_t / n).sqrt()


def _bound(s, n, log_t, c):
    return s / n + c * _width(n, log_t)


# gittins_index(N, lam)


def _table(go=lambda p, up, down: p * (1 + up) + (1 - p) * down, stop=lambda m, lam: m * lam, value=torch.maximum,
           mean=lambda s, f: (s + 1) / (s + f + 2), find=lambda ok, lam: lam[(ok.sum(-1) - 1).clamp(min=0)]):
    """The backward recursion, one piece of it wrong."""
    def gittins_index(n, lam):
        s = torch.arange(n + 1.0)
        p = mean(s[:, None], s)[..., None]
        index, worth = torch.zeros(n + 1, n + 1, n + 1), torch.zeros(n + 1, n + 1, len(lam))
        for m in range(1, n + 1):
            k = n - m + 1
            pull, retire = go(p[:k, :k], worth[1:, :-1], worth[:-1, 1:]), stop(m, lam).expand(k, k, -1)
            index[m, :k, :k] = find(pull >= retire, lam)
            worth = value(pull, retire)
        return index
    return gittins_index


def _mean_only(n, lam):
    s = torch.arange(n + 1.0)
    return _mean(s[:, None], s).expand(n + 1, -1, -1)


# belief_update(belief, cell, hit)


def _weights(belief, cell, hit):
    """What is left of the belief after the evidence, not yet normalised."""
    return belief * (F.one_hot(cell, belief.shape[1]).bool() == hit[:, None])


def _shares(weights):
    return weights / weights.sum(1, keepdim=True)


def _update(change):
    """The right update, normalised, of something changed before: change(belief, cell, hit) -> the three."""
    return lambda *given: _shares(_weights(*change(*given)))


def _spread_evenly(belief, cell, hit):
    others = 1 - F.one_hot(cell, belief.shape[1])
    left = belief * others
    missing = (1 - left.sum(1, keepdim=True)) / others.sum(1, keepdim=True)
    return torch.where(hit[:, None], 1.0 - others, left + missing * others)


# returns_to_go(reward, episode_end, trial_end, gamma)


def _returns(reward, end, gamma, keep=lambda r, later, end, gamma: r + gamma * later * ~end):
    later, found = torch.zeros(len(reward)), []
    for t in reversed(range(reward.shape[1])):
        later = keep(reward[:, t], later, end[:, t], gamma)
        found.append(later)
    return torch.stack(found[::-1], 1)


def _starts(end):
    """True at the first step of every trial in the row."""
    return torch.cat([torch.ones_like(end[:, :1]), end[:, :-1]], 1)


def _total(reward, episode_end, trial_end, gamma):
    step = torch.arange(reward.shape[1]).expand(reward.shape)
    return _returns(reward, trial_end, gamma).gather(1, torch.where(_starts(trial_end), step, 0).cummax(1).values)


# rl2_input(obs, action, reward, done, first, k)


def _input(change=lambda parts, *given: parts, blank=lambda done, first: first):
    """Changed parts, all but the observation zero where `blank`."""
    def rl2_input(obs, action, reward, done, first, k):
        parts = [obs, F.one_hot(action, k).float(), reward[:, None], done[:, None].float()]
        obs, *rest = change(parts, action, first)
        return torch.cat([obs, torch.cat(rest, 1).masked_fill(blank(done, first)[:, None], 0)], 1)
    return rl2_input


def _action_0(obs, action, reward, done, first, k):
    return _input()(obs, action, reward, done, first, k) + F.pad(
        F.one_hot(torch.zeros_like(action), k) * first[:, None], (obs.shape[1], 2))


# policy_loss(logits, action, old_logp, advantage, clip)


def _chosen(logits, action, normalise=lambda logits: logits.log_softmax(-1)):
    return normalise(logits).gather(-1, action[..., None])[..., 0]


def _loss(combine, ratio=lambda logp, old: (logp - old).exp(), logp=_chosen, mean=torch.mean):
    """Minus the mean of combine(rho, clipped rho, advantage)."""
    def policy_loss(logits, action, old_logp, advantage, clip):
        rho = ratio(logp(logits, action), old_logp)
        return -mean(combine(rho, rho.clamp(1 - clip, 1 + clip), advantage))
    return policy_loss


def _worse(rho, clipped, advantage):
    return torch.minimum(rho * advantage, clipped * advantage)


def _clipped_product(logits, action, old_logp, advantage, clip):
    gain = (_chosen(logits, action) - old_logp).exp() * advantage
    return -torch.minimum(gain, gain.clamp(1 - clip, 1 + clip)).mean()


# her_relabel(states, u)


def _future(u):
    """j = t + floor(u (H - t))."""
    t = torch.arange(u.shape[1])
    return t + (u * (u.shape[1] - t)).long()


def _after_the_next(u):
    """j from t + 1 on, where there is such a step."""
    last = u.shape[1] - 1
    t = torch.arange(last + 1)
    return (t + 1 + (u * (last - t)).long()).clamp(max=last)


def _her(index=_future, offset=1, compare=lambda states, goals: (states[:, 1:] == goals).all(-1),
         pay=lambda reached: reached.float() - 1):
    """Goals states[index + offset], and what is paid for reaching them."""
    def her_relabel(states, u):
        row = torch.arange(len(states))[:, None]
        goals = states[row, (index(u) + offset).expand(len(states), -1)]
        return goals, pay(compare(states, goals))
    return her_relabel


# dream_exploration_reward(z, decoded, cost)


def _far(z, decoded):
    return (z[:, None] - decoded).pow(2).sum(-1)


def _dream(gain, distance=_far):
    """gain(distance before the step, distance after it) - cost."""
    def dream_exploration_reward(z, decoded, cost):
        d = distance(z, decoded)
        return gain(d[:, :-1], d[:, 1:]) - cost
    return dream_exploration_reward


def _progress(before, after):
    return before - after


MISTAKES = {
    "thompson_action": [
        Mistake(lambda s, f, u: _mean(s, f).argmax(1),
                "You act greedily: this is the arm with the best mean, and u plays no part. Thompson samples a value "
                "for each arm from its posterior."),
        Mistake(_sampled(lambda s, f: s, lambda s, f: f),
                "The prior is missing. Beta(successes, failures) is not even defined for an untried arm, whose belief "
                "is uniform. Look up the posterior of a uniform prior."),
        Mistake(_sampled(lambda s, f: f + 1, lambda s, f: s + 1),
                "Success and failure are exchanged: your arms get better with every failure. Which parameter of a Beta "
                "moves it towards 1?"),
        Mistake(lambda s, f, u: _posterior(s, f, u[:, :1].expand_as(u)).argmax(1),
                "All arms of a task share one draw, so they are compared at one quantile and nothing is independent. "
                "u holds a number for each arm."),
        Mistake(_sampled(lambda s, f: s + 1, lambda s, f: s + f + 1),
                "Your second parameter counts all pulls. A Beta's parameters count successes and failures apart, so "
                "you see every success as a failure too."),
        Mistake(lambda s, f, u: (u < _mean(s, f)).float().argmax(1),
                "You toss a coin for each arm: a draw of its next *reward*. Thompson draws what its *chance* of paying "
                "may be, which needs the whole posterior."),
        Mistake(lambda s, f, u: _posterior(s, f, u).amax(1),
                "You return the largest sample itself. The number of the arm it belongs to is asked for."),
    ],
    "ucb_action": [
        Mistake(_ucb(_bound, untried=0.0),
                "An arm that nobody has pulled gets the value 0 here. Nothing is known of it: how high could it be?"),
        Mistake(_ucb(lambda s, n, log_t, c: s / n + c * _width(n, n.log())),
                "You take the logarithm of the arm's own pulls. The bound of an arm that is left alone has to "
                "grow, so what grows under the root counts all pulls."),
        Mistake(_ucb(lambda s, n, log_t, c: s / n + c * 2 * log_t / n),
                "The root is missing. The width of a mean of n draws shrinks like 1 / sqrt(n)."),
        Mistake(_ucb(lambda s, n, log_t, c: s + c * _width(n, log_t)),
                "You add up successes, so an arm that was pulled often wins whatever it pays. Its mean belongs there."),
        Mistake(_ucb(lambda s, n, log_t, c: s / n),
                "This is greedy once every arm was tried: without the width an unlucky arm is never tried again."),
        Mistake(_ucb(lambda s, n, log_t, c: s / n - c * _width(n, log_t)),
                "You subtract the width, which is a *lower* bound. Optimism gives an uncertain arm its best case."),
        Mistake(_ucb(lambda s, n, log_t, c: s / n + c * (log_t / n).sqrt()),
                "The 2 under the root is missing, so your bound is narrower than the one asked for."),
        Mistake(_ucb(lambda s, n, log_t, c: s / n + (2 * c * log_t / n).sqrt()),
                "Your c stands under the root. It scales the width as a whole."),
        Mistake(lambda s, n, t, c: _bound(s, n + 1, math.log(t), c).argmax(1),
                "You add 1 to the pulls, so an arm that nobody has pulled gets a finite bound, and all widths are too "
                "small. Treat that arm apart."),
    ],
    "gittins_index": [
        Mistake(_mean_only,
                "This is the mean, what *one* pull is worth. The index adds what a pull teaches for the pulls after "
                "it, so it depends on how many are left."),
        Mistake(_table(stop=lambda m, lam: lam),
                "Retiring pays you lam once. The known arm can be pulled every time that is left."),
        Mistake(_table(value=lambda pull, retire: pull),
                "Whoever pulls now may still retire later. In your W that option is gone: look at what W stores."),
        Mistake(_table(go=lambda p, up, down: p * up + (1 - p) * down),
                "A success informs, but in your table it does not pay. It is worth its 1 now as well as the state it "
                "leads to."),
        Mistake(_table(stop=lambda m, lam: (m - 1) * lam),
                "Your retiree loses a pull: who retires with m pulls left pulls the known arm this time too."),
        Mistake(_table(mean=lambda s, f: torch.where(s + f > 0, s / (s + f).clamp(min=1), 0.5)),
                "The chance of a success is the mean of the posterior under a uniform prior, not the share of "
                "successes seen: one success does not make an arm certain."),
        Mistake(_table(mean=lambda s, f: (f + 1) / (s + f + 2)),
                "Your p is the chance of a *failure*. Look at how s and f enter the mean, and at which is which axis."),
        Mistake(lambda n, lam: _table()(n, lam).mT,
                "The table is right, but its axes are exchanged: successes come before failures.", credit=0.5),
        Mistake(lambda n, lam: torch.cat([torch.zeros(1, n + 1, n + 1), _table()(n, lam)[1:].flip(0)]),
                "Your first axis runs the other way. Its index is the number of pulls that are *left*.", credit=0.5),
        Mistake(_table(find=lambda ok, lam: lam[ok.sum(-1).clamp(max=len(lam) - 1)]),
                "You return the first lam at which retiring is better: one place further than the last at which "
                "pulling is still as good.", credit=0.5),
        Mistake(_table(find=lambda ok, lam: ok.sum(-1)),
                "You return positions on the grid. The values of lam at these positions are asked for.", credit=0.5),
    ],
    "belief_update": [
        Mistake(_weights,
                "The evidence is right, but your beliefs no longer add up to one. Bayes' rule has a denominator."),
        Mistake(lambda b, cell, hit: torch.where(hit[:, None], _weights(b, cell, hit).sign(), _weights(b, cell, hit)),
                "After a miss your beliefs no longer add up to one. Where does what the visited cell had go?"),
        Mistake(lambda b, cell, hit: _shares(_weights(b, cell, hit & False)),
                "You rule the cell out also when it was a hit. A hit is the opposite evidence: nothing else is left."),
        Mistake(_update(lambda b, cell, hit: (b, torch.where(hit, cell, b.argmax(1)), hit)),
                "You rule out the likeliest cell. A miss speaks of the cell that was visited, not the one hoped for."),
        Mistake(_update(lambda b, cell, hit: ((b > 0).float(), cell, hit)),
                "You share out equally among the cells that are left, so the shape of the prior is lost. What is left "
                "keeps its proportions."),
        Mistake(lambda b, cell, hit: torch.where(hit[:, None], _weights(b, cell, hit).sign(), b),
                "A miss changes nothing in your belief. Not finding the goal is evidence as well."),
        Mistake(_spread_evenly,
                "You hand what the visited cell had to all others in equal parts. Even a cell that was ruled out "
                "gets some back. Bayes' rule keeps the proportions."),
        Mistake(lambda b, cell, hit: _weights(b, cell, hit) / _weights(b, cell, hit).sum(),
                "You divide by the sum over all tasks. Each task has a belief of its own that adds up to one."),
        Mistake(lambda b, cell, hit: _weights(b, cell, hit).softmax(1),
                "You apply a softmax. These numbers are probabilities already, and a softmax gives back something even "
                "to what is impossible."),
        Mistake(lambda b, cell, hit: _shares(_weights(b, cell, ~hit) + 1e-30),
                "Hit and miss are exchanged: your belief keeps the cell after a miss and drops it after a hit."),
        Mistake(lambda b, cell, hit: b.copy_(_update(lambda *given: given)(b, cell, hit)),
                "The new belief is right, but you wrote it into the old one. Whoever still needs the old belief finds "
                "it changed.", credit=0.5),
    ],
    "returns_to_go": [
        Mistake(lambda r, ee, te, gamma: _returns(r, ee, gamma),
                "You cut at the ends of episodes. Then exploring in the first episode earns nothing in the second: "
                "RL²'s return spans the whole trial."),
        Mistake(lambda r, ee, te, gamma: _returns(r, te & False, gamma),
                "Nothing is cut, so the rewards of another trial, another task, leak into this one's."),
        Mistake(_total,
                "All steps of a trial get the same total. What was paid before an action is not its doing."),
        Mistake(lambda r, ee, te, gamma: _returns(r * gamma ** torch.arange(r.shape[1]), te, 1.0),
                "You discount from the beginning of the row. G_t counts time from t on: its own reward has weight 1."),
        Mistake(lambda r, ee, te, gamma: _returns(r, te, gamma) - r,
                "The action's own reward is left out. It is the first term of the return."),
        Mistake(lambda r, ee, te, gamma: _returns(r.flip(1), _starts(te).flip(1), gamma).flip(1),
                "You add up what came *before*. A return-to-go looks ahead."),
        Mistake(lambda r, ee, te, gamma: _returns(r, te, 1.0), "Nothing is discounted: gamma plays no part."),
        Mistake(lambda r, ee, te, gamma: gamma * _returns(r, te, gamma),
                "Your returns are discounted once too often: the reward of step t itself is not."),
        Mistake(lambda r, ee, te, gamma: _returns(r, te, gamma, lambda r, later, end, g: (r + g * later) * ~end),
                "The reward of a trial's last step gets lost. Nothing follows that step, but it is paid."),
        Mistake(lambda r, ee, te, gamma: _returns(r, F.pad(te[:, 1:], (0, 1)), gamma),
                "You cut one step too early: the last step of a trial still belongs to it. Look at which side of the "
                "end the cut lies."),
        Mistake(lambda r, ee, te, gamma: _returns(r, F.pad(te[:, :-1], (1, 0)), gamma),
                "You cut one step too late: the first reward of the next trial still gets in. Look at which side of "
                "the end the cut lies."),
    ],
    "rl2_input": [
        Mistake(_input(lambda parts, action, first: [parts[0], action[:, None].float(), *parts[2:]]),
                "The action enters as a number. Arm 3 is not three times arm 1: actions are names, a column each."),
        Mistake(_input(lambda parts, *given: [*parts[:2], parts[3]]),
                "The reward is missing. Without it the memory cannot find out which task it is in."),
        Mistake(_input(lambda parts, *given: parts[:3]),
                "The end of the episode is missing. The memory survives it, and must know that the world began anew."),
        Mistake(_input(blank=lambda done, first: done),
                "You start from nothing after each episode. An episode's end is information, to be carried over; only "
                "a new trial starts from nothing."),
        Mistake(_input(blank=lambda done, first: first & False),
                "Nothing is ever set to zero, so the last action and reward of another task enter a new trial."),
        Mistake(_action_0,
                "At the first step of a trial you claim that the last action was number 0. There was none: what is the "
                "one-hot code of nothing?"),
        Mistake(_input(lambda parts, action, first: [parts[0], parts[1] * ~first[:, None], *parts[2:]],
                       lambda done, first: first & False),
                "Of what came before a new trial only the action is blotted out. Its reward and its end belong to "
                "another task as well."),
        Mistake(lambda obs, a, r, done, first, k: _input()(obs * ~first[:, None], a, r, done, first, k),
                "You blot out the observation too. It belongs to the new trial already."),
        Mistake(_input(lambda parts, *given: [*parts[:3], 1 - parts[3]]),
                "Your last column says that the episode goes *on*. It should be 1 where one has ended.", credit=0.5),
        Mistake(_input(blank=lambda done, first: ~first),
                "You keep only what should go: the past is zero in the middle of a trial and present at its start."),
        Mistake(_input(lambda parts, *given: [*parts[:1], parts[2], parts[1], parts[3]]),
                "All is there, but the reward stands before the action. The docstring gives the order.", credit=0.5),
    ],
    "policy_loss": [
        Mistake(lambda *a: -_loss(_worse)(*a),
                "The sign is wrong: going down this loss makes good actions rarer."),
        Mistake(_loss(lambda rho, clipped, A: torch.maximum(rho * A, clipped * A)),
                "You take the more optimistic of the two terms, so nothing ever holds a large step back."),
        Mistake(_loss(lambda rho, clipped, A: clipped * A),
                "You only use the clipped ratio. Outside the range it has no gradient, so a policy that went too far "
                "the wrong way never comes back: what is the other term for?"),
        Mistake(_loss(lambda rho, clipped, A: rho * A),
                "Nothing is clipped, so one batch may move the policy as far as it likes."),
        Mistake(_loss(_worse, ratio=lambda logp, old: logp - old),
                "Your rho is a difference of log-probabilities. How does it become a ratio of probabilities?"),
        Mistake(_loss(_worse, ratio=lambda logp, old: (old - logp).exp()),
                "Your ratio is upside down: the old policy stands above."),
        Mistake(_loss(_worse, ratio=lambda logp, old: (logp - logp.detach()).exp()),
                "You compare the new policy with itself, so the ratio is always 1. The old one came with the batch."),
        Mistake(_loss(lambda rho, clipped, A: rho * A, ratio=lambda logp, old: logp),
                "This is the plain policy gradient, log-probability times advantage. It forgets that another policy "
                "chose the actions: PPO weighs them by a ratio."),
        Mistake(_clipped_product,
                "You clip the ratio times the advantage. The range is one for the ratio alone."),
        Mistake(_loss(_worse, logp=lambda logits, action: _chosen(logits, action, lambda logits: logits)),
                "You take logits for log-probabilities. They are not normalised yet."),
        Mistake(_loss(_worse, logp=lambda logits, action: _chosen(logits, action, lambda v: v.log_softmax(1))),
                "Your softmax runs over the steps. At every step, the probabilities of the k actions add up to one."),
        Mistake(_loss(_worse, mean=torch.sum),
                "You add up. The mean over tasks and steps is asked for: else the step grows with the batch."),
        Mistake(lambda *a: _loss(_worse)(*a).detach(),
                "The loss is right, but no gradient comes back from it: look for a detach, .item() or no_grad."),
    ],
    "her_relabel": [
        Mistake(_her(compare=lambda states, goals: torch.zeros(goals.shape[:2], dtype=torch.bool)),
                "The goals are new, the rewards old: -1 everywhere. Against its new goal a step may have succeeded."),
        Mistake(_her(lambda u: (u * u.shape[1]).long()),
                "Your goals come from the whole episode. What was reached before step t is no consequence of it."),
        Mistake(_her(offset=0),
                "You take the state *before* step j. For j = t that is where the agent already stands, and the last "
                "state is never a goal."),
        Mistake(_her(compare=lambda states, goals: (states[:, :-1] == goals).all(-1)),
                "You compare the goal with the state in which the action was chosen, not with the one that it led to."),
        Mistake(_her(lambda u: torch.full(u.shape, u.shape[1] - 1)),
                "Your goal is always the last state. That is the strategy 'final'; for 'future', u chooses."),
        Mistake(_her(lambda u: torch.arange(u.shape[1])),
                "Your goal is always the very next state, so every step succeeds and nothing is learned about goals "
                "further away. u chooses among all that follow."),
        Mistake(_her(lambda u: _future(u[:, :1].expand_as(u))),
                "One draw decides for all steps of an episode. Each step has its own number in u."),
        Mistake(_her(_after_the_next),
                "You leave out j = t. The state that step t itself reaches is a fair goal for it, and the only one "
                "with reward 0 in most rows."),
        Mistake(_her(lambda u: (torch.arange(u.shape[1]) + (u * u.shape[1]).long()).clamp(max=u.shape[1] - 1)),
                "You jump up to H steps ahead and stop at the last state, which is drawn too often. Each later state "
                "should be equally likely."),
        Mistake(_her(pay=lambda reached: reached.float()),
                "Your rewards are 1 and 0. Here a step costs 1 until the goal is reached: -1 and 0."),
        Mistake(_her(pay=lambda reached: -reached.float()),
                "Your rewards are exchanged: the step that reaches the goal is the only one that costs."),
        Mistake(_her(compare=lambda states, goals: (states[:, 1:] == goals).any(-1)),
                "You accept a state as soon as one of its bits is right. The goal is reached when all are."),
    ],
    "dream_exploration_reward": [
        Mistake(_dream(lambda before, after: after - before),
                "You pay for knowing less: look at which distance shrinks when the decoder learns something."),
        Mistake(_dream(lambda before, after: -after),
                "You pay for being near z, at every step again. Pay for the improvement alone: then the sum "
                "telescopes, and staying near the source earns nothing."),
        Mistake(_dream(lambda before, after: before[:, :1] - after),
                "You measure the progress since the *beginning*, so what was learned once is paid again at each later "
                "step. Each step should be paid for its own."),
        Mistake(_dream(lambda before, after: F.pad(before[:, :1] - after[:, -1:], (after.shape[1] - 1, 0))),
                "All the pay comes at the end. The step that learned something should earn it, so that credit need not "
                "find its way back."),
        Mistake(_dream(_progress, lambda z, decoded: _far(z, decoded).sqrt()),
                "You take the distance, not its square. The log-density of a Gaussian falls with the square."),
        Mistake(_dream(_progress, lambda z, decoded: _far(z, decoded) / z.shape[1]),
                "You average over the components of z. The square of a length is their sum."),
        Mistake(lambda z, decoded, cost: _dream(_progress)(z, decoded, -cost),
                "A step is paid instead of costing something: your agent will dawdle."),
        Mistake(lambda z, decoded, cost: _dream(_progress)(z, decoded, 0.0),
                "The cost is missing: without it nothing presses the agent to find out quickly."),
        Mistake(_dream(lambda before, after: (before - after).clamp(min=0)),
                "You only count gains. A step that misleads the decoder has to cost, else going to and fro between "
                "knowing and not knowing earns without end."),
        Mistake(lambda z, decoded, cost: _dream(lambda *_: (decoded[:, 1:] - decoded[:, :-1]).pow(2).sum(-1))(
                    z, decoded, cost),
                "You pay for every change of the guess. Only a change *towards z* is worth something."),
        Mistake(_dream(lambda before, after: (before - after) / 2),
                "Half of what was asked for: the 1/2 in a Gaussian's log-density belongs to its variance, which is "
                "fixed and left out here.", credit=0.5),
    ],
}

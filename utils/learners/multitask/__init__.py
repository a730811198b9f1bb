"""How one network trades T tasks against each other: one method a file, a dozen readable lines each.

G [T, P] holds the tasks' gradients as rows, M = G G' their Gramian [T, T]: lengths on the diagonal, conflicts beside
it. Nearly every method needs no more than M, which is tiny, so it costs next to nothing on top of the T gradients.

    gradients    jacobian(losses, parameters) -> G; gramian(G) -> M; assign(parameters, update) for an optimiser

Which direction? weights(M, ...) -> w [*B, T], and the update is w G. M may have leading axes: many points at once.
Lengths are the papers' own: pcgrad is a sum over tasks, nash has length sqrt(T), imtl_g's weights sum to 1, and so on.
Weights are finite for any finite M, also where gradients are zero, equal or opposed.
    uniform      w = 1/T each: the gradient of the mean loss
    pcgrad       each gradient loses its conflicts with the others, then all are added (Yu et al., 2020)
    mgda         the shortest vector in the hull of the gradients (Desideri, 2012; Sener & Koltun, 2018)
    cagrad       the best worst case in a ball around the mean (Liu et al., 2021)
    nash         the Nash bargaining solution (Navon et al., 2022)
    imtl_g       the same projection onto every task's unit gradient (Liu et al., 2021)
    aligned      gradients made orthogonal and equally long (Senushkin et al., 2023)

How much does each loss count?
    uncertainty  learned log-variances (Kendall, Gal & Cipolla, 2018)
    gradnorm     weights that equalise gradient norms and training rates (Chen et al., 2018)
    dwa          weights from how fast each loss fell (Liu, Johns & Davison, 2019)
    random       weights drawn anew in every step (Lin et al., 2022)
    famo         balances log-losses without a second backward pass (Liu et al., 2023)
"""

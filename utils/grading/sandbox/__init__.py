"""Where student code runs when it is graded: torch is loaded once, and each visit is a forked, confined child.

    trusted process (client.py)                    started by isolation.py, holds no secret (zygote.py)
    inputs, references, comparison  <- wire.py ->  one child a visit (child.py), confined (confine.py,
                                                   seccomp.py, landlock.py)

The child reads the notebook, the public checks.py and inputs; arrays come back. Nothing that comes back is unpickled
or evaluated, and no word of it counts as a verdict.
"""

BOX = "/box"  # the working folder inside bubblewrap

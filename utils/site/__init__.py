"""The course as a web site: `course site` puts every page into one temporary tree, and Sphinx builds it offline.

    pages        the tree: notebooks, homework texts and guides, with links that hold there
    docstrings   docstrings as reStructuredText, for the reference of `utils`
    build        Sphinx over that tree, then the swap: the old site stands until the new one is complete

The settings of Sphinx are in docs/conf.py. Nothing is executed: pictures and text are the notebooks' stored outputs.
"""

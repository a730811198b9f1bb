"""Settings of Sphinx for the web site; `course site` builds it (utils/site)."""

import sys

from utils.site.docstrings import restructured

project = "Deep multi-task and meta-learning"
html_title = project
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.mathjax"]
root_doc = "index"
language = "en"
smartquotes = False
highlight_language = "none"  # of blocks that do not name theirs: commands, tables

nb_execution_mode = "off"
nb_ipywidgets_js = {}
nb_render_markdown_format = "myst"
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 4

mathjax_path = "mathjax/tex-chtml.js"
myst_update_mathjax = False  # formulas inside raw HTML, such as folded answers, are typeset too
mathjax3_config = {
    "tex": {"inlineMath": [["$", "$"], ["\\(", "\\)"]]},
    "options": {"enableMenu": False},
}

autodoc_mock_imports = [] if sys.platform.startswith("linux") else ["fcntl", "resource"]  # the sandbox needs Linux
autodoc_default_options = {"members": True, "undoc-members": True, "ignore-module-all": True}
add_module_names = False
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
autodoc_use_type_comments = False
python_use_unqualified_type_names = True

html_theme = "sphinx_book_theme"
html_static_path = ["_static"]
templates_path = ["_templates"]
html_sidebars = {"**": ["home.html", "search-button-field.html", "sbt-sidebar-nav.html"]}
html_favicon = "_static/favicon.svg"
html_context = {"default_mode": "auto"}
html_css_files = ["site.css"]
html_js_files = [("site.js", {"defer": "defer"})]
html_copy_source = False
html_use_index = html_domain_indices = False
html_theme_options = {
    "home_page_in_toc": True,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "navbar_persistent": [],
    "footer_content_items": ["extra-footer.html"],
    "extra_footer": "<p>Code: MIT License. Text and figures: CC BY 4.0.</p>",
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}


def setup(app) -> None:
    """Read docstrings as the course writes them, and serve the files that the tree brings along."""

    def process(app, what, name, obj, options, lines) -> None:
        lines[:] = restructured(lines)

    def skip(app, what, name, obj, skip, options) -> bool | None:
        return True if (getattr(obj, "__doc__", None) or "").startswith("Alias for field number") else None

    def signature(app, what, name, obj, options, arguments, returns) -> tuple:  # a factory's default has no source
        return arguments and arguments.replace("<factory>", "..."), returns

    def headers(app, page, template, context, doctree) -> None:  # an empty cell heads nothing
        context["body"] = context.get("body", "").replace('<th class="head"><p></p></th>', "<td></td>")

    app.connect("autodoc-process-docstring", process)
    app.connect("autodoc-skip-member", skip)
    app.connect("autodoc-process-signature", signature)
    app.connect("html-page-context", headers)
    app.config.html_static_path.append(str(app.srcdir / "_static"))

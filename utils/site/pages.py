"""The tree that Sphinx reads: copies of all pages in the places that they have in the repository."""

import base64
import html
import os
import re
import shutil
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import nbformat

START = "lectures/00_start_here.ipynb"
GUIDES = ("docs/student.md", "docs/instructor.md", "docs/grading.md", "CONTRIBUTING.md", "README.md")
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
STILL = "*On this page the figures stand still. In JupyterLab they move: `make lab`, then open `{}`.*"
TO_DO = "*This is the text. Write and check your answers in JupyterLab: `make lab`, then open `{}`.*"
MATHJAX = ("tex-chtml.js", "output/chtml")


@dataclass(frozen=True)
class Tree:
    """A checkout and the folder into which its pages go; `pages` holds {file in the checkout: file in the folder}."""

    root: Path
    folder: Path
    pages: dict[str, str]


def write(root: Path, folder: Path) -> None:
    """Write the tree of the checkout `root` into `folder`."""
    lectures, homework = ([p.relative_to(root).as_posix() for p in sorted(root.glob(pattern))]
                          for pattern in ("lectures/*.ipynb", "homework/*/*.ipynb"))
    others = sorted(p.relative_to(root).as_posix() for p in (root / "docs").glob("*.md"))
    guides = [name for name in dict.fromkeys((*GUIDES, *others)) if (root / name).exists()]
    tree = Tree(root, folder, {name: name for name in (*lectures, *homework, *guides)} | {START: "index.ipynb"})
    chapters = {"Lectures": lectures, "Homework": homework, "Guides": guides}
    for name in tree.pages:
        (folder / tree.pages[name]).parent.mkdir(parents=True, exist_ok=True)
        write_guide(tree, name) if name in guides else write_notebook(tree, name, contents(chapters))
    write_reference(tree)
    mathjax(folder / "_static/mathjax")


def write_guide(tree: Tree, name: str) -> None:
    """A Markdown file, with its links."""
    text = relinked(tree, name, (tree.root / name).read_text(encoding="utf-8"))
    (tree.folder / tree.pages[name]).write_text(text, encoding="utf-8")


def write_notebook(tree: Tree, name: str, toctrees: str) -> None:
    """A notebook as a page: links, headings below one title, pictures as files, and where to run it."""
    notebook = nbformat.read(tree.root / name, as_version=4)
    cells = notebook.cells
    titled = False
    for number, cell in enumerate(cells):
        if cell.cell_type == "markdown":
            cell.source = relinked(tree, name, cell.source)
            if titled:  # homework calls its parts by a heading of the first level too
                cell.source = re.sub(r"^# ", "## ", cell.source, flags=re.MULTILINE)
            titled = True
        elif cell.cell_type == "code":
            write_outputs(tree, tree.pages[name], number, cell)
    if name == START:
        cells.append(nbformat.v4.new_markdown_cell(toctrees))
    else:
        note = TO_DO if name.startswith("homework/") else STILL
        cells.insert(1, nbformat.v4.new_markdown_cell(note.format(name)))
    nbformat.write(notebook, tree.folder / tree.pages[name])


def write_outputs(tree: Tree, page: str, number: int, cell) -> None:
    """Make files and `img` elements of a code cell's pictures; what JupyterLab folds stays folded."""
    if cell.metadata.get("jupyter", {}).get("source_hidden"):
        cell.metadata["tags"] = [*cell.metadata.get("tags", []), "hide-input"]
    up = "../" * page.count("/")
    for index, output in enumerate(cell.outputs):
        if "image/png" not in output.get("data", {}):
            continue
        file = f"_static/pictures/{Path(page).stem}-{number}-{index}.png"
        (tree.folder / file).parent.mkdir(parents=True, exist_ok=True)
        content = base64.b64decode(output.data.pop("image/png"))
        (tree.folder / file).write_bytes(content)
        alt = output.metadata.get("image/png", {}).get("alt") or output.data["text/plain"]
        output.data = {"text/html": picture(up + file, content, alt)}


def picture(address: str, content: bytes, alt: str) -> str:
    """An `img`; after its first line, alt text is what stands under the picture in JupyterLab, so it does here."""
    width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))  # PNG's first chunk
    first, *reading = map(html.escape, alt.splitlines())
    caption = f"<figcaption>{'<br>'.join(reading)}</figcaption>" if reading else ""
    return (f'<figure class="course-picture"><img src="{address}" alt="{first}" width="{width}" height="{height}" '
            f'loading="lazy">{caption}</figure>')


def relinked(tree: Tree, name: str, text: str) -> str:
    """Text with links that hold in the tree: to its pages, to copies of other files, or none to what is not shown."""
    here = (tree.folder / tree.pages[name]).parent

    def link(match: re.Match) -> str:
        image, label, target = match.groups()
        path, hash_, anchor = target.partition("#")
        if not path or re.match(r"[a-z]+:", path):
            return match[0]
        source = ((tree.root / name).parent / path).resolve()
        if source.is_dir() or not source.is_relative_to(tree.root) or source.is_relative_to(tree.root / "solutions"):
            return label
        file = source.relative_to(tree.root).as_posix()
        copy = tree.folder / tree.pages.get(file, file)
        if file not in tree.pages and source.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
        return f"{image}[{label}]({Path(os.path.relpath(copy, here)).as_posix()}{hash_}{anchor})"

    return LINK.sub(link, text)


def write_reference(tree: Tree) -> None:
    """A page for each package of `utils`, with a section for each module."""
    (tree.folder / "api").mkdir()
    for init in sorted((tree.root / "utils").rglob("__init__.py")):
        package = ".".join(init.parent.relative_to(tree.root).parts)
        modules = [f"{package}.{path.stem}" for path in sorted(init.parent.glob("[!_]*.py"))]
        titles = {package: "=", **dict.fromkeys(modules, "-")}
        text = "\n\n".join(f"{name}\n{line * len(name)}\n\n.. automodule:: {name}" for name, line in titles.items())
        (tree.folder / f"api/{package}.rst").write_text(text, encoding="utf-8")


def contents(chapters: dict[str, list[str]]) -> str:
    """The toctrees of the start page, which make the sidebar."""
    entries = {caption: [Path(name).with_suffix("").as_posix() for name in names if name != START]
               for caption, names in chapters.items()}
    entries |= {"Guides": [name.replace("README", "About the course <README>") for name in entries["Guides"]],
                "Reference": ["api/*"]}
    blocks = (["```{toctree}", ":hidden:", ":glob:", f":caption: {caption}", "", *names, "```", ""]
              for caption, names in entries.items())
    return "\n".join(line for block in blocks for line in block)


def mathjax(folder: Path) -> None:
    """Copy the part of MathJax that pages load, from the package that ships it."""
    files = metadata.distribution("sphinx-mathjax-offline").files
    for file in files:
        _, _, inside = file.as_posix().partition("/static/mathjax/")
        if inside.startswith(MATHJAX):
            (folder / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.locate(), folder / inside)

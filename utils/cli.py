"""The `course` command. Each subcommand imports what it needs only when it is called."""

import argparse
import importlib.metadata
import subprocess
import sys
from pathlib import Path

from utils import cli_grading
from utils.paths import course_root


class Parser(argparse.ArgumentParser):
    """argparse, with one sentence instead of a page when the input is not understood."""

    def error(self, message: str):
        self.exit(2, f"{self.prog}: {message}. See: {self.prog} --help\n")


def lab(arguments) -> int:
    from utils.lab import lab

    return lab(arguments.notebook, arguments.present, not arguments.no_browser, arguments.port)


def doctor(arguments) -> int:
    from utils.doctor import doctor

    return doctor()


def check(arguments) -> int:
    from utils.lab import find

    folder = arguments.folder
    if not folder.is_dir():
        notebook = folder if folder.suffix == ".ipynb" and folder.is_file() else find(str(folder))
        if notebook is None:
            print(f"course check: there is no folder {folder}; hw2 or homework/hw2_metric_and_maml names one.",
                  file=sys.stderr)
            return 2
        folder = notebook.parent
    from utils.grading.terminal import check_folder

    return check_folder(folder)


def release(arguments) -> int:
    from utils.grading.release import release

    return release(arguments.homework, arguments.check)


def data(arguments) -> int:
    from utils.tasks import glyphs, omniglot

    if arguments.name != "omniglot":
        print(f"Glyphs: {len(glyphs.load())} letters are ready.")
    return omniglot.fetch() if arguments.name != "glyphs" else 0


def notebooks(arguments) -> int:
    from utils.notebooks import notebooks

    return notebooks(arguments.path, arguments.execute, arguments.check)


def site(arguments) -> int:
    from utils.site.build import site

    return site()


def bench(arguments) -> int:
    only = ["--only", *arguments.only] if arguments.only else []
    return subprocess.call([sys.executable, "-m", "benchmarks", *only], cwd=course_root())


def build_parser() -> Parser:
    """The map: one subparser a command, its function in `run`."""
    parser = Parser(prog="course", description="Everything the course can do, from the terminal.")
    version = importlib.metadata.version("metalearning-course")
    parser.add_argument("-V", "--version", action="version", version=f"metalearning-course {version}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(run, text: str) -> Parser:
        sub = commands.add_parser(run.__name__, help=text, description=text[0].upper() + text[1:] + ".")
        sub.set_defaults(run=run)
        return sub

    sub = command(lab, "open JupyterLab at the start page, or at NOTEBOOK")
    sub.add_argument("notebook", nargs="?", metavar="NOTEBOOK", help="a path, or a number such as 06 or hw2")
    sub.add_argument("--present", action="store_true", help="as a talk, slide by slide, with live figures")
    sub.add_argument("--no-browser", action="store_true", help="print the address only")
    sub.add_argument("--port", type=int, help="the port to listen at (8888)")
    command(doctor, "say what works on this machine, and what to do about the rest")
    sub = command(check, "check a homework folder, as its notebook does")
    sub.add_argument("folder", type=Path, metavar="FOLDER", help="or its notebook, or its number, such as hw2")
    sub = command(release, "write homework/ from solutions/ (all, or those named)")
    sub.add_argument("homework", nargs="*", metavar="HW")
    sub.add_argument("--check", action="store_true", help="write nothing; fail when homework/ is stale")
    cli_grading.add(command)
    sub = command(data, "fetch or make the data sets (both, or the one named)")
    sub.add_argument("name", nargs="?", choices=["omniglot", "glyphs"], metavar="omniglot|glyphs")
    sub = command(notebooks, "put notebooks in their normal form (all, or those named)")
    sub.add_argument("path", nargs="*", type=Path, metavar="PATH")
    sub.add_argument("--execute", action="store_true", help="execute lectures and solutions first")
    sub.add_argument("--check", action="store_true", help="write nothing; fail on what would change")
    command(site, "build the web site of the course in site/, without a network")
    sub = command(bench, "measure our speed against other libraries, in one run")
    sub.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these benchmarks only")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit status is 0 when all is well, 2 when the input was not understood."""
    for stream in (sys.stdout, sys.stderr):  # Windows' encoding of a file may lack a student's letters
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    arguments = build_parser().parse_args(argv)
    try:
        return arguments.run(arguments)
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())

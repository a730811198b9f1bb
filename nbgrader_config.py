"""nbgrader beside `course`: solutions/ is its source folder. What students get comes from `course release`."""

c = get_config()  # noqa: F821
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "mistakes.py"]  # no misconception leaks

"""The shared package of the course: tasks, learners, live figures and grading. Importing it is free."""

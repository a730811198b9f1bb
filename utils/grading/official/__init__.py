"""Official grades: who handed in what, one record for each submission, and the files that come of the records.

The contract between the parts. Everything here is trusted; student code runs in `utils.grading.sandbox` only.

    submissions.collect(paths, homework) -> (submissions, problems)     what was handed in, never executed or parsed
    key.Key                                                             what the trusted side alone knows
    grade.grade(key, sandbox, submission) -> record                     one submission
    store                                                               records on disk, journal, resume
    report                                                              tables and pages from records, nothing else

A **record** is a JSON object, the one truth about a submission; tables and pages are made from records alone:

    format       1
    student      the student's id, safe as a file name and unique within a run
    identity     what the platform knows: {"name": ..., "canvas_id": ..., "sid": ..., "email": ...}, all optional
    homework     "hw2_metric_and_maml"
    source       where the submission lay, for a person: "week5.zip/doejane_123_456_hw2.ipynb"
    sha256       of the submitted bytes; null where there were none
    submitted    ISO time or null
    late         true if the platform said so
    others       earlier attempts and further files that were not counted, for a person
    status       "graded" or "needs a person"
    problem      null, or the sentence that says what a person has to decide
    notes        sentences for the student about the import: skipped cells and the like
    isolation    "sandbox", "container" or "none"
    key          digest of homework version and seeds
    exercises    [{"name", "points", "earned", "kind", "message", "misconception", "seconds"}], every exercise, in
                 the homework's order; kind and misconception as in `judge.Verdict`, and 'time limit' or 'died'
    written      [{"name": "question_1", "title": "Question 1", "points": 3, "answer": text or null}] for a person
    seeds        {"exercise": [fresh seeds]}
    versions     {"course", "python", "torch", "numpy"}
    times        {"graded": ISO time, "seconds": wall clock}

`message` is for the student: it comes from a process that has seen public cases only, so it holds no hidden value.
All text in a record that came from a submission or a platform is hostile until it is escaped.
"""

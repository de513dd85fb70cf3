"""Reports each check as one JSON line, which clients/suites/programs.ts reads."""

import json
import traceback


def check(name):
    """Runs the decorated function at once, as a check of that name."""

    def decorate(function):
        outcome = {"name": name}
        try:
            function()
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)
            lines = [str(frame.lineno) for frame in where if frame.filename == __import__("sys").argv[0]]
            outcome["error"] = f"{type(error).__name__}: {error} (line {', '.join(lines)})"
        print(json.dumps(outcome), flush=True)
        return function

    return decorate


def equal(actual, expected, what="value"):
    if actual != expected:
        raise AssertionError(f"{what}: expected {short(expected)}, got {short(actual)}")


def contains(text, part):
    if part not in text:
        raise AssertionError(f"expected {short(part)} in {short(text)}")


def short(value):
    text = repr(value)
    return text if len(text) <= 600 else f"{text[:600]}… ({len(text)} characters)"

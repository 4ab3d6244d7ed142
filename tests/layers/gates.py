"""What the gates of this folder share: a sample of headers for their self-tests, and their main."""
import pathlib
import tempfile


def check_sample(check, sample):
    """What check() says of include/sluice with these headers: {path: text}."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in sample.items():
            file = pathlib.Path(folder, "sluice", path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return check(folder)


def main(arguments, check, self_test, right):
    """Prints what check finds in the include folder, or what is right; gives the status to exit with.

    check gives (problems, how many things it looked at), self_test a list of what it did not notice.
    """
    if "--self-test" in arguments:
        failed = self_test()
        print("\n".join(failed) or "self-test passed")
        return 1 if failed else 0
    include = pathlib.Path(arguments[0] if arguments else pathlib.Path(__file__).parents[2] / "include").resolve()
    problems, count = check(include)
    problems = problems or ["nothing there to check"] * (count == 0)
    print("\n".join(problems) or right.format(count))
    return 1 if problems else 0

"""A sample of headers, for the self-tests of the gates in this folder."""
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

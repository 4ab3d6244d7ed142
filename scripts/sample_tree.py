"""A small tree of files in a folder of its own, for the self-tests of checks that read a tree."""
import pathlib
import tempfile


def found(problems, files):
    """What problems(root) says of a tree with those files: name to text."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return list(problems(pathlib.Path(folder)))

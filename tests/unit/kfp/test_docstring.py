"""What a component says of itself is read from its file, without importing it."""

from pathlib import Path

from seaway.kfp import docstring
from seaway.kfp.docstring import Docstring

SOURCE = '''
import a_module_that_is_not_there

def step(train, model) -> float:
    """Train it.

    As long as needed:
    no longer.

    Args:
        train: Rows, of
            which there are many.
        model (Model): What comes out.

    Returns:
        loss: The last one.

    Raises:
        TrainingFailed: it diverged.
    """

def bare(): pass
'''


def test_text_and_sections(tmp_path: Path) -> None:
    (tmp_path / "component.py").write_text(SOURCE)
    told = docstring.read(tmp_path / "component.py", "step")
    assert told.text == "Train it.\n\nAs long as needed:\nno longer."
    assert told.arguments == {"train": "Rows, of which there are many.", "model": "What comes out."}
    assert told.raises == {"TrainingFailed": "it diverged."}
    assert told.outputs == {**told.arguments, "loss": "The last one."}


def test_a_function_that_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "component.py").write_text(SOURCE)
    assert docstring.read(tmp_path / "component.py", "bare") == Docstring()

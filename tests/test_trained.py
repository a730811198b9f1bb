"""Stored results: they say how they were made, are small, and are written at once or not at all."""

import pytest
import torch

from benchmarks import keep
from utils import trained


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of our own."""
    monkeypatch.setattr(trained, "FOLDER", tmp_path)
    return tmp_path


def test_what_is_saved_comes_back_with_its_story(folder):
    """Tensors, and the command, seeds and cost."""
    trained.save("net", {"w": torch.arange(6.0).view(2, 3)}, "python -m x", "seeds 0 to 2", 12.4)
    tensors, how = trained.load("net")
    assert torch.equal(tensors["w"], torch.arange(6.0).view(2, 3))
    assert how == {"command": "python -m x", "seeds": "seeds 0 to 2", "cpu_seconds": "12"}
    assert [p.name for p in folder.iterdir()] == ["net.safetensors"]


def test_too_much_is_refused_before_anything_is_written(folder):
    """300 kB are enough for what a lecture shows."""
    with pytest.raises(ValueError, match="400000 bytes of tensors, at most 300000"):
        trained.save("net", {"w": torch.zeros(100_000)}, "python -m x", "seed 0", 1)
    assert not list(folder.iterdir())


def test_a_missing_result_names_those_that_there_are(folder):
    """And the command that makes it."""
    trained.save("there", {"w": torch.zeros(2)}, "python -m x", "seed 0", 1)
    with pytest.raises(FileNotFoundError, match=r"called 'nothing'; there is: there\. `python -m benchmarks.keep"):
        trained.load("nothing")


@pytest.mark.parametrize("path", sorted(trained.FOLDER.glob("*.safetensors")), ids=lambda p: p.stem)
def test_stored_results_are_small_finite_and_can_be_made_again(path):
    """Each names a command that the benchmarks know."""
    tensors, how = trained.load(path.stem)
    assert path.stat().st_size <= trained.LARGEST + 10_000
    assert how["command"] == f"python -m benchmarks.keep {path.stem}" and path.stem in keep.RESULTS
    assert all(t.isfinite().all() for t in tensors.values() if t.is_floating_point())

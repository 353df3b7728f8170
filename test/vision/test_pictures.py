"""Pictures beside the run."""

from pathlib import Path

import numpy as np
import pytest

from orchestrator.vision.model import Picture
from orchestrator.vision.pictures import Pictures, PicturesError, find, folder_of, names


def picture(grey: int) -> Picture:
    return Picture.of(np.full((40, 60, 3), grey, np.uint8))


def test_a_picture_is_found_by_its_name_after_a_restart(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "day.run")
    one = picture(1)
    assert Pictures(folder).keep(one, bad=True) == one.sha256
    again = Pictures(folder)
    assert (len(again), again.bytes) == (1, len(one.data))
    found = find(folder, one.sha256)
    assert found is not None and found.data == one.data
    assert list(names(folder)) == [one.sha256]


def test_the_same_picture_lies_there_once_and_as_a_bad_one(tmp_path: Path) -> None:
    kept = Pictures(tmp_path)
    for bad in (False, False, True, False):
        kept.keep(picture(1), bad=bad)
    assert len(kept) == 1 and len(list((tmp_path / "bad").iterdir())) == 1


def test_at_the_bound_the_oldest_good_ones_go_first(tmp_path: Path) -> None:
    size = len(picture(1).data)
    kept = Pictures(tmp_path, bytes_max=3 * size + size // 2)
    bad, old, new = picture(1), picture(2), picture(3)
    kept.keep(bad, bad=True)
    for good in (old, new, picture(4)):
        kept.keep(good, bad=False)
    assert find(tmp_path, bad.sha256) and find(tmp_path, new.sha256)
    assert find(tmp_path, old.sha256) is None
    assert kept.bytes <= 3 * size + size // 2
    for grey in (5, 6, 7, 8):
        kept.keep(picture(grey), bad=True)
    assert find(tmp_path, bad.sha256) is None and len(kept) == 3


def test_what_was_half_written_or_changed_is_not_taken(tmp_path: Path) -> None:
    one = picture(1)
    Pictures(tmp_path).keep(one, bad=False)
    (tmp_path / "ok" / "x.part").write_bytes(b"half")
    assert len(Pictures(tmp_path)) == 1 and not (tmp_path / "ok" / "x.part").exists()
    (tmp_path / "ok" / f"{one.sha256}.jpg").write_bytes(b"something else")
    assert find(tmp_path, one.sha256) is None
    assert find(tmp_path, "../../etc/passwd") is None


def test_a_file_in_the_place_of_the_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PicturesError, match="name another one"):
        Pictures(tmp_path / "file")

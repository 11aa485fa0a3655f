"""The pictures in the documentation are what the program draws: `TEARLINE_PICTURES=1` writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tearline.demo import scenes
from tearline.demo.coalition import agreements
from tearline.media import Make, Preview
from tearline.media.signals import pack
from tests.quick_sandbox import quick, remembered

IMAGES = Path(__file__).parents[3] / "docs" / "images"
FORMS = {form.name: form for agreement in agreements() for form in agreement.forms}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files of the demo, and two of their forms."""
    folder = tmp_path_factory.mktemp("scenes")
    found = {each.path.stem: each.path for each in scenes.make(folder)}
    found["channel"] = folder / "channel.sigmf"
    with found["channel"].open("wb") as out:
        pack(folder / "channel.sigmf-meta", folder / "channel.sigmf-data", out)
    with quick():
        for name, of, form in (
            ("harbour-region", "harbour", "region"),
            ("channel-form", "channel", "channel"),
        ):
            found[name] = folder / name
            request = Make(
                source=str(found[of]), target=str(found[name]), form=FORMS[form], marking="TLP:AMBER"
            )
            remembered(request)
    return found


@pytest.mark.parametrize("name", ["harbour", "harbour-region", "channel", "channel-form"])
def test_it_is_what_is_drawn(name: str, files: dict[str, Path], tmp_path: Path) -> None:
    drawn = tmp_path / "drawn.png"
    remembered(Preview(source=str(files[name]), target=str(drawn)))
    if os.environ.get("TEARLINE_PICTURES"):
        (IMAGES / f"{name}.png").write_bytes(drawn.read_bytes())
    shown, anew = (
        np.asarray(Image.open(path).convert("RGB"), float) for path in (IMAGES / f"{name}.png", drawn)
    )
    assert shown.shape == anew.shape
    assert np.abs(shown - anew).mean() < 4, "libraries may differ in the last bit, not in what is seen"

"""Environments with sanitizers as plug-ins, for the reader's process: what pip would have installed there."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

FOG = '''
from tearline.media import Made, Make


class Fog:
    """The form as the node makes it, with samples in steps of 16."""

    version = "1"

    def __call__(self, request: Make, progress):
        print("some library talks")
        if request.form.__class__.__name__ == "ImageryForm":
            from tearline.media.imagery.make import make

            return make(request, progress, lambda strip: strip // 16 * 16)
        from pathlib import Path

        from tearline.media.signals.making import make

        source, target = Path(request.source), Path(request.target)
        told = request.form, request.marking, request.taken, progress
        return make(source, target, *told, change=lambda block: block / 2)


fog = Fog()
'''


def environment(folder: Path, **plugins: str) -> Path:
    """The interpreter of a new environment: what this one has, and a package for each of `plugins`.

    Each is the text of a module, which offers the sanitizer of its own name; `_` stands for `-`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    python = folder / "bin" / "python"
    python.parent.mkdir()
    real = Path(sys.executable).resolve()
    python.symlink_to(real)
    (folder / "pyvenv.cfg").write_text(f"home = {real.parent}\ninclude-system-site-packages = false\n")
    site = folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    site.mkdir(parents=True)
    (site / "ours.pth").write_text(sysconfig.get_path("purelib") + os.linesep)
    for module, text in plugins.items():
        install(site, module, text)
    return python


def install(site: Path, module: str, text: str, *, package: str = "") -> None:
    """A package with one module, `module`, which offers a sanitizer of that name."""
    name = package or module
    (site / f"{name}.py").write_text(text)
    about = site / f"{name}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    entry = f"{module.replace('_', '-')} = {name}:{module}"
    (about / "entry_points.txt").write_text(f"[tearline.sanitizers]\n{entry}\n")


LIAR = '''
from pathlib import Path

import msgspec

from tearline.media.imagery.make import make
from tearline.terms import ImageryForm


def liar(request, progress):
    """Pixels as sharp as they are, which are said to be of 40 m."""
    made = make(msgspec.structs.replace(request, form=ImageryForm(name="", time=request.form.time)), progress)
    return msgspec.structs.replace(made, facts=msgspec.structs.replace(made.facts, gsd_m=request.form.gsd_m))


liar.version = "1"
'''

FAILS = {
    "raises": "raise ValueError('CANARY')",
    "leaves": "raise SystemExit",
    "dies": "import os; os._exit(0)",
    "says_nothing": "return None",
    "looks_around": "return open('/etc/hostname').read()",
    "calls_out": "import socket; socket.socket()",
    "says_it_cannot": "from tearline.terms import BadInput; raise BadInput('', 'its pixels', 'are all grey')",
}
"""What a sanitizer does instead of its work."""


def failing(name: str) -> str:
    """The module of one."""
    return f"def {name}(request, progress):\n    {FAILS[name]}\n\n\n{name}.version = '1'\n"

"""The component decorator: `kfp.dsl.component` with Seaway's image and nothing installed at run time."""

import functools
import os

from kfp import dsl

from seaway.version import VERSION

IMAGE = os.environ.get("SEAWAY_IMAGE", f"docker.io/seaway/runtime:{VERSION}")

component = functools.partial(dsl.component, base_image=IMAGE, install_kfp_package=False)

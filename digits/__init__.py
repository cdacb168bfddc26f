"""The library: its subpackages (rooms) follow the data flow, from `core` to `reporting`."""

import os

from digits import _quiet_tensorflow

os.environ["KERAS_BACKEND"] = "tensorflow"  # overrides the user's own Keras settings
_quiet_tensorflow.install()

"""The library of the project: rooms in the order of the data's way, from `core` to `reporting`."""

import os

from digits import _quiet_tensorflow

os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever the user's own Keras is set to
_quiet_tensorflow.install()

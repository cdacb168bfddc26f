"""The library: its subpackages (rooms) follow the data flow, from `core` to `reporting`."""

import os

from digits import _quiet_tensorflow

os.environ["KERAS_BACKEND"] = "tensorflow"  # overrides the user's own Keras settings
# TensorFlow reads this while it is imported. By itself it takes oneDNN only where the processor has AVX-512 VNNI; then
# results would depend on that, and elsewhere a training would take one and a half times as long.
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
_quiet_tensorflow.install()

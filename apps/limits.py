"""The limits of page and service; docs/serving.md explains each."""

from digits.drawing import parts
from digits.serving import image_file

MB = 2**20

# A connection to the service.
CONNECTIONS = 512  # beyond them, the one that has been silent for the longest time is closed
HEADER_BYTES = 16 * 1024
HEADER_SECONDS = 10
BODY_SECONDS = 20
ANSWER_SECONDS = 60  # until the client has taken the whole answer
IDLE_SECONDS = 20  # between two requests
DISCARDED_BYTES = 32 * MB  # of a request that was refused, so that its sender reads the answer

# A request to the service.
BODY_BYTES = image_file.MAX_BYTES
JSON_BYTES = 512 * 1024  # `IMAGES` images, ten characters for each pixel
IMAGES = 64
DIGITS = parts.MOST  # of an image; the most prominent ones are kept
PIXELS = image_file.MAX_PIXELS  # of all its image files together
RATE = 5000  # requests a second and client
CLIENTS = 10_000  # whose rate is remembered; the least recently seen is dropped first

# Decoding and framing, in worker processes. A small request is one of at most SMALL_BYTES and SMALL_PIXELS.
SMALL_BYTES = 128 * 1024
SMALL_PIXELS = 500_000
SMALL_WORKERS = 2
SMALL_CPU_SECONDS = 0.08  # then it counts as large
SMALL_WAITING = 1024  # requests
LARGE_WORKERS = 1
LARGE_CPU_SECONDS = 2.0
LARGE_WAITING = 8
LARGE_NICE = 15  # large requests take the processor time that small ones leave
WORKER_BYTES = 768 * MB  # of memory
WORKER_WAIT_SECONDS = 30  # for frames
STUCK_SECONDS = 60  # without any reply, after which all workers are started anew

# All requests together.
BUFFERED_BYTES = 64 * MB  # of bodies that are being received or wait
FRAMES_WAITING = 4096

# The page.
PAGE_HOSTS = ("127.0.0.1", "localhost")
PAGE_BODY_BYTES = 12 * MB  # a photograph of BODY_BYTES in base64; the longest drawing has fewer
POINTS = 10_000  # of a drawing
KEPT_DRAWINGS = 20_000
KEPT_BYTES = 256 * MB

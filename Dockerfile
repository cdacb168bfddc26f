# The project with the pipeline's packages installed, by make and from the same lock files as anywhere else:
#
#   docker build --tag digits .                              # or with --build-arg GPU=1: CUDA's libraries
#   docker run --rm digits                                   # make run
#   docker run --rm --gpus all digits make repro             # the GPU needs NVIDIA's container toolkit on the host
#
# The base image is named by its tag; name it by digest where the system's own bytes matter.

# What the system must have: .devcontainer/ takes this as it is.
FROM python:3.13-slim-bookworm AS system
# hadolint ignore=DL3008  # Debian keeps only the newest version of a package
RUN apt-get update \
    && apt-get install --yes --no-install-recommends chromium git graphviz make openssh-server \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 digits \
    && install --directory --owner digits /work
ENV LC_ALL=C.UTF-8
USER 1000
WORKDIR /work

FROM system AS digits
ARG GPU=
ENV GPU=$GPU
COPY --chown=1000 . .
RUN make setup && rm -rf ~/.cache
CMD ["make", "run"]

# syntax=docker/dockerfile:1
# The controller, linked statically, in an image without a shell. For a reproducible release, give the digests of the base
# images (--build-arg BUILDER=rust:1.95@sha256:...) and the time of the commit:
#
#   docker buildx build --build-arg SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) \
#     --output type=image,name=registry.example.com/xposer-controller:v0.1.0,push=true,rewrite-timestamp=true .
ARG BUILDER=rust:1.95
ARG BASE=gcr.io/distroless/static:nonroot

FROM ${BUILDER} AS build
RUN apt-get update && apt-get install -y --no-install-recommends musl-tools && rm -rf /var/lib/apt/lists/*
RUN rustup target add "$(uname -m)-unknown-linux-musl"
# Some crates contain C code.
ENV TARGET_CC=musl-gcc
WORKDIR /src
COPY . .
# The next step does not see the cache mounts, so the program is copied out of them.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    target="$(uname -m)-unknown-linux-musl" \
    && cargo build --release --locked -p xposer-controller --target "$target" \
    && cp "target/$target/release/xposer-controller" /

FROM ${BASE}
LABEL org.opencontainers.image.title=xposer-controller \
      org.opencontainers.image.source=https://github.com/xposer/xposer \
      org.opencontainers.image.licenses=Apache-2.0
COPY --from=build /xposer-controller /xposer-controller
# The user is a number, so that the kubelet can check that it is not root.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/xposer-controller"]

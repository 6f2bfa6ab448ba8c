# syntax=docker/dockerfile:1
# The controller, linked statically, in an image with nothing else: it reads the certificate authority of the API server from its
# ServiceAccount. `docker build .` builds it here. A release takes the programs that are built, and attested, already, in the place of the
# stage `build`, so no other processor has to be emulated:
#
#   docker buildx build --platform linux/amd64,linux/arm64 --build-context build=FOLDER \
#     --build-arg VERSION=0.1.0 --build-arg REVISION=$(git rev-parse HEAD) --build-arg SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) \
#     --output type=image,name=registry.example.com/xposer-controller:v0.1.0,push=true,rewrite-timestamp=true .
#
# FOLDER has out/amd64/xposer-controller and out/arm64/xposer-controller.
ARG BUILDER=rust:1.95
ARG BASE=scratch

FROM ${BUILDER} AS build
ARG TARGETARCH
# The version is that of the builder image.
# hadolint ignore=DL3008
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
    && install -D "target/$target/release/xposer-controller" "/out/$TARGETARCH/xposer-controller"

FROM ${BASE}
ARG TARGETARCH
ARG VERSION=0.1.0
ARG REVISION
LABEL org.opencontainers.image.title=xposer-controller \
      org.opencontainers.image.description="Keeps the Ingresses of annotated Kubernetes Services up to date" \
      org.opencontainers.image.source=https://github.com/xposer/xposer \
      org.opencontainers.image.documentation=https://github.com/xposer/xposer/blob/main/docs/controller.md \
      org.opencontainers.image.licenses=Apache-2.0 \
      org.opencontainers.image.version=${VERSION} \
      org.opencontainers.image.revision=${REVISION}
COPY --from=build /out/${TARGETARCH}/xposer-controller /xposer-controller
# The user is a number, so that the kubelet can check that it is not root.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/xposer-controller"]

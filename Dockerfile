# The image: one static program, whom it trusts, how it resolves names, and what it is made of. Nothing else is in it.
#
# `docker build .` compiles within the first stage. `make image` compiles on this machine and hands the outcome in as
# the build context of the stage's name, so that no other image is needed.
FROM docker.io/library/rust:1.95.0-bookworm AS compiled
RUN apt-get update && apt-get install --yes --no-install-recommends python3-pip
COPY . /src
ARG SOURCE_DATE_EPOCH=0
RUN SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH /src/deploy/image/root /root-of-image

FROM scratch
ARG VERSION=unknown
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="privatelink-operator" \
      org.opencontainers.image.description="Keeps private links between VPCs equal to what Kubernetes objects declare" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"
COPY --from=compiled /root-of-image/ /
# A number, so that runAsNonRoot can be checked without a list of users, which the image does not have.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/privatelink-operator"]
CMD ["run"]

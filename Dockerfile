# The server of CloudFront Facade.
#
#   docker build -t cloudfront-facade .
#   docker run --read-only -p 127.0.0.1:50051:50051 -v cloudfront-facade:/var/lib/cloudfront-facade \
#     -e CLOUDFRONT_FACADE_BACKEND=embedded -e CLOUDFRONT_FACADE_ALLOW_PLAINTEXT=true cloudfront-facade
#
# Set the backend, and TLS or plaintext, by variables. The health check reads CLOUDFRONT_FACADE_LISTEN; with TLS it needs
# CLOUDFRONT_FACADE_HEALTH_TLS_CA too (docs/guides/deploy.md).
# With a private package index or certificate authority: --secret id=pip.conf,src=FILE --secret id=ca.crt,src=FILE, and
# `cert = /run/secrets/ca.crt` in pip.conf. Both base images must have the same Python at the same path. A build
# that can be repeated needs their digests: NAME:TAG@sha256:... (docs/releasing.md).
ARG BUILD_IMAGE=docker.io/library/python:3.13-slim-trixie
ARG RUNTIME_IMAGE=docker.io/library/python:3.13-slim-trixie

FROM ${BUILD_IMAGE} AS build
# tini is process 1 of the image, because the kernel drops a signal that process 1 does not handle, such as a SIGTERM before
# Python runs. In that moment SIGTERM ends Python with code 143, which tini turns into 0.
RUN if [ ! -x /usr/bin/tini-static ]; then \
      apt-get update && apt-get install --yes --no-install-recommends tini && rm -rf /var/lib/apt/lists/*; \
    fi
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
COPY requirements/server.txt requirements/
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf --mount=type=secret,id=ca.crt \
    python3 -m venv /opt/build \
 && /opt/build/bin/pip download --only-binary :all: --require-hashes --requirement requirements/server.txt \
      --dest /wheels \
 && /opt/build/bin/pip install --no-index --find-links /wheels hatchling
COPY . .
# The download has checked the hashes. Installing by name from its files leaves out the build tools.
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels ./clients/python ./server \
 && python3 -m venv --without-pip /opt/cloudfront-facade \
 && /opt/build/bin/pip --python /opt/cloudfront-facade/bin/python install --no-index --find-links /wheels \
      --no-compile cloudfront-facade-server \
 && /opt/cloudfront-facade/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/cloudfront-facade/lib

FROM ${RUNTIME_IMAGE}
# The official images have pip, and no compiled standard library, which cannot be added to a read-only root later.
RUN stdlib="$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
 && rm -rf "$stdlib/ensurepip" "$stdlib/site-packages"/* /usr/local/bin/pip* \
 && python3 -m compileall -q --invalidation-mode unchecked-hash \
      -x '/(idlelib|lib2to3|test|tkinter|turtledemo)/' "$stdlib" \
 && groupadd --gid 65532 cloudfront-facade \
 && useradd --key UID_MAX=65535 --uid 65532 --gid 65532 --home-dir /var/lib/cloudfront-facade --no-create-home \
      --shell /usr/sbin/nologin cloudfront-facade \
 && install --directory --owner 65532 --group 65532 --mode 0750 /var/lib/cloudfront-facade
COPY --from=build /usr/bin/tini-static /usr/bin/tini
COPY --from=build /opt/cloudfront-facade /opt/cloudfront-facade

ENV PATH=/opt/cloudfront-facade/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/var/lib/cloudfront-facade \
    PYTHONDONTWRITEBYTECODE=1 \
    CLOUDFRONT_FACADE_LISTEN=0.0.0.0:50051 \
    CLOUDFRONT_FACADE_EMBEDDED_DB=/var/lib/cloudfront-facade/embedded.sqlite3
USER 65532:65532
WORKDIR /var/lib/cloudfront-facade
VOLUME /var/lib/cloudfront-facade
EXPOSE 50051
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s --retries=3 \
  CMD ["/opt/cloudfront-facade/bin/cloudfront-facade", "health"]
ENTRYPOINT ["/usr/bin/tini", "-e", "143", "--", "/opt/cloudfront-facade/bin/cloudfront-facade"]
CMD ["serve"]

# The arguments are last, because they change with every build and would invalidate the cache of the steps above.
ARG VERSION=""
ARG REVISION=""
ARG SOURCE=""
LABEL org.opencontainers.image.title="cloudfront-facade" \
      org.opencontainers.image.description="A gRPC service in front of CloudFront Functions and CloudFront \
KeyValueStores, with tags" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"

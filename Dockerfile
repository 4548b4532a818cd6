# Pagefate as a small image: port 8000, data in /data, user 10001. See docs/deployment.md.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
WORKDIR /build
COPY requirements-uv.lock requirements.lock ./
RUN python3 -m pip install -q --no-cache-dir --root-user-action=ignore --no-deps --require-hashes --only-binary :all: \
    --target /tools -r requirements-uv.lock \
 && PYTHONPATH=/tools python3 -m uv pip install -q --no-cache --no-deps --require-hashes --only-binary :all: \
    --python python3 --target /opt/pagefate -r requirements.lock
COPY . .
RUN PYTHONPATH=/tools:/opt/pagefate python3 -m hatchling build -t wheel -d /wheel \
 && PYTHONPATH=/tools python3 -m uv pip install -q --no-deps --no-index --python python3 --target /opt/pagefate /wheel/*.whl \
 && python3 -m compileall -q /opt/pagefate

FROM ${BASE}
COPY --from=build /opt/pagefate /opt/pagefate
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin pagefate && install -d -o pagefate /data
ENV PYTHONPATH=/opt/pagefate PATH=/opt/pagefate/bin:$PATH PYTHONUNBUFFERED=1 \
    PAGEFATE_HOST=0.0.0.0 PAGEFATE_PORT=8000 PAGEFATE_DATA=/data
VOLUME /data
EXPOSE 8000
USER 10001
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s CMD ["python3", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PAGEFATE_PORT\"]}/healthz', timeout=2)"]
CMD ["pagefate", "serve"]

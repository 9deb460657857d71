# The command greeks, as a user without rights; its files are in the volume /data.
#   docker build -t greeks .
#   docker run --rm -v greeks:/data greeks download --symbol SPXW --start_date 2024-03-14 \
#       --terminal embedded
FROM python:3.12-slim AS build
# The base image decides the version of the compiler.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY setup.py pyproject.toml README.md ./
COPY transforms transforms
COPY pipeline pipeline
RUN python -m venv /opt/greeks \
    && /opt/greeks/bin/pip install --no-cache-dir ".[s3,gs]"

FROM python:3.12-slim
COPY --from=build /opt/greeks /opt/greeks
ENV PATH="/opt/greeks/bin:$PATH"
# What --output and --metrics name is below it: data/greeks becomes /data/greeks.
RUN useradd --create-home --uid 1000 greeks \
    && mkdir /data \
    && chown greeks:greeks /data \
    && ln -s /data /home/greeks/data
USER 1000:1000
WORKDIR /home/greeks
VOLUME /data
ENTRYPOINT ["greeks"]
CMD ["--help"]

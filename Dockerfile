# Builds millrace in one stage, with Swift's libraries in it, and runs it in another that has only what it is linked with.
# Tools/libraries --check compares that list with the program's.
FROM swift:6.2-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends librdkafka-dev libsqlite3-dev zlib1g-dev libs2-dev libpq-dev libssl-dev \
    && rm -rf /var/lib/apt/lists/*
# Exactly the versions of packages that Package.swift names.
ENV MILLRACE_EXACT=1
WORKDIR /src
COPY Package.swift ./
# The manifest lists folders that are not there yet: what it comes to now is not to be remembered.
RUN swift package --manifest-cache none resolve
COPY Plugins Plugins
COPY Sources Sources
# The tests' targets are named in Package.swift, so their folders must be there.
COPY Tests Tests
RUN swift build -c release --product millrace --static-swift-stdlib --disable-local-rpath \
    && strip -o /usr/local/bin/millrace .build/release/millrace

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libpq5 librdkafka1 libs2-0 libsqlite3-0 libssl3 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 millrace \
    && mkdir /data && chown millrace:millrace /data
COPY --from=build /usr/local/bin/millrace /usr/local/bin/millrace
COPY topics.yaml /etc/millrace/topics.yaml
USER millrace
WORKDIR /home/millrace
ENV XDG_DATA_HOME=/data
VOLUME /data
# All workers, as `up` runs them. Services that run some name them in a check of their own.
HEALTHCHECK --interval=30s --timeout=20s --start-period=20s --retries=3 CMD ["millrace", "health"]
# Workers stop in order on SIGTERM.
STOPSIGNAL SIGTERM
ENTRYPOINT ["millrace"]
CMD ["up"]

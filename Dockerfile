# Builds millrace in one stage and runs it in another that has only the libraries.
FROM swift:6.2-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends librdkafka-dev libsqlite3-dev zlib1g-dev libs2-dev libpq-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Package.swift ./
# The manifest lists folders that are not there yet: what it comes to now is not to be remembered.
RUN swift package --manifest-cache none resolve
COPY Plugins Plugins
COPY Sources Sources
# The tests' targets are named in Package.swift, so their folders must be there.
COPY Tests Tests
RUN swift build -c release --product millrace --static-swift-stdlib && cp .build/release/millrace /usr/local/bin/

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends librdkafka1 libsqlite3-0 zlib1g libs2-0 libpq5 libcurl4 libxml2 tzdata ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 millrace \
    && mkdir /data && chown millrace:millrace /data
COPY --from=build /usr/local/bin/millrace /usr/local/bin/millrace
COPY topics.yaml /etc/millrace/topics.yaml
USER millrace
WORKDIR /home/millrace
ENV XDG_DATA_HOME=/data
VOLUME /data
# Workers stop in order on SIGTERM.
STOPSIGNAL SIGTERM
ENTRYPOINT ["millrace"]
CMD ["up"]

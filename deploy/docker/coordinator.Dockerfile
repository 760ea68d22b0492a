# The coordinator: one binary on a minimal base.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --package coordinator

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 taskmanager
COPY --from=build /src/target/release/coordinator /usr/local/bin/coordinator
USER 10001
ENTRYPOINT ["coordinator"]

# A worker with the tools of the OCR plugin.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --package worker

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        ca-certificates poppler-utils tesseract-ocr tesseract-ocr-deu tesseract-ocr-eng tesseract-ocr-lat \
        tesseract-ocr-script-frak \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 taskmanager
COPY --from=build /src/target/release/worker /usr/local/bin/worker
USER 10001
ENTRYPOINT ["worker"]

//! The plugins that run tools, with the real tools: Tesseract, poppler's, and what every system has.

#![expect(
    clippy::unwrap_used,
    reason = "these are tests, with helpers outside their functions"
)]

mod fixture;
mod ocr;
mod shell;

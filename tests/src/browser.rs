//! Placeholder.
/// Soon.
#[derive(Debug)]
pub struct Browser;

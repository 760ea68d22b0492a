//! placeholder
#[derive(Debug)]
pub struct Browser;

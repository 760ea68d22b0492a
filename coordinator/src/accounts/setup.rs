//! The way in for the first administrator: a link that works once, printed when a coordinator starts and there is no
//! user yet.

use std::net::SocketAddr;

use super::Secret;
use crate::db::accounts::OfferSetup;
use crate::db::{self, Db};

/// Makes a link if there is no user yet.
///
/// # Errors
/// When the database fails.
pub async fn offer(db: &Db) -> Result<Option<Secret>, db::Error> {
    let code = Secret::generate("");
    let offered = db.run(&OfferSetup { secret: &code.hash() }).await?;
    Ok(offered.then_some(code))
}

/// What is printed, for a person at this machine.
pub fn notice(code: &Secret, listen: SocketAddr, public_url: Option<&str>) -> String {
    let base = public_url.map_or_else(
        || format!("http://{listen}"),
        |url| url.trim_end_matches('/').to_owned(),
    );
    format!(
        "There is no user yet. Make the first administrator within a day, at\n\n    {base}/setup?code={}\n",
        code.reveal()
    )
}

//! Ends leases that are over, so that their jobs go on elsewhere.

use std::time::Duration;

use metrics::counter;
use shared::failpoint::{self, Failpoint};
use shared::lifecycle::finish_soon;
use shared::metrics::EXPIRED_LEASES;
use shared::telemetry::Trouble;
use tokio_util::sync::CancellationToken;

use super::{PATIENCE, PROBE_GAP_SECONDS};
use crate::control::Control;
use crate::db::Db;
use crate::db::control::Told;
use crate::db::sweep::ExpireLeases;

/// How often leases are looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// Runs until `stop`.
pub async fn run(db: Db, control: Control, stop: CancellationToken) {
    let mut trouble = Trouble::none("leases can't be looked at");
    loop {
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            () = stop.cancelled() => return,
        }
        let expire = ExpireLeases {
            gap_seconds: PROBE_GAP_SECONDS,
        };
        let Some(expired) = finish_soon(&stop, PATIENCE, db.run(&expire)).await else {
            return;
        };
        if expired.is_ok() {
            trouble.ends();
        }
        match expired {
            Ok((0, _)) => {}
            Ok((lost, finished)) => {
                failpoint::reach(Failpoint::ExpiryBeforeTold);
                tracing::warn!("{lost} attempts have lost their worker; their jobs go on elsewhere");
                counter!(EXPIRED_LEASES).increment(lost as u64);
                let told = Told {
                    finished,
                    ..Told::default()
                };
                control.tell(told).await;
            }
            Err(error) => trouble.begins(&error),
        }
    }
}

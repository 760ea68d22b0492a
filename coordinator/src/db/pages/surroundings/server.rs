//! What `doctor` asks PostgreSQL about itself: its release, what it keeps, what it allows us.

use super::super::rows;
use crate::db::{Error, Transaction};

/// A PostgreSQL server, as the coordinator's user sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an answer of its own")]
pub struct Server {
    /// Its release as a text: `15.18`.
    pub version: String,
    /// The same as a number: `150018`.
    pub version_number: i32,
    /// Whether the coordinator's user may make tables: each month needs new partitions.
    pub may_create_tables: bool,
    /// Whether that user may do everything with all databases.
    pub is_superuser: bool,
    /// It takes no writes: a standby, or one that was told so.
    pub only_reads: bool,
    /// Settings that are off, and without which it may forget what it has confirmed.
    pub forgetful: Vec<String>,
    /// A commit waits until a standby has it.
    pub waits_for_standby: bool,
    /// How many standbys follow it.
    pub standbys: i64,
    /// How many connections the coordinator's user may have, all coordinators together.
    pub connections_max: i32,
    /// Replication slots that nobody reads: it keeps everything for them until its disk is full.
    pub idle_slots: Vec<String>,
    /// The continuous archive has failed since it last succeeded.
    pub archive_fails: bool,
}

/// Reads it.
pub(super) async fn read(tx: &Transaction<'_>) -> Result<Server, Error> {
    let rows = rows(
        tx,
        "-- pages.server
             SELECT current_setting('server_version') AS version,
                    current_setting('server_version_num')::int AS version_number,
                    has_schema_privilege(current_schema(), 'CREATE') AS may_create_tables,
                    current_setting('is_superuser')::bool AS is_superuser,
                    pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool AS only_reads,
                    ARRAY(SELECT name FROM pg_settings
                          WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off'
                          ORDER BY name) AS forgetful,
                    current_setting('synchronous_standby_names') <> ''
                        AND current_setting('synchronous_commit') NOT IN ('off', 'local') AS waits_for_standby,
                    (SELECT count(*) FROM pg_stat_replication) AS standbys,
                    least(current_setting('max_connections')::int
                              - current_setting('superuser_reserved_connections')::int
                              - coalesce(current_setting('reserved_connections', true)::int, 0),
                          (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user),
                          (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database())
                    ) AS connections_max,
                    ARRAY(SELECT slot_name::text FROM pg_replication_slots
                          WHERE NOT active AND NOT temporary AND restart_lsn IS NOT NULL ORDER BY 1) AS idle_slots,
                    current_setting('archive_mode') <> 'off' AND
                        (SELECT coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false)
                         FROM pg_stat_archiver) AS archive_fails",
        &[],
    )
    .await?;
    let Some(row) = rows.first() else {
        return Ok(Server::default());
    };
    Ok(Server {
        version: row.try_get("version")?,
        version_number: row.try_get("version_number")?,
        may_create_tables: row.try_get("may_create_tables")?,
        is_superuser: row.try_get("is_superuser")?,
        only_reads: row.try_get("only_reads")?,
        forgetful: row.try_get("forgetful")?,
        waits_for_standby: row.try_get("waits_for_standby")?,
        standbys: row.try_get("standbys")?,
        connections_max: row.try_get("connections_max")?,
        idle_slots: row.try_get("idle_slots")?,
        archive_fails: row.try_get("archive_fails")?,
    })
}

#[cfg(test)]
mod tests {
    use crate::db::pages::ReadSurroundings;
    use crate::testing::TestDatabase;

    #[tokio::test]
    async fn what_a_server_does_not_keep_and_does_not_allow_is_seen() {
        let database = TestDatabase::create().await;
        let before = database.db().run(&ReadSurroundings).await.unwrap().server;
        // The tests' user is one.
        assert!(before.is_superuser && before.may_create_tables, "{before:?}");
        assert!(!before.only_reads && before.connections_max > 50, "{before:?}");
        assert!(
            !before.forgetful.contains(&"synchronous_commit".to_owned()),
            "{before:?}"
        );
        database
            .execute(
                "DO $$ BEGIN EXECUTE format('ALTER DATABASE %1$I SET synchronous_commit = off;
                     ALTER DATABASE %1$I SET default_transaction_read_only = on;
                     ALTER DATABASE %1$I CONNECTION LIMIT 7', current_database()); END $$",
            )
            .await;
        let after = database.db().run(&ReadSurroundings).await.unwrap().server;
        assert!(after.only_reads && after.connections_max == 7, "{after:?}");
        assert!(
            after.forgetful.contains(&"synchronous_commit".to_owned()),
            "{after:?}"
        );
    }
}

//! What the doctor says of PostgreSQL: is it new enough, does it keep what it confirms, does it let us do our work?

use shared::message::worker::Check;

use super::{failed, passed};
use crate::db::coordinators::Coordinator;
use crate::db::pages::{Server, Surroundings};
use crate::deployment::Deployment;

/// The oldest PostgreSQL that the statements are written for.
const OLDEST: i32 = 150_000;
/// A setting that is right to be off where the file system never writes half a page.
const WHOLE_PAGES: &str = "full_page_writes";

pub(super) fn checks(deployment: &Deployment, found: &Surroundings) -> Vec<Check> {
    let server = &found.server;
    let mut checks = vec![
        version(server),
        permissions(server),
        writes(server),
        durability(deployment, server),
        connections(deployment, server, &found.coordinators),
        log(server),
    ];
    if server.is_superuser {
        checks.push(passed(
            "database user",
            "hint: the coordinator's user is a superuser, who may do everything with all databases: give it a database of \
             its own, as deploy/postgres/10-taskmanager.sh does"
                .to_owned(),
        ));
    }
    checks
}

fn version(server: &Server) -> Check {
    let name = "database version";
    if server.version_number >= OLDEST {
        passed(name, format!("PostgreSQL {}", server.version))
    } else {
        failed(
            name,
            format!(
                "PostgreSQL {} is too old: version 15 or newer is needed",
                server.version
            ),
        )
    }
}

fn permissions(server: &Server) -> Check {
    let name = "database permissions";
    if server.may_create_tables {
        passed(name, "tables can be made".to_owned())
    } else {
        let what = "the coordinator's user may not make tables, which each month needs";
        failed(name, format!("{what}: GRANT CREATE ON SCHEMA to it"))
    }
}

fn writes(server: &Server) -> Check {
    let name = "database server";
    if server.only_reads {
        failed(
            name,
            "it takes no writes: it is a standby, or was told so (default_transaction_read_only); name the primary in \
             --database-url, or both with target_session_attrs=read-write"
                .to_owned(),
        )
    } else {
        passed(name, "it takes writes".to_owned())
    }
}

/// Whether what was confirmed outlasts the death of the server's machine.
fn durability(deployment: &Deployment, server: &Server) -> Check {
    let name = "database durability";
    if server.forgetful.iter().any(|setting| setting != WHOLE_PAGES) {
        return failed(
            name,
            format!(
                "{} is off: jobs that were accepted can be lost when the machine dies; turn it on in postgresql.conf",
                server.forgetful.join(", ")
            ),
        );
    }
    if server.waits_for_standby && server.standbys == 0 {
        return failed(
            name,
            "every commit waits for a standby, and none is connected: start it, or take it out of synchronous_standby_names"
                .to_owned(),
        );
    }
    let message = if !server.forgetful.is_empty() {
        "hint: full_page_writes is off: right on a file system that never writes half a page (ZFS, Btrfs), and nowhere else"
    } else if (deployment.db_servers > 1 || server.standbys > 0) && !server.waits_for_standby {
        "hint: there is a standby, but no commit waits for it (synchronous_standby_names is empty, or synchronous_commit is \
         local): what was confirmed last can be lost in a failover"
    } else {
        "what is confirmed is kept"
    };
    passed(name, message.to_owned())
}

fn connections(own: &Deployment, server: &Server, coordinators: &[Coordinator]) -> Check {
    let name = "database connections";
    let all: i64 = coordinators
        .iter()
        .map(|other| i64::from(other.connections))
        .sum();
    let (own, all) = (i64::from(own.connections), all.max(own.connections.into()));
    let allowed = i64::from(server.connections_max);
    let advice =
        "lower --db-connections, or raise max_connections (or the limit of the user or the database)";
    if all > allowed {
        failed(
            name,
            format!("coordinators may have up to {all}, but PostgreSQL allows {allowed}: {advice}"),
        )
    } else if all + own > allowed {
        passed(
            name,
            format!(
                "hint: coordinators may have up to {all}, and PostgreSQL allows {allowed}: there is no room for the one that \
                 an upgrade starts first; {advice}"
            ),
        )
    } else {
        passed(name, format!("up to {all}, of {allowed}"))
    }
}

/// The write-ahead log: what keeps it from being removed fills the server's disk.
fn log(server: &Server) -> Check {
    let name = "database log";
    if server.archive_fails {
        failed(
            name,
            "the continuous archive fails: backups have a gap, and the disk fills; PostgreSQL's log says why \
             archive_command failed"
                .to_owned(),
        )
    } else if server.idle_slots.is_empty() {
        passed(name, "nothing keeps it from being removed".to_owned())
    } else {
        passed(
            name,
            format!(
                "hint: nobody reads these replication slots, for which PostgreSQL keeps its log, which may fill its disk: {}; \
                 start their standby, or drop them: SELECT pg_drop_replication_slot('…')",
                server.idle_slots.join(", ")
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that is as it should be.
    fn server() -> Server {
        Server {
            version: "15.18".to_owned(),
            version_number: 150_018,
            may_create_tables: true,
            connections_max: 100,
            ..Server::default()
        }
    }

    fn deployment(db_servers: usize) -> Deployment {
        Deployment {
            connections: 18,
            db_servers,
            ..Deployment::default()
        }
    }

    /// What is said of it, but for what is well.
    fn said(server: Server, db_servers: usize, coordinators: usize) -> Vec<(bool, String)> {
        let found = Surroundings {
            server,
            coordinators: vec![deployment(1).coordinator(); coordinators],
            ..Surroundings::default()
        };
        let checks = checks(&deployment(db_servers), &found).into_iter();
        checks
            .filter(|check| !check.ok || check.message.starts_with("hint:"))
            .map(|check| (check.ok, format!("{}: {}", check.name, check.message)))
            .collect()
    }

    #[track_caller]
    fn finds(server: Server, wanted: &str) {
        let said = said(server, 1, 1);
        assert!(
            matches!(&said[..], [(false, said)] if said.contains(wanted)),
            "{said:?}"
        );
    }

    #[test]
    fn a_server_that_is_as_it_should_be_has_no_findings() {
        assert_eq!(said(server(), 1, 2), []);
    }

    #[test]
    fn an_old_server_and_missing_permissions_are_findings() {
        let old = Server {
            version: "14.2".to_owned(),
            version_number: 140_002,
            ..server()
        };
        finds(old, "14.2 is too old: version 15");
        let may_create_tables = false;
        finds(
            Server {
                may_create_tables,
                ..server()
            },
            "GRANT CREATE",
        );
    }

    #[test]
    fn a_server_that_may_forget_or_takes_no_writes_is_a_finding() {
        let forgetful = vec!["fsync".to_owned(), "synchronous_commit".to_owned()];
        finds(
            Server {
                forgetful,
                ..server()
            },
            "fsync, synchronous_commit is off",
        );
        let only_reads = true;
        finds(
            Server {
                only_reads,
                ..server()
            },
            "target_session_attrs=read-write",
        );
    }

    #[test]
    fn a_standby_that_nobody_waits_for_is_a_hint() {
        let alone = said(server(), 2, 1);
        assert!(
            matches!(&alone[..], [(true, said)] if said.contains("synchronous_standby_names")),
            "{alone:?}"
        );
        let waits_for_standby = true;
        finds(
            Server {
                waits_for_standby,
                ..server()
            },
            "none is connected: start it",
        );
        let waited_for = Server {
            waits_for_standby,
            standbys: 1,
            ..server()
        };
        assert_eq!(said(waited_for, 2, 1), []);
        let standbys = 1;
        assert_eq!(said(Server { standbys, ..server() }, 1, 1), alone);
        let forgetful = vec![WHOLE_PAGES.to_owned()];
        let pages = said(
            Server {
                forgetful,
                ..server()
            },
            1,
            1,
        );
        assert!(
            matches!(&pages[..], [(true, said)] if said.contains("ZFS")),
            "{pages:?}"
        );
    }

    #[test]
    fn too_few_connections_are_a_finding_and_none_for_an_upgrade_a_hint() {
        let with = |connections_max, coordinators| {
            said(
                Server {
                    connections_max,
                    ..server()
                },
                1,
                coordinators,
            )
        };
        assert_eq!(with(54, 2), []);
        let tight = with(53, 2);
        assert!(
            matches!(&tight[..], [(true, said)] if said.contains("upgrade")),
            "{tight:?}"
        );
        let less = with(35, 2);
        assert!(
            matches!(&less[..], [(false, said)] if said.contains("PostgreSQL allows 35: lower --db-connections")),
            "{less:?}"
        );
    }

    #[test]
    fn what_fills_the_servers_disk_is_told() {
        let archive_fails = true;
        finds(
            Server {
                archive_fails,
                ..server()
            },
            "archive_command failed",
        );
        let idle = Server {
            idle_slots: vec!["standby_2".to_owned()],
            ..server()
        };
        let idle = said(idle, 1, 1);
        assert!(
            matches!(&idle[..], [(true, said)] if said.contains("standby_2; start")),
            "{idle:?}"
        );
    }

    #[test]
    fn a_superuser_is_a_hint() {
        let is_superuser = true;
        let found = said(
            Server {
                is_superuser,
                ..server()
            },
            1,
            1,
        );
        assert!(
            matches!(&found[..], [(true, said)] if said.contains("superuser")),
            "{found:?}"
        );
    }
}

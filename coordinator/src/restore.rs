//! Is this still the database that was written to last, or a copy that was put back?
//!
//! A copy forgets what was accepted, granted and told since it was made, so nothing may start in it before a person has
//! looked. A failover to a standby is no copy: it must stop nothing. `docs/adr/0004` has the reasons.

use std::time::Duration;

use jiff::Timestamp;

/// What a server says of itself and of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Made by `initdb`, and the same on all standbys.
    pub system_identifier: i64,
    /// The database in it.
    pub database_oid: i64,
    /// A new one with each promotion of a standby and each recovery to a point in time.
    pub timeline: i32,
}

/// What was recorded in the rows, and what is seen now.
#[derive(Debug, Clone, Copy)]
pub struct Sight {
    /// Which server and database the rows were written in last.
    pub recorded: Identity,
    /// Which they are in now.
    pub current: Identity,
    /// When the rows were written last, as they say.
    pub recorded_at: Timestamp,
    /// What this process remembers of its last beat; `None` when it has just started.
    pub remembered: Option<Remembered>,
    /// The database's clock.
    pub now: Timestamp,
}

/// A beat that this process remembers, and what the database knows of it.
#[derive(Debug, Clone, Copy)]
pub struct Remembered {
    /// When it was written.
    pub at: Timestamp,
    /// It is there, or the one that was the newest before it is: no more than itself is missing.
    pub kept: bool,
    /// The newest beat of anybody that is there and not later than it. Those that a copy was given since are later.
    pub newest: Option<Timestamp>,
    /// When a restore was noticed, or looked after, last.
    pub noticed_at: Option<Timestamp>,
}

/// What they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The same as ever.
    Same,
    /// A standby has taken over, with all or nearly all that was written.
    FailedOver,
    /// A copy was put back.
    Restored(How),
}

/// How it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The rows are in another database or another cluster than the one that they were written in.
    Elsewhere,
    /// The server has begun a new timeline, and nothing is known of the time before it.
    EarlierMoment,
    /// Rows that this coordinator has written are gone.
    Forgotten,
    /// A person says so.
    Declared,
}

impl How {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Elsewhere => "its rows were written in another database or server than they are in now",
            Self::EarlierMoment => {
                "the server has begun a new timeline long after these rows were written: a recovery to an earlier moment"
            }
            Self::Forgotten => "rows that this coordinator had written are gone",
            Self::Declared => "a person has said so",
        }
    }
}

/// How much a failover may forget, or how long it may take while no coordinator runs, before it counts as a restore.
pub const FORGOTTEN_MAX: Duration = Duration::from_mins(10);

/// How long beats are kept; a coordinator that was cut off for longer remembers nothing.
pub const BEATS_KEPT: Duration = Duration::from_hours(48);

/// Judges it.
pub fn judge(sight: &Sight) -> Verdict {
    let Sight {
        recorded, current, ..
    } = sight;
    if recorded.system_identifier != current.system_identifier
        || recorded.database_oid != current.database_oid
    {
        return Verdict::Restored(How::Elsewhere);
    }
    let changed = recorded.timeline != current.timeline;
    let remembered = sight
        .remembered
        .filter(|remembered| !longer(remembered.at, sight.now, BEATS_KEPT));
    match remembered {
        // Whoever was there all the time knows best.
        Some(remembered) if is_forgotten(&remembered) => Verdict::Restored(How::Forgotten),
        None if changed
            && (current.timeline < recorded.timeline
                || longer(sight.recorded_at, sight.now, FORGOTTEN_MAX)) =>
        {
            Verdict::Restored(How::EarlierMoment)
        }
        _ if changed => Verdict::FailedOver,
        _ => Verdict::Same,
    }
}

/// Whether more is missing than a failover may lose, and nobody has noticed it yet.
fn is_forgotten(remembered: &Remembered) -> bool {
    let is_noticed = remembered
        .noticed_at
        .is_some_and(|noticed| noticed > remembered.at);
    let is_missing = remembered
        .newest
        .is_none_or(|newest| longer(newest, remembered.at, FORGOTTEN_MAX));
    !remembered.kept && !is_noticed && is_missing
}

fn longer(from: Timestamp, to: Timestamp, limit: Duration) -> bool {
    to.duration_since(from)
        .try_into()
        .is_ok_and(|passed: Duration| passed > limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORDED: Identity = Identity {
        system_identifier: 7,
        database_oid: 16_384,
        timeline: 3,
    };

    /// Written a minute ago, looked at in 2026.
    fn sight(current: Identity) -> Sight {
        Sight {
            recorded: RECORDED,
            current,
            recorded_at: at("11:59"),
            remembered: None,
            now: at("12:00"),
        }
    }

    const KEPT: Remembered = Remembered {
        at: Timestamp::UNIX_EPOCH,
        kept: true,
        newest: None,
        noticed_at: None,
    };

    /// A beat of a minute ago is gone, and all after the newest one that is there.
    fn missing(newest: &str) -> Remembered {
        Remembered {
            at: at("11:59"),
            kept: false,
            newest: Some(at(newest)),
            noticed_at: None,
        }
    }

    fn at(time: &str) -> Timestamp {
        format!("2026-07-01T{time}:00Z").parse().unwrap()
    }

    #[test]
    fn a_dump_in_another_database_or_cluster_is_known_at_once() {
        for current in [
            Identity {
                system_identifier: 8,
                ..RECORDED
            },
            Identity {
                database_oid: 16_385,
                ..RECORDED
            },
        ] {
            assert_eq!(judge(&sight(current)), Verdict::Restored(How::Elsewhere));
            let remembering = Sight {
                remembered: Some(KEPT),
                ..sight(current)
            };
            assert_eq!(judge(&remembering), Verdict::Restored(How::Elsewhere));
        }
        assert_eq!(judge(&sight(RECORDED)), Verdict::Same);
    }

    #[test]
    fn a_failover_is_no_restore_whether_coordinators_lived_through_it_or_not() {
        let promoted = Identity {
            timeline: 4,
            ..RECORDED
        };
        assert_eq!(judge(&sight(promoted)), Verdict::FailedOver);
        // It took all night, but what this process had written is there.
        let overnight = Sight {
            recorded_at: at("01:00"),
            remembered: Some(Remembered {
                at: at("01:02"),
                ..missing("01:00")
            }),
            ..sight(promoted)
        };
        assert_eq!(judge(&overnight), Verdict::FailedOver);
        // Seconds are lost, and nobody had been there before them since the day before.
        let seconds = Sight {
            remembered: Some(Remembered {
                kept: true,
                ..missing("01:00")
            }),
            ..sight(promoted)
        };
        assert_eq!(judge(&seconds), Verdict::FailedOver);
    }

    #[test]
    fn a_new_timeline_with_a_gap_that_nobody_can_explain_is_a_restore() {
        let recovered = Identity {
            timeline: 4,
            ..RECORDED
        };
        let yesterday = Sight {
            recorded_at: at("01:00"),
            ..sight(recovered)
        };
        assert_eq!(judge(&yesterday), Verdict::Restored(How::EarlierMoment));
        let earlier = Identity {
            timeline: 2,
            ..RECORDED
        };
        assert_eq!(judge(&sight(earlier)), Verdict::Restored(How::EarlierMoment));
    }

    #[test]
    fn a_coordinator_that_has_lived_on_misses_what_it_had_written_whoever_writes_meanwhile() {
        // Another one has beaten in the copy before: the rows are fresh, and of this timeline.
        let fresh = Sight {
            recorded_at: at("12:00"),
            remembered: Some(missing("01:00")),
            ..sight(RECORDED)
        };
        assert_eq!(judge(&fresh), Verdict::Restored(How::Forgotten));
        let no_beat_at_all = Sight {
            remembered: Some(Remembered {
                newest: None,
                ..missing("01:00")
            }),
            ..fresh
        };
        assert_eq!(judge(&no_beat_at_all), Verdict::Restored(How::Forgotten));
        // Everything was shut down over night: nothing is missing.
        let slept = Sight {
            recorded_at: at("01:00"),
            ..sight(RECORDED)
        };
        assert_eq!(judge(&slept), Verdict::Same);
    }

    #[test]
    fn a_restore_that_is_noticed_already_is_not_noticed_again_by_those_who_come_back_later() {
        let noticed = |time| Sight {
            remembered: Some(Remembered {
                noticed_at: Some(at(time)),
                ..missing("01:00")
            }),
            ..sight(RECORDED)
        };
        assert_eq!(judge(&noticed("12:00")), Verdict::Same);
        assert_eq!(judge(&noticed("00:30")), Verdict::Restored(How::Forgotten));
    }

    #[test]
    fn a_coordinator_that_was_cut_off_for_longer_than_beats_are_kept_remembers_nothing() {
        let remembered = Some(Remembered {
            newest: None,
            ..missing("01:00")
        });
        let days_later = Sight {
            now: at("12:00") + BEATS_KEPT + Duration::from_mins(1),
            remembered,
            ..sight(RECORDED)
        };
        assert_eq!(judge(&days_later), Verdict::Same);
    }
}

//! What is hurt, when and for how long.
//!
//! **Invariant**: a schedule is a pure function of its arguments. Faults of one lane never overlap; those of different
//! lanes do as they like.

use std::fmt;

use serde::Serialize;
use shared::mutant::Mutant;

use super::random::Random;

/// Coordinators of the site.
pub(super) const COORDINATORS: usize = 2;
/// Workers of the site.
pub(super) const WORKERS: usize = 3;
/// Seconds.
const HOUR: i64 = 3_600;

/// Something that can be hurt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A coordinator.
    Coordinator(usize),
    /// A worker.
    Worker(usize),
    /// RabbitMQ.
    Broker,
    /// PostgreSQL.
    Database,
    /// The network between a coordinator and PostgreSQL.
    DatabaseLink(usize),
    /// The network between a program and RabbitMQ: coordinators first, then workers.
    BrokerLink(usize),
    /// The disk that all jobs' targets are on.
    #[expect(
        clippy::enum_variant_names,
        reason = "a job's target, where its outputs go, is another one than this type's"
    )]
    TargetDisk,
    /// The disk that all workers' scratch folders are on.
    ScratchDisk,
    /// A program's clock: coordinators first, then workers.
    Clock(usize),
}

/// What is done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// kill -9; started again afterwards.
    Kill,
    /// SIGSTOP; SIGCONT afterwards.
    Freeze,
    /// SIGSTOP, and kill -9 afterwards: what was sent to it meanwhile is lost with it.
    FreezeAndKill,
    /// An orderly end (SIGTERM); started again afterwards.
    Restart,
    /// All that the server stores is gone.
    Wipe,
    /// RabbitMQ takes no more messages.
    MemoryAlarm,
    /// Bytes are kept until afterwards.
    Stall,
    /// Connections are closed.
    Cut,
    /// Connections are reset.
    Reset,
    /// Everything said is lost.
    Blackhole,
    /// The answers to the next commits are lost.
    CutCommits(u32),
    /// No byte more can be written.
    Full,
    /// It is wrong by so many seconds, ahead or behind.
    Wrong(i64),
}

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Step {
    /// When, milliseconds after the beginning.
    pub at_ms: u64,
    /// What is hurt.
    pub target: Target,
    /// How.
    pub fault: Fault,
    /// How long until it is mended, milliseconds.
    pub lasting_ms: u64,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            at_ms,
            target,
            fault,
            lasting_ms,
        } = self;
        let [at, lasting] = [at_ms, lasting_ms].map(|ms| format!("{}.{:03}", ms / 1000, ms % 1000));
        write!(f, "{at:>8} s  {target:?} {fault:?} for {lasting} s")
    }
}

/// All faults of a run, in the order of their beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Schedule {
    length_ms: u64,
    steps: Vec<Step>,
}

/// A sequence of faults that exclude each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lane {
    Coordinator(usize),
    Worker(usize),
    Broker,
    Database,
    DatabaseLink(usize),
    /// One program at a time is cut off from RabbitMQ.
    BrokerLinks,
    /// RabbitMQ freezes and dies, and then is left alone for longer than a lost message takes to be missed.
    DyingBroker,
    TargetDisk,
    ScratchDisk,
    /// One program at a time has a wrong clock.
    Clocks,
}

impl Lane {
    const ALL: [Self; 14] = [
        Self::Coordinator(0),
        Self::Coordinator(1),
        Self::Worker(0),
        Self::Worker(1),
        Self::Worker(2),
        Self::Broker,
        Self::Database,
        Self::DatabaseLink(0),
        Self::DatabaseLink(1),
        Self::BrokerLinks,
        Self::DyingBroker,
        Self::TargetDisk,
        Self::ScratchDisk,
        Self::Clocks,
    ];

    /// Whether its faults are what this mistake can be found by. Others would only be excuses for what is seen.
    fn concerns(self, mutant: Option<Mutant>) -> bool {
        match mutant {
            Some(Mutant::AckBeforeCommit) => {
                matches!(
                    self,
                    Self::Coordinator(_) | Self::Database | Self::DatabaseLink(_)
                )
            }
            Some(Mutant::MarkBeforePublish) => self == Self::DyingBroker,
            Some(Mutant::ExpiryWithoutProbe) => matches!(self, Self::Broker | Self::Database),
            // Any outage of the servers would keep leases from ending.
            Some(Mutant::NoAttemptFence) => matches!(self, Self::Worker(_) | Self::BrokerLinks),
            Some(Mutant::PublishWithoutGrant | Mutant::NoClaimId) => !matches!(
                self,
                Self::DyingBroker | Self::TargetDisk | Self::ScratchDisk | Self::Clocks
            ),
            None => self != Self::DyingBroker,
        }
    }

    /// Seconds between the end of a fault and the next one.
    fn pause(self) -> (u64, u64) {
        match self {
            Self::Coordinator(_) => (8, 25),
            Self::Worker(_) => (5, 18),
            Self::Broker => (12, 35),
            Self::Database => (12, 30),
            Self::DatabaseLink(_) => (4, 14),
            Self::BrokerLinks => (6, 18),
            Self::DyingBroker => (38, 45),
            Self::TargetDisk | Self::ScratchDisk => (10, 30),
            Self::Clocks => (2, 8),
        }
    }

    fn fault(self, random: &mut Random, spared: bool, mutant: Option<Mutant>) -> (Target, Fault, u64) {
        use Fault::{
            Blackhole, Cut, CutCommits, Freeze, FreezeAndKill, Full, Kill, MemoryAlarm, Reset, Restart,
            Stall, Wrong,
        };
        let target = match self {
            Self::Coordinator(number) => Target::Coordinator(number),
            Self::Worker(number) => Target::Worker(number),
            Self::Broker | Self::DyingBroker => Target::Broker,
            Self::Database => Target::Database,
            Self::DatabaseLink(number) => Target::DatabaseLink(number),
            Self::BrokerLinks => Target::BrokerLink(any_program(random)),
            Self::TargetDisk => Target::TargetDisk,
            Self::ScratchDisk => Target::ScratchDisk,
            Self::Clocks => Target::Clock(any_program(random)),
        };
        let fault = match self {
            Self::Coordinator(_) | Self::Worker(_) if spared => Freeze,
            Self::Coordinator(_) | Self::Worker(_) => random.one_of(&[Kill, Kill, Freeze, Freeze, Restart]),
            Self::DyingBroker => FreezeAndKill,
            Self::Broker => random.one_of(&[Kill, Restart, Freeze, FreezeAndKill, MemoryAlarm]),
            Self::Database => random.one_of(&[Kill, Kill, Freeze, Restart]),
            Self::DatabaseLink(_) => {
                let commits = u32::try_from(random.between(1, 4)).unwrap_or(1);
                let cut = CutCommits(commits);
                random.one_of(&[cut, cut, Stall, Cut, Reset, Blackhole])
            }
            Self::BrokerLinks => random.one_of(&[Stall, Cut, Reset, Blackhole]),
            Self::TargetDisk | Self::ScratchDisk => Full,
            Self::Clocks => Wrong(match target {
                // Hours, so that lines of its log can be told to be from then.
                Target::Clock(0..COORDINATORS) => {
                    random.one_of(&[-26 * HOUR, -3 * HOUR, 3 * HOUR, 26 * HOUR])
                }
                // Also about as long as a lease.
                _ => random.one_of(&[-26 * HOUR, -HOUR, -15, 15, HOUR, 26 * HOUR]),
            }),
        };
        let (least, most) = match (fault, target) {
            // An outage that a lease ends in.
            (Freeze, Target::Broker | Target::Database) if mutant == Some(Mutant::ExpiryWithoutProbe) => {
                (14_000, 22_000)
            }
            // Long enough that another worker has the job when it comes back.
            (Freeze | Stall, Target::Worker(_) | Target::BrokerLink(_))
                if mutant == Some(Mutant::NoAttemptFence) =>
            {
                (12_000, 18_000)
            }
            (Kill | Restart, Target::Broker | Target::Database) => (100, 3_000),
            (Kill | Restart, _) => (100, 6_000),
            (CutCommits(_), _) => (1_000, 3_000),
            (FreezeAndKill, _) => (3_000, 9_000),
            // Shorter than all retries of a job take.
            (Full, _) => (300, 5_000),
            (Wrong(_), _) => (1_000, 20_000),
            // Longer than a lease, now and then.
            (Freeze | Stall | Blackhole, Target::Worker(_) | Target::BrokerLink(_)) => (300, 16_000),
            (Freeze, Target::Coordinator(_)) => (300, 12_000),
            _ => (300, 9_000),
        };
        (target, fault, random.between(least, most))
    }

    fn steps(self, seed: u64, length_ms: u64, mutant: Option<Mutant>) -> Vec<Step> {
        let mut random = Random::new(seed, &format!("{self:?}"));
        let (least, most) = self.pause();
        let mut at_ms = random.between(1_000, most * 1_000);
        let spared = self == Self::Coordinator(usize::try_from(seed % 2).unwrap_or(0))
            || self == Self::Worker(usize::try_from(seed % 3).unwrap_or(0));
        let mut wipe_is_due = mutant.is_none();
        let mut steps = Vec::new();
        loop {
            let (target, mut fault, lasting_ms) = self.fault(&mut random, spared, mutant);
            // Once, and early enough for many submissions to follow.
            if self == Self::Broker && wipe_is_due && at_ms > length_ms / 4 && at_ms < length_ms / 2 {
                fault = Fault::Wipe;
                wipe_is_due = false;
            }
            if at_ms + lasting_ms > length_ms {
                return steps;
            }
            steps.push(Step {
                at_ms,
                target,
                fault,
                lasting_ms,
            });
            at_ms += lasting_ms + random.between(least * 1_000, most * 1_000);
        }
    }
}

fn any_program(random: &mut Random) -> usize {
    let last = u64::try_from(COORDINATORS + WORKERS - 1).unwrap_or(0);
    usize::try_from(random.between(0, last)).unwrap_or(0)
}

impl Schedule {
    /// The faults of this seed. One coordinator and one worker are never killed, so that what they use can be compared.
    pub fn new(seed: u64, minutes: f64, mutant: Option<Mutant>) -> Self {
        let length = std::time::Duration::from_secs_f64(minutes * 60.0);
        let length_ms = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
        let lanes = Lane::ALL.into_iter().filter(|lane| lane.concerns(mutant));
        let mut steps: Vec<Step> = lanes
            .flat_map(|lane| lane.steps(seed, length_ms, mutant))
            .collect();
        steps.sort_by_key(|step| (step.at_ms, step.target));
        Self { length_ms, steps }
    }

    /// How long faults happen, milliseconds.
    pub fn length_ms(&self) -> u64 {
        self.length_ms
    }

    /// The faults.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The faults that one thread carries out.
    pub(super) fn of(&self, lane: impl Fn(Target) -> bool) -> Vec<Step> {
        self.steps
            .iter()
            .copied()
            .filter(|step| lane(step.target))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_seed_is_always_the_same_schedule_and_another_seed_another_one() {
        let schedule = Schedule::new(7, 3.0, None);
        assert_eq!(schedule, Schedule::new(7, 3.0, None));
        assert_ne!(schedule, Schedule::new(8, 3.0, None));
        // Written down once: a seed in a note of months ago still means this.
        let lines: Vec<String> = schedule.steps().iter().take(3).map(Step::to_string).collect();
        assert_eq!(lines, PINNED);
    }

    const PINNED: [&str; 3] = [
        "   2.289 s  Worker(2) Kill for 0.771 s",
        "   4.939 s  Coordinator(1) Freeze for 5.418 s",
        "   5.359 s  Worker(0) Freeze for 1.202 s",
    ];

    #[test]
    fn faults_of_one_target_never_overlap_and_all_end_in_time() {
        for seed in 0..50 {
            let schedule = Schedule::new(seed, 3.0, None);
            let mut free = BTreeMap::new();
            for step in schedule.steps() {
                let free = free.entry(step.target).or_insert(0);
                assert!(step.at_ms >= *free, "seed {seed}: {step}");
                *free = step.at_ms + step.lasting_ms;
                assert!(*free <= schedule.length_ms(), "seed {seed}: {step}");
            }
        }
    }

    #[test]
    fn ten_seeds_hurt_everything_in_every_way() {
        let schedules = (1..=10).map(|seed| Schedule::new(seed, 3.0, None));
        let kinds: Vec<String> = schedules
            .flat_map(|schedule| schedule.steps)
            .map(|step| format!("{:?} {:?}", step.target, step.fault))
            .collect();
        for (target, faults) in [
            ("Broker", "Kill Restart Freeze FreezeAndKill Wipe MemoryAlarm"),
            ("Database", "Kill Restart Freeze"),
            ("Worker(0)", "Kill Restart Freeze"),
            ("Coordinator(0)", "Kill Restart Freeze"),
            ("DatabaseLink(1)", "CutCommits(2) Stall Cut Reset Blackhole"),
            ("BrokerLink(4)", "Stall Cut Reset Blackhole"),
            ("TargetDisk", "Full"),
            ("ScratchDisk", "Full"),
            ("Clock(0)", "Wrong(-93600) Wrong(10800)"),
            ("Clock(4)", "Wrong(-15) Wrong(93600)"),
        ] {
            for fault in faults.split(' ') {
                assert!(kinds.contains(&format!("{target} {fault}")), "{target} {fault}");
            }
        }
    }
}

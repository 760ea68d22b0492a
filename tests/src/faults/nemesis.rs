//! Carries a schedule out: one thread a lane, each with what it hurts.
//!
//! **Invariant**: when it is through, nothing is hurt any more: everything runs, every network passes.
//! A program that ends by itself is started again, as in production, and noted.

use std::thread;
use std::time::Duration;

use launcher::{Clock, Mode, Postgres, Proxy, RabbitMq, SmallDisk};
use serde::Serialize;

use super::journal::Journal;
use super::schedule::{Fault, Schedule, Step, Target};
use super::site::Site;
use crate::cluster::Program;

/// How often it is looked whether a program still runs.
const LOOK_MS: u64 = 250;
/// Longer than any program's grace period.
const END_LIMIT: Duration = Duration::from_secs(45);

/// What was done.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Hurt {
    /// What was planned.
    pub(super) step: Step,
    /// Milliseconds after the beginning.
    pub(super) began_ms: u64,
    /// When the target was whole again.
    pub(super) ended_ms: u64,
    /// Why it could not be done.
    pub(super) trouble: Option<String>,
}

/// All that was done, and what happened beside it.
#[derive(Debug, Clone, Default)]
pub(super) struct CarriedOut {
    pub(super) hurts: Vec<Hurt>,
    /// Programs that ended although nobody had hurt them.
    pub(super) ended_by_themselves: Vec<String>,
    /// Answers to commits that never arrived.
    pub(super) commits_cut: u32,
}

/// Hurts the site as the schedule says, and mends it.
pub(super) fn carry_out(site: &mut Site, schedule: &Schedule, journal: &Journal) -> CarriedOut {
    let Site {
        coordinators,
        workers,
        database_links,
        broker_links,
        postgres,
        rabbitmq,
        clocks,
        disks,
        ..
    } = site;
    let mut done = thread::scope(|scope| {
        let mut lanes = Vec::new();
        for (index, program) in coordinators.iter_mut().enumerate() {
            let steps = schedule.of(|target| target == Target::Coordinator(index));
            lanes.push(scope.spawn(move || hurt_program(program, &steps, schedule, journal)));
        }
        for (index, program) in workers.iter_mut().enumerate() {
            let steps = schedule.of(|target| target == Target::Worker(index));
            lanes.push(scope.spawn(move || hurt_program(program, &steps, schedule, journal)));
        }
        for (index, link) in database_links.iter().enumerate() {
            let steps = schedule.of(|target| target == Target::DatabaseLink(index));
            lanes.push(scope.spawn(move || {
                lane(&steps, journal, |step| {
                    hurt_link(link, step, journal);
                    Ok(())
                })
            }));
        }
        let steps = schedule.of(|target| matches!(target, Target::BrokerLink(_)));
        lanes.push(scope.spawn(move || {
            lane(&steps, journal, |step| {
                if let Target::BrokerLink(index) = step.target {
                    hurt_link(&broker_links[index], step, journal);
                }
                Ok(())
            })
        }));
        let steps = schedule.of(|target| target == Target::Broker);
        lanes.push(scope.spawn(move || lane(&steps, journal, |step| hurt_broker(rabbitmq, step, journal))));
        let steps = schedule.of(|target| target == Target::Database);
        lanes.push(scope.spawn(move || lane(&steps, journal, |step| hurt_database(postgres, step, journal))));
        let steps = schedule.of(|target| matches!(target, Target::Clock(_)));
        lanes.push(scope.spawn(move || {
            lane(&steps, journal, |step| match (step.target, step.fault) {
                (Target::Clock(index), Fault::Wrong(seconds)) => {
                    hurt_clock(&clocks[index], seconds, step, journal)
                }
                _ => Ok(()),
            })
        }));
        if let Some(disks) = disks {
            for (disk, target) in [
                (&disks.targets, Target::TargetDisk),
                (&disks.scratch, Target::ScratchDisk),
            ] {
                let steps = schedule.of(|of| of == target);
                lanes.push(scope.spawn(move || lane(&steps, journal, |step| hurt_disk(disk, step, journal))));
            }
        } else {
            journal.note("no disk is hurt: this process may not mount anything");
        }
        let mut done = CarriedOut::default();
        for lane in lanes {
            let lane = lane
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            done.hurts.extend(lane.hurts);
            done.ended_by_themselves.extend(lane.ended_by_themselves);
        }
        done
    });
    done.commits_cut = database_links.iter().map(Proxy::commits_cut).sum();
    done.hurts.sort_by_key(|hurt| hurt.began_ms);
    journal.note("all faults cease");
    done
}

/// Does one step after the other, each at its time.
fn lane(
    steps: &[Step],
    journal: &Journal,
    mut hurt: impl FnMut(&Step) -> Result<(), launcher::Error>,
) -> CarriedOut {
    let mut done = CarriedOut::default();
    for step in steps {
        journal.sleep_until(step.at_ms);
        done.hurts.push(carried_out(step, journal, || hurt(step)));
    }
    done
}

fn carried_out(step: &Step, journal: &Journal, hurt: impl FnOnce() -> Result<(), launcher::Error>) -> Hurt {
    let began_ms = journal.now_ms();
    journal.note(format!("{:?}: {:?}", step.target, step.fault));
    let trouble = hurt().err().map(|error| error.to_string());
    journal.note(match &trouble {
        None => format!("{:?}: mended after {:?}", step.target, step.fault),
        Some(trouble) => format!("{:?}: {:?} went wrong: {trouble}", step.target, step.fault),
    });
    Hurt {
        step: *step,
        began_ms,
        ended_ms: journal.now_ms(),
        trouble,
    }
}

/// For as long as the step is to last.
fn last(step: &Step, journal: &Journal) {
    journal.sleep_until(journal.now_ms() + step.lasting_ms);
}

fn hurt_program(program: &mut Program, steps: &[Step], schedule: &Schedule, journal: &Journal) -> CarriedOut {
    let mut done = CarriedOut::default();
    for step in steps {
        keep_running(program, step.at_ms, journal, &mut done);
        done.hurts.push(carried_out(step, journal, || {
            match step.fault {
                Fault::Freeze => {
                    program.freeze();
                    last(step, journal);
                    program.thaw();
                }
                Fault::Restart => {
                    let _how = program.end_after_sigterm(END_LIMIT)?;
                    last(step, journal);
                    program.start_without_waiting();
                }
                _ => {
                    program.kill9();
                    last(step, journal);
                    program.start_without_waiting();
                }
            }
            Ok(())
        }));
    }
    keep_running(program, schedule.length_ms(), journal, &mut done);
    done
}

/// Waits until then, and starts the program again where it ends meanwhile.
fn keep_running(program: &mut Program, until_ms: u64, journal: &Journal, done: &mut CarriedOut) {
    loop {
        if !program.alive() {
            let what = format!("{} has ended by itself: {}", program.name(), program.last_line());
            journal.note(&what);
            done.ended_by_themselves.push(what);
            program.start_without_waiting();
        }
        let now = journal.now_ms();
        if now >= until_ms {
            return;
        }
        journal.sleep_until(until_ms.min(now + LOOK_MS));
    }
}

fn hurt_link(link: &Proxy, step: &Step, journal: &Journal) {
    let mode = match step.fault {
        Fault::CutCommits(count) => {
            link.cut_after_commits(count);
            last(step, journal);
            return link.cut_after_commits(0);
        }
        Fault::Stall => Mode::Stall,
        Fault::Cut => Mode::Cut,
        Fault::Reset => Mode::Reset,
        _ => Mode::Blackhole,
    };
    link.set(mode);
    last(step, journal);
    link.set(Mode::Pass);
}

fn hurt_clock(clock: &Clock, seconds: i64, step: &Step, journal: &Journal) -> Result<(), launcher::Error> {
    clock.set(seconds)?;
    last(step, journal);
    clock.set(0)
}

fn hurt_disk(disk: &SmallDisk, step: &Step, journal: &Journal) -> Result<(), launcher::Error> {
    disk.fill(0)?;
    last(step, journal);
    disk.make_room()
}

/// A server that waits for clients which are cut off is killed in the end, as an administrator would.
fn end_somehow(ended: Result<(), launcher::Error>) -> Result<(), launcher::Error> {
    match ended {
        Err(launcher::Error::StillRunning { .. }) => Ok(()),
        other => other,
    }
}

fn hurt_broker(broker: &mut RabbitMq, step: &Step, journal: &Journal) -> Result<(), launcher::Error> {
    match step.fault {
        Fault::Freeze => {
            broker.freeze()?;
            last(step, journal);
            return broker.thaw();
        }
        Fault::MemoryAlarm => {
            broker.raise_memory_alarm()?;
            last(step, journal);
            return broker.end_memory_alarm();
        }
        Fault::FreezeAndKill => {
            broker.freeze()?;
            last(step, journal);
            broker.kill9()?;
        }
        Fault::Restart => end_somehow(broker.stop())?,
        Fault::Wipe => broker.wipe()?,
        _ => broker.kill9()?,
    }
    if step.fault != Fault::FreezeAndKill {
        last(step, journal);
    }
    broker.restart()
}

fn hurt_database(database: &mut Postgres, step: &Step, journal: &Journal) -> Result<(), launcher::Error> {
    match step.fault {
        Fault::Freeze => {
            database.freeze()?;
            last(step, journal);
            return database.thaw();
        }
        Fault::Restart => end_somehow(database.stop())?,
        _ => database.kill9()?,
    }
    last(step, journal);
    database.restart()
}

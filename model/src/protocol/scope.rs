//! What a model of the protocol contains, and how far it goes.

use super::packet::Request;
use crate::protocol::Control;
use crate::report::Bound;

/// One model's share of the protocol.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope {
    /// Its name in reports.
    pub(crate) name: &'static str,
    /// What it is about, in one sentence.
    pub(crate) about: &'static str,
    /// Jobs of one plugin.
    pub(crate) jobs: u8,
    /// Workers with one slot each.
    pub(crate) workers: u8,
    /// Coordinators whose dispatchers pick, publish and mark in separate steps; with none it is one step.
    pub(crate) dispatchers: u8,
    /// Jobs that the plugin may run at a time.
    pub(crate) running_max: Option<u8>,
    /// Files of a job's manifest.
    pub(crate) files: usize,
    /// How often a failure that may pass is repeated.
    pub(crate) retries_max: i16,
    /// Which conversations are lossy, late, doubled and out of order.
    pub(crate) network: Network,
    /// What persons may do.
    pub(crate) controls: &'static [Control],
    /// How often what may happen.
    pub(crate) budget: Budget,
    /// How many commits a failover may lose.
    pub(crate) lost_commits: u8,
}

impl Scope {
    /// One job, one worker, and nothing goes wrong.
    pub(crate) const fn calm(name: &'static str, about: &'static str) -> Self {
        Self {
            name,
            about,
            jobs: 1,
            workers: 1,
            dispatchers: 0,
            running_max: None,
            files: 1,
            retries_max: 0,
            network: Network::GOOD,
            controls: &[],
            budget: Budget::NOTHING,
            lost_commits: 0,
        }
    }

    /// The bounds as a report shows them; what is not there is left out.
    pub(crate) fn bounds(&self) -> Vec<Bound> {
        let Budget {
            worker_deaths,
            early_expiries,
            wipes,
            dispatcher_deaths,
            redeliveries,
            give_backs,
            doubled_messages,
            failovers,
            controls,
            shutdowns,
            failures,
        } = self.budget;
        let bounds = [
            ("jobs", self.jobs),
            ("workers", self.workers),
            ("dispatchers", self.dispatchers),
            ("jobs running at a time", self.running_max.unwrap_or(0)),
            ("files of a job", u8::try_from(self.files).unwrap_or(u8::MAX)),
            (
                "retries",
                self.retries_max.unsigned_abs().try_into().unwrap_or(u8::MAX),
            ),
            ("deaths of workers", worker_deaths),
            ("leases that end although the worker lives", early_expiries),
            ("wipes of the broker", wipes),
            ("deaths of dispatchers", dispatcher_deaths),
            ("messages redelivered although their worker lives", redeliveries),
            ("messages given back", give_backs),
            ("requests handled twice", doubled_messages),
            ("failovers of the database", failovers),
            ("commits lost by a failover", self.lost_commits),
            ("controls", controls),
            ("attempts given back by a shutdown", shutdowns),
            ("failures", failures),
        ];
        bounds
            .into_iter()
            .filter(|(_, most)| *most > 0)
            .map(|(what, most)| Bound {
                what,
                most: most.into(),
            })
            .collect()
    }
}

/// Which conversations between workers and coordinators go over a bad network: any message may stay away, come
/// late, come after later ones, and come again. The others are answered at once.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is true or false by itself")]
pub(crate) struct Network {
    pub(crate) claims: bool,
    pub(crate) heartbeats: bool,
    pub(crate) publishing: bool,
    pub(crate) results: bool,
}

impl Network {
    /// Everything is answered at once.
    pub(crate) const GOOD: Self = Self {
        claims: false,
        heartbeats: false,
        publishing: false,
        results: false,
    };

    /// Whether this goes over the bad network.
    pub(crate) fn carries(self, request: Request) -> bool {
        match request {
            Request::Claim { .. } => self.claims,
            Request::Heartbeat { .. } => self.heartbeats,
            Request::Publish { .. } => self.publishing,
            Request::Result { .. } => self.results,
        }
    }
}

/// How often what is not bound to happen may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Budget {
    /// kill -9 of a worker; it starts anew at once.
    pub(crate) worker_deaths: u8,
    /// A lease ends although its worker lives: it was cut off for too long.
    pub(crate) early_expiries: u8,
    /// The broker loses all messages to workers.
    pub(crate) wipes: u8,
    /// A coordinator dies between two steps of its dispatcher.
    pub(crate) dispatcher_deaths: u8,
    /// The broker takes a worker for dead that is not, and delivers its message again.
    pub(crate) redeliveries: u8,
    /// A worker that gets no answer to its claim gives the message back.
    pub(crate) give_backs: u8,
    /// A coordinator dies between commit and acknowledgement: the next one handles the request again.
    pub(crate) doubled_messages: u8,
    /// The database goes on from a standby that lacks the last commits.
    pub(crate) failovers: u8,
    /// A person does something.
    pub(crate) controls: u8,
    /// A worker that shuts down gives its attempt back.
    pub(crate) shutdowns: u8,
    /// An attempt fails.
    pub(crate) failures: u8,
}

impl Budget {
    /// Nothing goes wrong and nobody meddles.
    pub(crate) const NOTHING: Self = Self {
        worker_deaths: 0,
        early_expiries: 0,
        wipes: 0,
        dispatcher_deaths: 0,
        redeliveries: 0,
        give_backs: 0,
        doubled_messages: 0,
        failovers: 0,
        controls: 0,
        shutdowns: 0,
        failures: 0,
    };
}

//! Places between two effects where a process can be made to die, so that dying there is shown to lose and double nothing.
//!
//! Without the feature `failpoints` there are none, and nothing of them is compiled in; a release can't be built with it.
//! With it, the environment variable `TASKMANAGER_FAILPOINTS` names a folder. A process that comes to a point looks there
//! for a file of the point's name, says by renaming it to `<name>.hit` that it is the one, and does what the file says:
//!
//! - `die`: it kills itself with SIGKILL;
//! - `wait`: the thread stays at the point as long as `<name>.hit` is there, so that the process can be frozen exactly here.
//!
//! Invariant: renaming is one step, so each file stops one process, once, however many of them there are and however
//! often they are started again.

/// Declares the points with their names.
macro_rules! failpoints {
    ($($(#[doc = $between:expr])+ $point:ident = $name:literal,)+) => {
        /// A place between two effects. Those of a coordinator come first, then those of a worker.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Failpoint {
            $($(#[doc = $between])+ $point,)+
        }

        impl Failpoint {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$point),+];

            /// Its name, which is its file's.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$point => $name),+
                }
            }
        }
    };
}

failpoints! {
    /// Submissions are written, and not committed.
    SubmitBeforeCommit = "submit-before-commit",
    /// Submissions are committed, and nobody is answered.
    SubmitBeforeAnswer = "submit-before-answer",
    /// Submitters are answered, and their messages not acknowledged.
    SubmitBeforeAck = "submit-before-ack",
    /// The job of one of Goobi's tickets is committed, and the ticket not acknowledged.
    TicketBeforeAck = "ticket-before-ack",
    /// A copy of a message that can't be accepted is put away, and the message not acknowledged.
    PutAwayBeforeAck = "put-away-before-ack",
    /// Waiting jobs are reserved, and not published.
    DispatchBeforePublish = "dispatch-before-publish",
    /// Waiting jobs are published, and not marked.
    DispatchBeforeMark = "dispatch-before-mark",
    /// The jobs of a queue that is missing are marked to be sent again, and the queue not made.
    ResendBeforeQueue = "resend-before-queue",
    /// A worker's announcement is committed, and the queue of its new plugin not made.
    AnnounceBeforeQueue = "announce-before-queue",
    /// Grants are written, and not committed.
    ClaimBeforeCommit = "claim-before-commit",
    /// Grants are committed, and the workers not answered.
    ClaimBeforeReply = "claim-before-reply",
    /// An agreement to publish is written, and not committed.
    PublishBeforeCommit = "publish-before-commit",
    /// An agreement to publish is committed, and the worker not answered.
    PublishBeforeReply = "publish-before-reply",
    /// Claims or requests to publish are answered, and their messages not acknowledged.
    ClaimBeforeAck = "claim-before-ack",
    /// It is recorded that workers live, and their leases are not renewed.
    HeartbeatBeforeRenewal = "heartbeat-before-renewal",
    /// Leases are renewed and items recorded, and that is not committed.
    HeartbeatBeforeCommit = "heartbeat-before-commit",
    /// What had to be decided about an attempt is written, and not committed.
    ReviseBeforeCommit = "revise-before-commit",
    /// Heartbeats are committed, and the workers not answered.
    HeartbeatBeforeReply = "heartbeat-before-reply",
    /// Transfer slots are given, and the workers not answered.
    TransferBeforeReply = "transfer-before-reply",
    /// Heartbeats are answered, and their messages not acknowledged.
    HeartbeatBeforeAck = "heartbeat-before-ack",
    /// The ends of attempts and jobs are written, and not committed.
    ResultBeforeCommit = "result-before-commit",
    /// Results are committed, and the workers not answered.
    ResultBeforeReply = "result-before-reply",
    /// Results are answered, and their messages not acknowledged.
    ResultBeforeAck = "result-before-ack",
    /// The ends of leases are written, and not committed.
    ExpiryBeforeCommit = "expiry-before-commit",
    /// The ends of leases are committed, and nobody was told.
    ExpiryBeforeTold = "expiry-before-told",
    /// Jobs whose time has come are queued, and nobody was told.
    WakeBeforeTold = "wake-before-told",
    /// What a person has done is written, and not committed.
    ControlBeforeCommit = "control-before-commit",
    /// What a person has done is committed, and no worker was told.
    ControlBeforePush = "control-before-push",

    /// A worker has a message, and has not asked for its job.
    MessageBeforeClaim = "message-before-claim",
    /// A claim is on its way, and its answer not here.
    ClaimBeforeAnswer = "claim-before-answer",
    /// A claim is answered, and its message not acknowledged.
    AnswerBeforeAck = "answer-before-ack",
    /// A granted job's message is acknowledged, and the attempt not begun.
    AckBeforeAttempt = "ack-before-attempt",
    /// An item store stands in the index of its root, and its folder is not made.
    EntryBeforeStore = "entry-before-store",
    /// An item's file is written, and does not lie in its place in the item store.
    ItemBeforeRename = "item-before-rename",
    /// An item's file lies in the item store, and no heartbeat has told that.
    ItemBeforeReport = "item-before-report",
    /// All outputs lie in the item store, and nobody was asked whether they may be published.
    OutputsBeforeAsking = "outputs-before-asking",
    /// A request to publish is on its way, and its answer not here.
    AskingBeforeAnswer = "asking-before-answer",
    /// Publishing is granted, and no file moved.
    GrantBeforeRename = "grant-before-rename",
    /// A file is published, and another one is not.
    BetweenRenames = "between-renames",
    /// All files of a version lie on object storage, and the pointer does not name it.
    VersionBeforePointer = "version-before-pointer",
    /// All files are published, and the item store is still there.
    RenameBeforeRemoval = "rename-before-removal",
    /// The item store is removed, and still stands in the index of its root.
    RemovalBeforeEntry = "removal-before-entry",
    /// The item store is removed, and the result nowhere but in memory.
    RemovalBeforeSpool = "removal-before-spool",
    /// The result lies on disk, and was not sent.
    SpoolBeforeSend = "spool-before-send",
    /// The result is on its way, and its answer not here.
    ResultBeforeAnswer = "result-before-answer",
    /// The result is recorded, and still lies on disk.
    RecordBeforeUnspool = "record-before-unspool",
    /// A dead process's results are taken over, and the rest of its folder is still there.
    HeritageBeforeRemoval = "heritage-before-removal",
}

/// Does what a test wants done here; mostly nothing.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub const fn reach(_: Failpoint) {}

#[cfg(feature = "failpoints")]
pub use built_in::reach;

#[cfg(all(feature = "failpoints", not(debug_assertions)))]
compile_error!("failpoints are for tests: leave the feature away where debug assertions are off");

#[cfg(feature = "failpoints")]
mod built_in {
    use std::fs;
    use std::path::PathBuf;
    use std::sync::LazyLock;
    use std::time::Duration;

    use rustix::process::{Signal, getpid, kill_process};

    use super::Failpoint;

    /// Pause between two looks whether a thread may go on.
    const PAUSE: Duration = Duration::from_millis(5);

    static FOLDER: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
        #[expect(
            clippy::disallowed_methods,
            reason = "a death for tests is no setting of any program"
        )]
        let named = std::env::var_os("TASKMANAGER_FAILPOINTS");
        named.map(PathBuf::from)
    });

    /// Does what a test wants done here; mostly nothing.
    ///
    /// # Panics
    /// When the test's folder can't be used, or the process can't kill itself.
    pub fn reach(point: Failpoint) {
        let Some(folder) = FOLDER.as_ref() else {
            return;
        };
        let armed = folder.join(point.as_str());
        let Ok(wish) = fs::read_to_string(&armed) else {
            return;
        };
        let hit = folder.join(format!("{}.hit", point.as_str()));
        // Another process may have been first.
        if fs::rename(&armed, &hit).is_err() {
            return;
        }
        match wish.trim() {
            "die" => kill_process(getpid(), Signal::KILL).expect("a process may kill itself"),
            // Other tasks of this thread's runtime go on meanwhile.
            "wait" => tokio::task::block_in_place(|| {
                while hit.exists() {
                    std::thread::sleep(PAUSE);
                }
            }),
            other => panic!("{} holds neither die nor wait: {other}", armed.display()),
        }
    }
}

//! All words of the pages, English and German side by side. The words are those of the manuals of the task
//! managers that this one replaces.
//!
//! Invariant: a word can't be missing in one language, because both stand in one line; templates contain no
//! words of their own (a test reads them).

use super::language::Language;

macro_rules! texts {
    // What a list of others has as a part.
    (part; $($key:ident: $english:literal, $german:literal;)+) => {
        texts! { @words; $($key: $english, $german;)+ }
    };
    (with $($part:ident),*; $($key:ident: $english:literal, $german:literal;)+) => {
        texts! { @words $($part),*; $($key: $english, $german;)+ }

        impl Text {
            /// The words of a language.
            pub(in crate::http) fn of(language: Language) -> &'static Self {
                match language {
                    Language::English => &ENGLISH,
                    Language::German => &GERMAN,
                }
            }
        }
    };
    (@words $($part:ident),*; $($key:ident: $english:literal, $german:literal;)+) => {
        /// The words of one language.
        #[derive(Debug)]
        pub(in crate::http) struct Text {
            $(pub(in crate::http) $part: &'static $part::Text,)*
            $(pub(in crate::http) $key: &'static str,)+
        }

        pub(super) const ENGLISH: Text = Text { $($part: &$part::ENGLISH,)* $($key: $english,)+ };
        pub(super) const GERMAN: Text = Text { $($part: &$part::GERMAN,)* $($key: $german,)+ };

        /// Name, English and German of each text.
        #[cfg(test)]
        pub(super) const ALL: &[(&str, &str, &str)] = &[$((stringify!($key), $english, $german),)+];
    };
    ($($key:ident: $english:literal, $german:literal;)+) => {
        texts! { with; $($key: $english, $german;)+ }
    };
}

pub(super) mod audit;
pub(super) mod failure;
pub(super) mod job_page;
pub(super) mod lists;
pub(super) mod sections;
pub(super) mod system;
pub(super) mod told;

texts! {
    with failure, lists;

    // Every page.
    skip: "Skip to the content", "Zum Inhalt springen";
    menu: "Menu", "Menü";
    languages: "Language", "Sprache";
    dashboard: "Dashboard", "Übersicht";
    system: "System", "System";
    search: "Search", "Suche";
    accounts: "Users", "Benutzer";
    audit: "Audit log", "Prüfprotokoll";
    log_out: "Log out", "Abmelden";
    live_on: "Live", "Live";
    live_off: "No connection", "Keine Verbindung";
    times_in: "Times: {0}", "Uhrzeiten: {0}";
    version: "Version {0}", "Version {0}";

    // A database that was put back from a copy.
    restored: "This database was put back from a copy of {0}, and all plugins were stopped. The command taskmanager recover says what that means and what to do.",
        "Diese Datenbank wurde aus einer Kopie vom {0} wiederhergestellt, und alle Plugins wurden angehalten. Der Befehl taskmanager recover sagt, was das bedeutet und was zu tun ist.";

    // Figures on all jobs.
    figures: "All jobs", "Alle Aufgaben";
    running: "Running", "Laufend";
    waiting: "Waiting", "Wartend";
    paused: "Paused", "Angehalten";
    done_today: "Done today", "Heute fertig";
    failed_today: "Failed today", "Heute fehlerhaft";
    pages_today: "Pages today", "Seiten heute";
    day_in_utc: "Days are counted in UTC", "Tage zählen nach UTC";

    // The list of jobs.
    jobs: "Jobs", "Aufgaben";
    all_jobs: "The list of jobs", "Die Liste der Aufgaben";
    tabs: "Which jobs", "Welche Aufgaben";
    tab_queue: "Queue", "Warteschlange";
    tab_done: "Done", "Fertig";
    tab_error: "Error", "Fehler";
    state: "Status", "Status";
    progress: "Progress", "Fortschritt";
    title: "Title", "Titel";
    plugin: "Plugin", "Plugin";
    priority: "Priority", "Priorität";
    submitted: "Submitted", "Eingereicht";
    started: "Started", "Gestartet";
    finished: "Finished", "Beendet";
    duration: "Duration", "Dauer";
    volume: "Volume of data", "Datenmenge";
    process: "Process {0}", "Vorgang {0}";
    step: "Step {0}", "Schritt {0}";
    of_items: "{0} of {1}", "{0} von {1}";
    items_failed: "{0} failed", "{0} fehlerhaft";
    next_page: "Next page", "Nächste Seite";
    first_page: "First page", "Erste Seite";
    pager: "Pages of the list", "Seiten der Liste";
    empty_queue: "No job is waiting or running", "Keine Aufgabe wartet oder läuft";
    empty_queue_more: "Jobs appear here as soon as they are submitted, by a workflow or by hand:",
        "Aufgaben erscheinen hier, sobald sie eingereicht werden, von einem Workflow oder von Hand:";
    empty_done: "No job is done yet", "Noch keine Aufgabe ist fertig";
    empty_done_more: "Jobs that have ended well are listed here, the newest first.",
        "Hier stehen die erfolgreich beendeten Aufgaben, die neuesten zuerst.";
    empty_error: "No job has failed", "Keine Aufgabe ist fehlgeschlagen";
    empty_error_more: "Failed and cancelled jobs are listed here with their reasons.",
        "Hier stehen fehlgeschlagene und abgebrochene Aufgaben mit dem Grund.";

    // The plugins' queues.
    queues: "Queues of the plugins", "Warteschlangen der Plugins";
    slots: "Slots", "Plätze";
    workers: "Workers", "Worker";
    longest_wait: "Longest wait", "Längste Wartezeit";
    no_worker: "No worker", "Kein Worker";
    plugin_running: "running", "läuft";
    plugin_stopping: "stopping", "wird angehalten";
    plugin_stopped: "stopped", "angehalten";
    empty_plugins: "No plugin is known yet", "Noch kein Plugin ist bekannt";
    empty_plugins_more: "Plugins appear as soon as a worker announces them: start a worker.",
        "Plugins erscheinen, sobald ein Worker sie anmeldet: Starten Sie einen Worker.";

    // States of a job, in words.
    state_blocked: "Waits for other jobs", "Wartet auf andere Aufgaben";
    state_scheduled: "Waits for its time", "Wartet auf den Termin";
    state_queued: "Ready to start", "Startbereit";
    state_started: "Getting ready", "Wird vorbereitet";
    state_waiting_for_upload: "Waits for storage", "Wartet auf den Speicher";
    state_upload: "Fetches its files", "Holt die Dateien";
    state_processing: "Being processed", "Wird bearbeitet";
    state_download: "Puts the results in place", "Legt die Ergebnisse ab";
    state_paused: "Held back", "Angehalten";
    state_done: "Finished", "Beendet";
    state_error: "Failed", "Fehlgeschlagen";
    state_cancelled: "Cancelled", "Abgebrochen";

    // Why a job waits.
    wait_cancel: "Will be cancelled, as a person has asked for it", "Wird auf Wunsch abgebrochen";
    wait_cancel_running: "Is being cancelled: its worker still ends what it does ({0})", "Wird abgebrochen: Der Worker beendet noch, was er gerade tut ({0})";
    wait_held: "Is held by a person", "Von jemandem angehalten";
    wait_plugin_stopped: "Plugin {0} is stopped", "Das Plugin {0} ist angehalten";
    wait_plugin_stopping: "Plugin {0} is being stopped", "Das Plugin {0} wird angehalten";
    wait_scheduled: "Starts at {0}", "Startet um {0}";
    wait_retry: "Retry {0} of {1} at {2}", "Wiederholung {0} von {1} um {2}";
    wait_quota: "The page contract of {0} is used up", "Das Seitenkontingent von {0} ist aufgebraucht";
    wait_autostart: "Jobs do not start by themselves at the moment", "Aufgaben starten zurzeit nicht automatisch";
    wait_limit: "Number {0} in line; limit: {1} of {2} running", "Nummer {0} in der Warteschlange; Grenze: {1} von {2} {1|läuft|laufen}";
    wait_storage: "Waits for storage {0}: {1} of {2} {2|job|jobs} {1|uses|use} it", "Wartet auf den Speicher {0}: {1} von {2} {2|Aufgabe|Aufgaben} {1|nutzt|nutzen} ihn";
    wait_blocked: "Waits for other jobs to end", "Wartet auf das Ende anderer Aufgaben";
    wait_no_worker: "No worker for {0} is running", "Kein Worker für {0} läuft";
    wait_next: "Next in line; {0} of {1} {1|slot|slots} {0|is|are} in use", "Als Nächste an der Reihe; {0} von {1} {1|Platz|Plätzen} belegt";
    wait_in_line: "Number {0} in line; {1} of {2} {2|slot|slots} {1|is|are} in use",
        "Nummer {0} in der Warteschlange; {1} von {2} {2|Platz|Plätzen} belegt";
    wait_far_back: "More than {0} jobs are before it; {1} of {2} {2|slot|slots} {1|is|are} in use",
        "Mehr als {0} Aufgaben stehen davor; {1} von {2} {2|Platz|Plätzen} belegt";

    // The page of a job.
    where_am_i: "You are here", "Sie sind hier";
    details: "Details", "Details";
    identifiers: "Identifiers", "Kennungen";
    job_id: "Job", "Aufgabe";
    process_id: "Process", "Vorgang";
    step_id: "Step", "Schritt";
    step_name: "Step name", "Name des Schritts";
    project: "Project", "Projekt";
    submitted_by: "Submitted by", "Eingereicht von";
    callback: "Told at the end", "Wird am Ende benachrichtigt";
    folders: "Folders", "Verzeichnisse";
    source: "Source", "Quelle";
    target: "Target", "Ziel";
    times: "Times", "Zeiten";
    settings: "Settings", "Einstellungen";
    template: "Template", "Vorlage";
    parameters: "Parameters", "Parameter";
    template_parameters: "Parameters of the template", "Parameter der Vorlage";
    extra: "Further fields as sent", "Weitere Felder, wie gesendet";
    results: "Results", "Ergebnisse";
    items: "Items", "Dateien";
    file: "File", "Datei";
    position: "No.", "Nr.";
    item_done: "done", "fertig";
    item_failed: "failed", "fehlerhaft";
    item_skipped: "left aside", "ausgelassen";
    reason: "Reason", "Grund";
    no_items: "No item has been reported yet.", "Noch keine Datei gemeldet.";
    some_of_items: "{0} of {1} are shown.", "{0} von {1} werden gezeigt.";
    show_all: "Show all", "Alle zeigen";
    attempts: "Attempts", "Versuche";
    attempt: "Attempt", "Versuch";
    worker: "Worker", "Worker";
    outcome: "Outcome", "Ausgang";
    exit_code: "exit code {0}", "Exit-Code {0}";
    permanent: "trying again does not help", "ein neuer Versuch hilft nicht";
    retryable: "may pass", "kann vorübergehen";
    no_attempts: "No worker has started it yet.", "Noch hat sie kein Worker begonnen.";
    outcome_running: "running", "läuft";
    outcome_done: "done", "fertig";
    outcome_failed: "failed", "fehlgeschlagen";
    outcome_interrupted: "interrupted", "unterbrochen";
    outcome_cancelled: "cancelled", "abgebrochen";
    outcome_lost: "its worker was lost", "Worker verloren";
    deliveries: "Messages to other systems", "Nachrichten an andere Systeme";
    delivery: "Message", "Nachricht";
    delivery_callback: "Call to the submitter", "Aufruf des Einreichers";
    delivery_goobi_message: "Message to Goobi", "Nachricht an Goobi";
    delivery_goobi_journal: "Entry in Goobi's journal", "Eintrag in Goobis Journal";
    delivery_goobi_step: "End of the step in Goobi", "Ende des Schritts in Goobi";
    delivery_answer: "Answer", "Antwort";
    delivery_tries: "Tries", "Versuche";
    delivery_tried: "Last try", "Letzter Versuch";
    delivery_next: "next at {0}", "nächster um {0}";
    delivery_now: "next at once", "nächster sofort";
    delivery_pending: "to be delivered", "wird zugestellt";
    delivery_delivered: "delivered", "zugestellt";
    delivery_failed: "given up", "aufgegeben";
    delivery_failed_more: "Put right what the answer says, then send it again.",
        "Beheben Sie, was die Antwort nennt, und senden Sie sie dann erneut.";
    delivery_unclear: "perhaps delivered", "vielleicht zugestellt";
    delivery_unclear_more: "It must not arrive twice: look at the receiver before you send it again.",
        "Sie darf nicht zweimal ankommen: Sehen Sie beim Empfänger nach, bevor Sie sie erneut senden.";
    log: "Log", "Protokoll";
    no_log: "Nothing has been logged yet.", "Noch nichts protokolliert.";
    last_lines: "The last {0} of {1} lines.", "Die letzten {0} von {1} Zeilen.";
    whole_log: "Whole log", "Ganzes Protokoll";
    outputs: "Outputs", "Ausgaben";
    size: "Size", "Größe";
    no_outputs: "None yet; they are listed when they are put in place.",
        "Noch keine; sie stehen hier, sobald sie abgelegt werden.";
    no_outputs_ended: "This job has left no files.", "Diese Aufgabe hat keine Dateien abgelegt.";
    outputs_summary: "{0} {0|file|files}, {1}", "{0} {0|Datei|Dateien}, {1}";

    // What can be done, and what became of it.
    actions: "Actions", "Aktionen";
    do_start_now: "Start now", "Jetzt starten";
    do_release: "Let it go on", "Fortsetzen";
    do_hold: "Hold", "Anhalten";
    do_set: "Change", "Ändern";
    do_lower: "Lower the priority to {0}", "Priorität auf {0} senken";
    priority_counts_later: "Counts once the job is back in its queue", "Gilt, sobald die Aufgabe wieder in der Warteschlange steht";
    do_raise: "Raise the priority to {0}", "Priorität auf {0} erhöhen";
    do_top: "To the top", "Ganz nach oben";
    do_up: "Up", "Nach oben";
    do_down: "Down", "Nach unten";
    do_bottom: "To the bottom", "Ganz nach unten";
    do_retry: "Retry", "Wiederholen";
    do_retry_all: "Retry from the beginning", "Ganz von vorn wiederholen";
    do_cancel: "Cancel …", "Abbrechen …";
    sure_cancel: "It will never run; a running one is stopped and publishes nothing.",
        "Sie wird nie laufen; eine laufende wird beendet und legt nichts ab.";
    do_cancel_yes: "Cancel this job", "Diese Aufgabe abbrechen";
    do_delete: "Delete …", "Löschen …";
    sure_delete: "Its page, its log and its history go; its outputs stay.",
        "Ihre Seite, ihr Protokoll und ihre Geschichte verschwinden; ihre Ausgaben bleiben.";
    do_delete_yes: "Delete this job", "Diese Aufgabe löschen";
    said_password: "The password was changed, and you are logged out everywhere else.",
        "Das Passwort wurde geändert, und Sie sind überall sonst abgemeldet.";
    said_done: "Done. What a running job is asked to do shows in a moment.",
        "Erledigt. Was eine laufende Aufgabe tun soll, zeigt sich gleich.";
    said_unchanged: "It was so already.", "Das war schon so.";
    said_messaged: "The message is recorded; the table of messages shows when Goobi has it.",
        "Die Nachricht ist vermerkt; die Tabelle der Nachrichten zeigt, wann Goobi sie hat.";
    said_no_process: "{0|It has|They have} no process in Goobi.", "Sie {0|hat|haben} keinen Vorgang in Goobi.";
    said_no_goobi: "No message can be sent to Goobi: the coordinator's settings --goobi-url and --goobi-token-file say where it is.",
        "An Goobi kann keine Nachricht gehen: Die Einstellungen --goobi-url und --goobi-token-file des Coordinators sagen, wo es ist.";
    said_retried: "This is the new job; the pages that are done are kept unless all are done again.",
        "Dies ist die neue Aufgabe; fertige Seiten bleiben erhalten, sofern nicht alle wiederholt werden.";
    said_too_late: "Too late: {0|its|their} outputs are being put in place.", "Zu spät: Ihre Ausgaben werden gerade abgelegt.";
    said_being_cancelled: "{0|It is|They are} being cancelled.", "Sie {0|wird|werden} gerade abgebrochen.";
    said_blocked: "{0|It waits|They wait} for other jobs.", "Sie {0|wartet|warten} auf andere Aufgaben.";
    said_has_ended: "{0|It has|They have} ended.", "Sie {0|ist|sind} beendet.";
    said_not_ended: "{0|It has|They have} not ended yet.", "Sie {0|ist|sind} noch nicht beendet.";
    said_running: "{0|It does not wait in its queue|They do not wait in their queues}.", "Sie {0|wartet|warten} nicht in {0|ihrer Warteschlange|ihren Warteschlangen}.";
    said_was_cancelled: "{0|A cancelled job is|Cancelled jobs are} not retried: submit {0|it|them} again.",
        "{0|Eine abgebrochene Aufgabe wird|Abgebrochene Aufgaben werden} nicht wiederholt: Reichen Sie sie neu ein.";
    said_was_retried: "{0|It was|They were} retried before: retry the last of {0|its|their} retries.",
        "Sie {0|wurde|wurden} schon wiederholt: Wiederholen Sie die letzte ihrer Wiederholungen.";
    said_retry_unfinished: "{0|Its retry has|Their retries have} not ended yet.", "{0|Ihre Wiederholung ist|Ihre Wiederholungen sind} noch nicht beendet.";
    said_submitted_again: "{0|Its workflow has submitted it again, and that job has|Their workflow has submitted them again, and those jobs have} not ended yet.",
        "Ihr Workflow hat sie neu eingereicht, und {0|jene Aufgabe ist|jene Aufgaben sind} noch nicht beendet.";

    // Coming in.
    log_in: "Log in", "Anmelden";
    user_name: "Name", "Name";
    password: "Password", "Passwort";
    login_wrong: "Name and password do not match.", "Name und Passwort passen nicht zusammen.";
    login_wait: "Too many tries. Wait {0} s, then try again.",
        "Zu viele Versuche. Warten Sie {0} s und versuchen Sie es dann erneut.";
    login_help: "Whoever has no account or has forgotten the password asks an administrator.",
        "Wer kein Konto hat oder das Passwort vergessen hat, wendet sich an eine Administratorin oder einen Administrator.";
    setup: "Set up the first administrator", "Verwaltung einrichten";
    setup_more: "There is no user yet. Whoever is made here may do everything, and lets all others in.",
        "Es gibt noch keine Benutzer. Wer hier angelegt wird, darf alles und lässt alle anderen ein.";
    setup_over: "This link is used up or too old.", "Dieser Link wurde schon benutzt oder ist abgelaufen.";
    setup_over_more: "Where there is no user yet, a coordinator prints a new one when it starts. Where there is one, log in.",
        "Gibt es noch keine Benutzer, so gibt ein Coordinator beim Start einen neuen aus. Sonst melden Sie sich an.";
    setup_do: "Make the account", "Konto anlegen";
    password_rule: "At least 10 characters; a few words are best.", "Mindestens 10 Zeichen; am besten einige Wörter.";
    password_again: "Password, once more", "Passwort, noch einmal";
    passwords_differ: "The two passwords differ.", "Die beiden Passwörter unterscheiden sich.";
    name_rule: "1 to 100 characters, without spaces around it.", "1 bis 100 Zeichen, ohne Leerzeichen am Rand.";
    account: "Your account", "Ihr Konto";
    password_now: "Password so far", "Bisheriges Passwort";
    password_new: "New password", "Neues Passwort";
    change_password: "Change the password", "Passwort ändern";
    sessions: "Where you are logged in", "Wo Sie angemeldet sind";
    browser: "Browser", "Browser";
    since: "Since", "Seit";
    last_seen: "Last used", "Zuletzt benutzt";
    this_one: "this one", "dieser";
    end_session: "Log out there", "Dort abmelden";
    end_other_sessions: "Log out everywhere else", "Überall sonst abmelden";
    users_more: "People who log in here.", "Wer sich hier anmeldet.";
    tokens: "Tokens of programs", "Zugangsschlüssel von Programmen";
    tokens_more: "Goobi, Kitodo and other programs send one with each request.",
        "Goobi, Kitodo und andere Programme senden einen mit jeder Anfrage.";
    role: "Role", "Rolle";
    role_submitter: "submits jobs", "reicht Aufgaben ein";
    role_viewer: "viewer", "Lesezugriff";
    role_operator: "operator", "Bedienung";
    role_admin: "administrator", "Verwaltung";
    own_plugins: "Only these plugins", "Nur diese Plugins";
    own_plugins_rule: "Names, separated by commas; empty for all. Only operators and submitters can be limited.",
        "Namen, durch Kommas getrennt; leer für alle. Nur wer bedient oder einreicht, kann beschränkt werden.";
    all_plugins: "all", "alle";
    disabled: "locked", "gesperrt";
    active: "active", "aktiv";
    expired: "expired", "abgelaufen";
    good_until: "Good until", "Gültig bis";
    made_by: "Made by", "Angelegt von";
    never: "never", "nie";
    add_user: "Add a user …", "Benutzer hinzufügen …";
    add_user_yes: "Add", "Hinzufügen";
    first_password: "First password", "Erstes Passwort";
    change_user: "Change …", "Ändern …";
    set_role: "Change the role", "Rolle ändern";
    set_password: "Set the password", "Passwort setzen";
    lock_user: "Lock", "Sperren";
    unlock_user: "Unlock", "Entsperren";
    remove_user: "Remove this user", "Benutzer entfernen";
    sure_remove_user: "Remove {0} for good", "{0} endgültig entfernen";
    add_token: "Add a token …", "Zugangsschlüssel anlegen …";
    token_title: "What for", "Wofür";
    token_days: "Good for days", "Gültig für Tage";
    revoke_token: "Revoke …", "Widerrufen …";
    sure_revoke: "Whoever uses it gets no answer any more.", "Wer ihn benutzt, bekommt keine Antwort mehr.";
    revoke_token_yes: "Revoke it", "Widerrufen";
    new_token: "The new token. It is shown this one time:", "Der neue Zugangsschlüssel. Er wird nur dieses eine Mal gezeigt:";
    no_tokens: "There is no token yet.", "Es gibt noch keinen Zugangsschlüssel.";
    no_users: "There is no user yet.", "Es gibt noch keine Benutzer.";
    said_name_taken: "There is a user of that name.", "Einen Benutzer mit diesem Namen gibt es schon.";
    said_last_admin: "Nobody could manage users any more: make another administrator first.",
        "Dann könnte niemand mehr Benutzer verwalten: Ernennen Sie zuerst jemand anderen.";
    said_unknown_account: "There is no such user or token any more.", "Diesen Benutzer oder Zugangsschlüssel gibt es nicht mehr.";
    said_account_done: "Done.", "Erledigt.";
    no_account: "This coordinator runs without a login: there are no accounts.",
        "Dieser Coordinator läuft ohne Anmeldung: Es gibt keine Konten.";

    // The audit log.
    audit_more: "Who has done what, the newest first", "Wer was getan hat, das Neueste zuerst";
    audit_at: "When", "Wann";
    audit_actor: "Who", "Wer";
    audit_what: "What", "Was";
    audit_about: "About", "Betrifft";
    audit_done: "done", "erledigt";
    audit_unchanged: "was so already", "war schon so";
    audit_refused: "not possible", "nicht möglich";
    audit_forbidden: "not allowed", "nicht erlaubt";
    empty_audit: "Nothing of that kind has been done", "Nichts dergleichen wurde getan";
    do_filter: "Filter", "Filtern";

    // What a screen reader is told when something changes.
    spoken_dashboard: "{0} running, {1} waiting, {2} failed today", "{0} laufend, {1} wartend, {2} heute fehlerhaft";
    spoken_job: "{0}, {1} percent", "{0}, {1} Prozent";
}

#[cfg(test)]
mod tests;

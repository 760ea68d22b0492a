//! All words of the pages, English and German side by side. The words are those of the manuals of the task
//! managers that this one replaces.
//!
//! Invariant: a word can't be missing in one language, because both stand in one line; templates contain no
//! words of their own (a test reads them).

use super::language::Language;

macro_rules! texts {
    ($($key:ident: $english:literal, $german:literal;)+) => {
        /// The words of one language.
        #[derive(Debug)]
        pub(in crate::http) struct Text {
            $(pub(in crate::http) $key: &'static str,)+
        }

        const ENGLISH: Text = Text { $($key: $english,)+ };
        const GERMAN: Text = Text { $($key: $german,)+ };

        /// Name, English and German of each text.
        #[cfg(test)]
        pub(super) const ALL: &[(&str, &str, &str)] = &[$((stringify!($key), $english, $german),)+];

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
}

pub(super) mod job_page;
pub(super) mod sections;
pub(super) mod system;

texts! {
    // Every page.
    skip: "Skip to the content", "Zum Inhalt springen";
    menu: "Menu", "Menü";
    languages: "Language", "Sprache";
    dashboard: "Dashboard", "Übersicht";
    system: "System", "System";
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
    pages: "Pages", "Seiten";
    volume: "Volume of data", "Datenmenge";
    error: "Error", "Fehler";
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
    wait_cancel: "Will be cancelled, as a person has asked for it", "Wird abgebrochen, weil jemand es so will";
    wait_cancel_running: "Is being cancelled; its worker stops it", "Wird abgebrochen; der Worker hält sie an";
    wait_held: "Is held by a person", "Von jemandem angehalten";
    wait_plugin_stopped: "Plugin {0} is stopped", "Das Plugin {0} ist angehalten";
    wait_plugin_stopping: "Plugin {0} is being stopped", "Das Plugin {0} wird angehalten";
    wait_scheduled: "Starts at {0}", "Startet um {0}";
    wait_retry: "Retry {0} of {1} at {2}", "Wiederholung {0} von {1} um {2}";
    wait_quota: "The page contract of {0} is used up", "Das Seitenkontingent von {0} ist aufgebraucht";
    wait_autostart: "Jobs do not start by themselves at the moment", "Aufgaben starten zurzeit nicht automatisch";
    wait_limit: "Number {0} in line; limit: {1} of {2} running", "Platz {0} in der Reihe; Grenze: {1} von {2} laufen";
    wait_storage: "Waits for storage {0}: {1} of {2} jobs use it", "Wartet auf den Speicher {0}: {1} von {2} Aufgaben nutzen ihn";
    wait_blocked: "Waits for other jobs to end", "Wartet auf das Ende anderer Aufgaben";
    wait_no_worker: "No worker for {0} is running", "Kein Worker für {0} läuft";
    wait_next: "Next in line; {0} of {1} slots are in use", "Als Nächste an der Reihe; {0} von {1} Plätzen belegt";
    wait_in_line: "Number {0} in line; {1} of {2} slots are in use",
        "Nummer {0} in der Warteschlange; {1} von {2} Plätzen belegt";
    wait_far_back: "More than {0} jobs are ahead; {1} of {2} slots are in use",
        "Mehr als {0} Aufgaben sind vorher an der Reihe; {1} von {2} Plätzen belegt";

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
    outputs_summary: "{0} files, {1}", "{0} Dateien, {1}";

    // What can be done, and what became of it.
    actions: "Actions", "Aktionen";
    do_start_now: "Start now", "Jetzt starten";
    do_release: "Let it go on", "Fortsetzen";
    do_hold: "Hold", "Anhalten";
    do_set: "Change", "Ändern";
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
    said_no_process: "It has no process in Goobi.", "Sie hat keinen Vorgang in Goobi.";
    said_no_goobi: "No message can be sent to Goobi: the coordinator's settings --goobi-url and --goobi-token-file say where it is.",
        "An Goobi kann keine Nachricht gehen: Die Einstellungen --goobi-url und --goobi-token-file des Coordinators sagen, wo es ist.";
    said_retried: "This is the new job; the pages that are done are kept unless all are done again.",
        "Dies ist die neue Aufgabe; fertige Seiten bleiben erhalten, sofern nicht alle wiederholt werden.";
    said_too_late: "Too late: its outputs are being put in place.", "Zu spät: Ihre Ausgaben werden gerade abgelegt.";
    said_being_cancelled: "It is being cancelled.", "Sie wird gerade abgebrochen.";
    said_blocked: "It waits for other jobs.", "Sie wartet auf andere Aufgaben.";
    said_has_ended: "It has ended.", "Sie ist beendet.";
    said_not_ended: "It has not ended yet.", "Sie ist noch nicht beendet.";
    said_running: "It does not wait in its queue.", "Sie wartet nicht in ihrer Warteschlange.";
    said_was_cancelled: "A cancelled job is not retried: submit it again.",
        "Eine abgebrochene Aufgabe wird nicht wiederholt: Reichen Sie sie neu ein.";
    said_was_retried: "It was retried before: retry the last of its retries.",
        "Sie wurde schon wiederholt: Wiederholen Sie die letzte ihrer Wiederholungen.";
    said_retry_unfinished: "Its retry has not ended yet.", "Ihre Wiederholung ist noch nicht beendet.";
    said_submitted_again: "Its workflow has submitted it again, and that job has not ended yet.",
        "Ihr Workflow hat sie neu eingereicht, und jene Aufgabe ist noch nicht beendet.";

    // Searching.
    search: "Search", "Suche";
    search_more: "Jobs, the unfinished ones first, then those that have ended, each the newest first",
        "Aufgaben: zuerst die unfertigen, dann die beendeten, jeweils die neuesten zuerst";
    search_title: "Part of the title", "Teil des Titels";
    search_error_part: "Part of the error", "Teil der Fehlermeldung";
    search_any: "any", "beliebig";
    search_queue: "All unfinished", "Alle unfertigen";
    search_error: "Error or cancelled", "Fehler oder abgebrochen";
    search_from: "from", "von";
    search_to: "to", "bis";
    do_search: "Search", "Suchen";
    search_clear: "New search", "Neue Suche";
    search_too_short: "Give at least {0} letters or digits in a row of a title or an error; less can't be found in reasonable time.",
        "Geben Sie von Titel oder Fehlermeldung mindestens {0} Buchstaben oder Ziffern am Stück an; mit weniger dauert die Suche zu lange.";
    search_incomplete: "Too many jobs match for all of them to be looked at, so that older ones may be missing here. Narrow the search, for example by days.",
        "Zu viele Aufgaben passen, um alle anzusehen; ältere können hier fehlen. Grenzen Sie die Suche ein, zum Beispiel auf Tage.";
    empty_search: "No job matches", "Keine Aufgabe passt";
    empty_search_more: "Leave something out, or give less of a title.", "Lassen Sie etwas weg, oder geben Sie weniger vom Titel an.";

    // Acting on several jobs, and on a job from its row.
    choose: "Choose", "Auswählen:";
    bulk_all: "All that are found ({0})", "Alle gefundenen ({0})";
    more_than: "more than {0}", "mehr als {0}";
    bulk_with: "With the chosen ones", "Mit den ausgewählten";
    bulk_choose: "choose …", "wählen …";
    bulk_go_on: "Go on …", "Weiter …";
    bulk_priority: "Set the priority", "Priorität setzen";
    bulk_cancel: "Cancel", "Abbrechen";
    bulk_delete: "Delete", "Löschen";
    bulk_heading: "{0}: {1} jobs?", "{0}: {1} Aufgaben?";
    bulk_do: "{0} ({1})", "{0} ({1})";
    bulk_others: "… and {0} more", "… und {0} weitere";
    bulk_both: "Not ended: {0}; ended: {1}.", "Nicht beendet: {0}; beendet: {1}.";
    bulk_new_priority: "New priority: {0}.", "Neue Priorität: {0}.";
    bulk_left_out: "{0} of the chosen ones are left out or refused: this can't be done with them as they are now.",
        "{0} der ausgewählten bleiben außen vor: Mit ihnen geht das nicht, so wie sie jetzt sind.";
    bulk_portions: "At most {0} are done at once; do it again for the others.",
        "Höchstens {0} auf einmal; wiederholen Sie es für die übrigen.";
    bulk_nothing: "Nothing to do", "Nichts zu tun";
    bulk_choose_jobs: "No job was chosen: mark some, or all that are found.",
        "Keine Aufgabe war ausgewählt: Markieren Sie einige, oder alle gefundenen.";
    bulk_choose_action: "No action was chosen.", "Keine Aktion war gewählt.";
    bulk_none_fits: "With none of these jobs this can be done.", "Mit keiner dieser Aufgaben geht das.";
    bulk_back: "Back to the list", "Zurück zur Liste";
    sure_many_start: "They start as soon as a worker is free, also where jobs do not start by themselves.",
        "Sie starten, sobald ein Worker frei ist, auch wenn Aufgaben nicht automatisch starten.";
    sure_many_hold: "Those that wait do not start; running ones give way at their next page. Released, they go on.",
        "Wartende starten nicht; laufende unterbrechen bei der nächsten Seite. Später laufen sie weiter.";
    sure_many_release: "Those that are held go on.", "Angehaltene laufen weiter.";
    sure_many_priority: "Those that wait are served by their new priority.", "Wartende kommen nach der neuen Priorität an die Reihe.";
    sure_many_retry: "Each becomes a new job that keeps the pages that are done.",
        "Aus jeder wird eine neue Aufgabe, die fertige Seiten behält.";
    sure_many_cancel: "They will never run; running ones are stopped and publish nothing. This can't be undone.",
        "Sie werden nie laufen; laufende werden beendet und legen nichts ab. Das lässt sich nicht rückgängig machen.";
    sure_many_delete: "Their pages, logs and history go; their outputs stay. This can't be undone.",
        "Ihre Seiten, Protokolle und Geschichte verschwinden; ihre Ausgaben bleiben. Das lässt sich nicht rückgängig machen.";
    sure_clear: "What has not ended is cancelled, then everything that has ended is deleted; outputs stay. This can't be undone.",
        "Was nicht beendet ist, wird abgebrochen, danach wird alles Beendete gelöscht; Ausgaben bleiben. Das lässt sich nicht rückgängig machen.";
    outcome_heading: "{0}: what became of it", "{0}: was daraus wurde";
    outcome_nothing: "Nothing was changed: no job was found any more.", "Nichts wurde geändert: Keine Aufgabe wurde mehr gefunden.";
    outcome_more: "{0} were done at once, and there may be more: do it again.",
        "{0} auf einmal sind erledigt, und es kann mehr geben: Wiederholen Sie es.";
    tally_done: "Done.", "Erledigt.";
    tally_stopping: "Still running: they are being stopped, then they stand among the cancelled ones.",
        "Noch laufend: Sie werden beendet und stehen dann bei den abgebrochenen.";
    tally_forbidden: "You may not do that with them.", "Das dürfen Sie mit ihnen nicht.";
    tally_unknown: "There are no such jobs any more.", "Diese Aufgaben gibt es nicht mehr.";
    row_start: "Start", "Starten";
    row_stop: "Stop", "Anhalten";
    do_move: "Move", "Verschieben";

    // What Kitodo offers above its list, in its own words.
    refresh_list: "Refresh list", "Liste aktualisieren";
    delete_finished: "Delete finished tasks", "Abgeschlossene Aufgaben löschen";
    delete_all: "Delete all tasks", "Alle Aufgaben löschen";
    autostart_off: "Do not start tasks automatically", "Aufgaben nicht automatisch starten";
    autostart_on: "Start tasks automatically", "Aufgaben automatisch starten";

    // Coming in.
    log_in: "Log in", "Anmelden";
    user_name: "Name", "Name";
    password: "Password", "Passwort";
    login_wrong: "Name and password do not match.", "Name und Passwort passen nicht zusammen.";
    login_wait: "Too many tries. Wait {0} s, then try again.",
        "Zu viele Versuche. Warten Sie {0} s und versuchen Sie es dann erneut.";
    login_help: "Whoever has no account or has forgotten the password asks an administrator.",
        "Wer kein Konto hat oder das Passwort vergessen hat, wendet sich an eine Administratorin oder einen Administrator.";
    setup: "First administrator", "Erste Administratorin, erster Administrator";
    setup_more: "There is no user yet. Whoever is made here may do everything, and lets all others in.",
        "Es gibt noch keine Benutzer. Wer hier angelegt wird, darf alles und lässt alle anderen ein.";
    setup_over: "This link is used up or too old.", "Dieser Verweis ist verbraucht oder zu alt.";
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
    role_viewer: "looks", "sieht zu";
    role_operator: "operator", "bedient";
    role_admin: "administrator", "verwaltet";
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
    audit_about: "With", "Womit";
    audit_done: "done", "erledigt";
    audit_unchanged: "was so already", "war schon so";
    audit_refused: "not possible", "nicht möglich";
    audit_forbidden: "not allowed", "nicht erlaubt";
    empty_audit: "Nothing of that kind has been done", "Nichts dergleichen wurde getan";
    do_filter: "Filter", "Filtern";

    // Failures.
    failure_home: "To the dashboard", "Zur Übersicht";
    failure_again: "Try again", "Noch einmal versuchen";
    failure_address: "There is nothing at this address", "Unter dieser Adresse ist nichts";
    failure_address_more: "It may be mistyped, or a link to it is out of date.",
        "Vielleicht ist sie vertippt, oder ein Verweis auf sie ist veraltet.";
    failure_job: "There is no such job", "Diese Aufgabe gibt es nicht";
    failure_job_more: "Its id may be incomplete, or the job was removed after its time in the archive.",
        "Vielleicht ist ihre Kennung unvollständig, oder sie wurde nach Ablauf ihrer Aufbewahrungszeit entfernt.";
    failure_plugin: "There is no such plugin", "Dieses Plugin gibt es nicht";
    failure_worker: "There is no such worker", "Diesen Worker gibt es nicht";
    failure_worker_more: "A worker that was started anew has another id.", "Ein neu gestarteter Worker hat eine andere Kennung.";
    failure_storage: "There is no such storage", "Diesen Speicher gibt es nicht";
    failure_storage_more: "Only storages with limits are listed.", "Nur Speicher mit Grenzen sind aufgeführt.";
    failure_plugin_more: "Workers announce their plugins when they start.", "Worker melden ihre Plugins an, wenn sie starten.";
    failure_conflict: "That is not possible now", "Das geht jetzt nicht";
    failure_conflict_more: "The job's page says what it is doing.", "Die Seite der Aufgabe sagt, was sie gerade tut.";
    failure_forbidden: "You may not do that", "Das dürfen Sie nicht";
    failure_forbidden_more: "Ask an administrator.", "Fragen Sie eine Administratorin oder einen Administrator.";
    failure_login: "You are not logged in", "Sie sind nicht angemeldet";
    failure_login_more: "Your session has ended. Log in, then do it again; nothing was changed.",
        "Ihre Sitzung ist zu Ende. Melden Sie sich an und wiederholen Sie es; nichts wurde geändert.";
    failure_busy: "Too many log in at this moment", "Gerade melden sich zu viele an";
    failure_busy_more: "Try again in some seconds.", "Versuchen Sie es in einigen Sekunden erneut.";
    failure_request: "This address can't be understood", "Diese Adresse ist nicht verständlich";
    failure_request_more: "One of the values behind the question mark is wrong.",
        "Einer der Werte hinter dem Fragezeichen ist falsch.";
    failure_method: "That can't be done here", "Das geht hier nicht";
    failure_method_more: "This address does not answer such requests.", "Diese Adresse beantwortet solche Anfragen nicht.";
    failure_rejected: "The job was not accepted", "Die Aufgabe wurde nicht angenommen";
    failure_rejected_more: "Something in the submission is wrong.", "Etwas in der Einreichung ist falsch.";
    failure_large: "That is too much at once", "Das ist zu viel auf einmal";
    failure_large_more: "Pass folders, not their contents.", "Übergeben Sie Verzeichnisse, nicht deren Inhalt.";
    failure_cross_site: "This request came from another site", "Diese Anfrage kam von einer fremden Seite";
    failure_cross_site_more: "It was not carried out.", "Sie wurde nicht ausgeführt.";
    failure_host: "This server has another name", "Dieser Server heißt anders";
    failure_host_more: "It answers only to localhost, 127.0.0.1 and [::1].",
        "Er antwortet nur unter localhost, 127.0.0.1 und [::1].";
    failure_database: "The database can't be reached", "Die Datenbank ist nicht erreichbar";
    failure_database_more: "Nothing is lost: running jobs go on, and everything appears again when the database is back.",
        "Nichts geht verloren: Laufende Aufgaben laufen weiter, und alles ist wieder da, sobald die Datenbank es ist.";
    failure_database_full: "The database's disk is full", "Der Datenträger der Datenbank ist voll";
    failure_database_full_more: "Nothing is lost. Somebody has to free disk space on the database's host; then it goes on by itself.",
        "Nichts geht verloren. Auf dem Rechner der Datenbank muss Platz geschaffen werden; dann geht es von selbst weiter.";
    failure_timeout: "That took too long", "Das hat zu lange gedauert";
    failure_timeout_more: "Nothing was changed.", "Nichts wurde geändert.";
    failure_internal: "Something went wrong here", "Hier ist etwas schiefgegangen";
    failure_internal_more: "It is a defect of this program; its log says more. Your jobs are not affected.",
        "Das ist ein Fehler dieses Programms; sein Protokoll sagt mehr. Ihre Aufgaben sind nicht betroffen.";

    // What a screen reader is told when something changes.
    spoken_dashboard: "{0} running, {1} waiting, {2} failed today", "{0} laufend, {1} wartend, {2} heute fehlerhaft";
    spoken_job: "{0}, {1} percent", "{0}, {1} Prozent";
}

#[cfg(test)]
mod tests;

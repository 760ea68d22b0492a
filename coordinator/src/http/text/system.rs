//! The words of the pages about the whole system: workers and settings.

use crate::http::language::Language;

texts! {
    // Workers.
    workers_more: "The programs that do the work, and what they do now",
        "Die Programme, die die Arbeit tun, und was sie gerade tun";
    host: "Host", "Rechner";
    release: "Version", "Version";
    serves: "Plugins and slots", "Plugins und Plätze";
    current_jobs: "Current jobs", "Laufende Aufgaben";
    no_current_jobs: "none", "keine";
    last_sign: "Last sign of life", "Letztes Lebenszeichen";
    ago: "{0} ago", "vor {0}";
    memory: "Memory", "Speicher";
    not_known: "not known", "nicht bekannt";
    worker_alive: "alive", "aktiv";
    worker_silent: "silent", "verstummt";
    worker_draining: "draining", "läuft aus";
    do_drain: "Drain …", "Auslaufen lassen …";
    sure_drain: "{0} takes no new jobs, gives back those that it has ({1}) at their next page, and ends. They go on elsewhere.",
        "{0} nimmt keine neuen Aufgaben an, gibt laufende ({1}) bei der nächsten Seite zurück und endet. Sie laufen anderswo weiter.";
    do_drain_yes: "Drain this worker", "Diesen Worker auslaufen lassen";
    said_drained: "The worker was told to drain; it ends when its jobs have given way.",
        "Der Worker soll auslaufen; er endet, sobald seine Aufgaben unterbrochen sind.";
    said_drains_already: "It drains already.", "Er läuft schon aus.";
    empty_workers: "No worker has announced itself", "Kein Worker hat sich angemeldet";
    empty_workers_more: "Start one: it appears here by itself within seconds.",
        "Starten Sie einen: Er erscheint hier innerhalb von Sekunden von selbst.";
    spoken_workers: "{0} {0|worker|workers} alive, {1} silent, {2} draining", "{0} Worker aktiv, {1} verstummt, {2} {2|läuft|laufen} aus";

    // Settings.
    general: "All plugins", "Alle Plugins";
    parts: "Settings of", "Einstellungen von";
    said_set: "Saved.", "Gespeichert.";
    said_wrong: "Nothing was changed: see the fields that are marked.",
        "Nichts wurde geändert: Sehen Sie die markierten Felder an.";
    since_by: "Since {0}, by {1}.", "Seit {0} durch {1}.";
    autostart: "Autostart", "Autostart";
    autostart_all_on: "Jobs start by themselves, unless their plugin's autostart is off.",
        "Aufgaben starten automatisch, sofern der Autostart ihres Plugins nicht aus ist.";
    autostart_all_off: "No job starts by itself; people start them one by one.",
        "Keine Aufgabe startet automatisch; sie werden einzeln von Hand gestartet.";
    autostart_on: "This plugin's jobs start by themselves.", "Die Aufgaben dieses Plugins starten automatisch.";
    autostart_off: "This plugin's jobs do not start by themselves.",
        "Die Aufgaben dieses Plugins starten nicht automatisch.";
    do_autostart_on: "Start jobs by themselves", "Aufgaben automatisch starten";
    do_autostart_off: "Do not start jobs by themselves", "Aufgaben nicht automatisch starten";
    pages: "Pages", "Seiten";
    refresh_seconds: "Least time between two updates of an open page, seconds",
        "Mindestabstand zwischen zwei Aktualisierungen einer offenen Seite, Sekunden";
    jobs_on_dashboard: "Show the list of jobs on the dashboard", "Die Liste der Aufgaben in der Übersicht zeigen";
    do_save: "Save", "Speichern";
    limits: "Limits and times", "Grenzen und Zeiten";
    set_order: "What starts", "Was startet";
    set_retries: "After failures", "Nach Fehlern";
    set_limits: "Time limits", "Zeitgrenzen";
    set_kept: "What is kept of ended jobs", "Was von beendeten Aufgaben bleibt";
    running_max: "Parallel jobs", "Parallel laufende Aufgaben";
    default_priority: "Default priority", "Standardpriorität";
    ageing_minutes: "Priority rises by one after waiting, minutes", "Priorität steigt um eins nach Wartezeit, Minuten";
    retries_max: "Retries", "Wiederholungen";
    retry_first_seconds: "Pause before the first retry, seconds", "Pause vor der ersten Wiederholung, Sekunden";
    retry_longest_seconds: "Longest pause, seconds", "Längste Pause, Sekunden";
    lease_seconds: "Counts as lost without a sign of life after, seconds", "Gilt ohne Lebenszeichen als verloren nach, Sekunden";
    run_budget_seconds: "Longest run, seconds", "Längste Laufzeit, Sekunden";
    disconnect_limit_seconds: "Broken off without contact after, seconds", "Wird ohne Kontakt abgebrochen nach, Sekunden";
    keep_done_jobs: "Successful jobs, number", "Erfolgreiche Aufgaben, Anzahl";
    keep_done_days: "Successful jobs, days", "Erfolgreiche Aufgaben, Tage";
    keep_failed_jobs: "Failed and cancelled jobs, number", "Fehlgeschlagene und abgebrochene Aufgaben, Anzahl";
    keep_failed_days: "Failed and cancelled jobs, days", "Fehlgeschlagene und abgebrochene Aufgaben, Tage";
    quota: "Page contract", "Seitenkontingent";
    quota_used: "Used: {0} {0|page|pages} in all, {1} in this period.", "Verbraucht: {0} {0|Seite|Seiten} insgesamt, {1} in diesem Zeitraum.";
    pages_total: "Pages in all", "Seiten insgesamt";
    pages_a_period: "Pages in each period", "Seiten je Zeitraum";
    period: "Period", "Zeitraum";
    period_month: "month", "Monat";
    period_quarter: "quarter", "Quartal";
    period_year: "year", "Jahr";
    from_to: "{0} to {1}", "{0} bis {1}";
    empty_slots: "empty: as many as there are slots", "leer: so viele, wie es Plätze gibt";
    empty_never: "empty: never", "leer: nie";
    empty_all: "empty: all", "leer: alle";
    empty_for_ever: "empty: for ever", "leer: für immer";
    empty_no_limit: "empty: no limit", "leer: keine Grenze";
    wrong_empty: "A number must stand here.", "Hier muss eine Zahl stehen.";
    wrong_number: "This must be a whole number from {0} to {1}.", "Das muss eine ganze Zahl von {0} bis {1} sein.";
}

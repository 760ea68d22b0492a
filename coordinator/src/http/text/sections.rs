//! The words of the start page and of the plugins' sections.

use crate::http::language::Language;

texts! {
    // The first active jobs.
    active_jobs: "Active jobs", "Aktive Aufgaben";
    some_active: "The first {0} of {1}, running ones first", "Die ersten {0} von {1}, laufende zuerst";
    none_active: "No job is running or paused", "Keine Aufgabe läuft oder ist angehalten";
    none_active_more: "Waiting: {0}. The queue lists them in the order in which they start.",
        "Wartend: {0}. Die Warteschlange zeigt sie in der Reihenfolge, in der sie starten.";
    all_lists: "All jobs by status", "Alle Aufgaben nach Status";
    priority_of: "Priority of {0}", "Priorität von {0}";
    details_of: "Details of {0}", "Details zu {0}";
    do_details: "Details", "Details";

    // Sums above a list.
    sums: "All jobs of this list", "Alle Aufgaben dieser Liste";
    sum_jobs: "Jobs", "Aufgaben";
    sum_files: "Files", "Dateien";
    sum_bytes: "Volume of data", "Datenmenge";
    sum_pages: "Pages done", "Fertige Seiten";
    sum_of_running: "Of the jobs that are running; for waiting ones it is not known yet",
        "Von den laufenden Aufgaben; bei wartenden ist es noch nicht bekannt";

    // How a plugin stands.
    since_by: "since {0} by {1}", "seit {0} durch {1}";
    since_when: "since {0}", "seit {0}";
    reason_is: "reason: {0}", "Grund: {0}";
    resumes: "starts again {0}", "startet wieder: {0}";
    resumes_by_hand: "starts again by hand", "startet wieder von Hand";
    interrupts: "what still runs is interrupted {0}", "was noch läuft, wird unterbrochen: {0}";
    plugin_is_stopped: "{0} is stopped", "{0} ist angehalten";
    plugin_is_stopping: "{0} is being stopped: running jobs give way at their next page",
        "{0} wird angehalten: Laufende Aufgaben werden bei der nächsten Seite unterbrochen";

    // Stopping and starting.
    do_stop_plugin: "Stop plugin …", "Plugin anhalten …";
    sure_stop_plugin: "No job of it starts any more; running ones (now: {0}) give way at their next page and go on later.",
        "Keine seiner Aufgaben startet mehr; laufende (jetzt: {0}) werden bei der nächsten Seite unterbrochen und laufen später weiter.";
    do_stop_plugin_yes: "Stop it", "Anhalten";
    do_start_plugin: "Start plugin", "Plugin starten";
    stop_reason: "Reason", "Grund";
    stop_deadline: "Interrupt what still runs after (minutes)", "Was noch läuft, unterbrechen nach (Minuten)";
    stop_deadline_more: "Empty: running jobs have all the time that they need.",
        "Leer: Laufende Aufgaben haben alle Zeit, die sie brauchen.";
    stop_resume: "Start again at", "Wieder starten um";
    stop_resume_more: "Empty: somebody starts it by hand. Time: {0}", "Leer: Jemand startet es von Hand. Uhrzeit: {0}";

    // Cancelling all of a plugin.
    do_cancel_all: "Cancel all jobs …", "Alle Aufgaben abbrechen …";
    sure_cancel_all: "All unfinished jobs of {1} ({0}) end for good: waiting ones never run, running ones are stopped and publish nothing.",
        "Alle unfertigen Aufgaben von {1} ({0}) enden endgültig: Wartende laufen nie, laufende werden beendet und legen nichts ab.";
    type_the_name: "Type {0} to confirm", "Zur Bestätigung {0} eingeben";
    do_cancel_all_yes: "Cancel all jobs", "Alle Aufgaben abbrechen";
    said_wrong_name: "Nothing was cancelled: the name did not match.",
        "Nichts wurde abgebrochen: Der Name stimmte nicht überein.";
    said_cancelled: "Cancelled jobs: {0}; running ones end in a moment.",
        "Abgebrochene Aufgaben: {0}; laufende enden gleich.";
    said_not_cancelled: "Not cancelled: {0}, as their results are being put in place or they had ended.",
        "Nicht abgebrochen: {0}, weil ihre Ergebnisse gerade abgelegt werden oder sie schon beendet waren.";
    said_more: "There are more: cancel once more.", "Es gibt noch mehr: Brechen Sie noch einmal ab.";
    said_none: "There was no job to cancel.", "Es gab keine Aufgabe abzubrechen.";
    said_deleted: "The job is deleted.", "Die Aufgabe ist gelöscht.";
    said_changed: "Done; changed plugins: {0}.", "Erledigt; geänderte Plugins: {0}.";
    said_same: "It was so already.", "Das war schon so.";

    // Jobs do not start by themselves.
    autostart_off: "Jobs do not start by themselves: autostart is off for all plugins, {0}. Only jobs that somebody starts by hand run.",
        "Aufgaben starten nicht automatisch: Der automatische Start ist für alle Plugins ausgeschaltet, {0}. Nur von Hand gestartete Aufgaben laufen.";
    autostart_off_plugin: "Jobs of {0} do not start by themselves: autostart is off for this plugin. Only jobs that somebody starts by hand run.",
        "Aufgaben von {0} starten nicht automatisch: Der automatische Start ist für dieses Plugin ausgeschaltet. Nur von Hand gestartete Aufgaben laufen.";
    do_autostart: "Start jobs automatically", "Aufgaben automatisch starten";

    // All plugins at once.
    every_plugin: "All plugins", "Alle Plugins";
    do_stop_all: "Stop all plugins …", "Alle Plugins anhalten …";
    sure_stop_all: "No job starts any more; running ones (now: {0}) give way at their next page and go on later. That can take some minutes.",
        "Keine Aufgabe startet mehr; laufende (jetzt: {0}) werden bei der nächsten Seite unterbrochen und laufen später weiter. Das kann einige Minuten dauern.";
    do_stop_all_yes: "Stop all plugins", "Alle Plugins anhalten";
    do_start_all: "Start all plugins", "Alle Plugins starten";
    shut_down_now: "All plugins are stopped: it is safe to shut down now.",
        "Alle Plugins sind angehalten: Jetzt kann gefahrlos heruntergefahren werden.";
    shut_down_not_yet: "Do not shut down yet: {0} of {1} {1|plugin|plugins} {0|is|are} stopped. Still being stopped: {2}.",
        "Noch nicht herunterfahren: {0} von {1} {1|Plugin|Plugins} {0|ist|sind} angehalten. Noch dabei: {2}.";
    shut_down_running: "To shut down for maintenance, stop all plugins first; {0} of {1} {0|is|are} stopped now.",
        "Halten Sie vor einer Wartung zuerst alle Plugins an; jetzt {0|ist|sind} {0} von {1} angehalten.";

    // What ended in each month.
    months: "Completed jobs by month", "Abgeschlossene Aufgaben nach Monat";
    month: "Month", "Monat";
    months_total: "Total", "Gesamt";
    months_csv: "Save as CSV", "Als CSV speichern";
    months_none: "No job has been completed in the last twelve months",
        "In den letzten zwölf Monaten wurde keine Aufgabe abgeschlossen";
    months_chart: "{0}: completed jobs in each of the last twelve months, {1} at most",
        "{0}: abgeschlossene Aufgaben in jedem der letzten zwölf Monate, höchstens {1}";
    months_note: "Jobs that ended as DONE; months are counted in UTC. The file has failed and cancelled ones, pages and data, too, of all months.",
        "Aufgaben, die als DONE endeten; Monate zählen nach UTC. Die Datei enthält auch fehlgeschlagene und abgebrochene, Seiten und Datenmengen, aus allen Monaten.";

    // Page contracts.
    contracts: "Page contracts", "Seitenkontingente";
    contract: "Contract", "Kontingent";
    contract_total: "in all", "insgesamt";
    contract_month: "this month", "in diesem Monat";
    contract_quarter: "this quarter", "in diesem Quartal";
    contract_year: "this year", "in diesem Jahr";
    contract_pages: "Pages allowed", "Erlaubte Seiten";
    contract_used: "Used", "Verbraucht";
    contract_left: "Remaining", "Verbleibend";
    contract_forecast: "Forecast", "Prognose";
    contract_chart: "{0}, {1}: {2} percent used", "{0}, {1}: {2} Prozent verbraucht";
    forecast_used_up: "used up: jobs wait", "aufgebraucht: Aufgaben warten";
    forecast_used_up_until: "used up: jobs wait until {0}", "aufgebraucht: Aufgaben warten bis {0}";
    forecast_runs_out: "used up about {0}, as {1} {1|page was|pages were} done in {2} {2|day|days}",
        "etwa am {0} aufgebraucht, da in {2} {2|Tag|Tagen} {1} {1|Seite fertig wurde|Seiten fertig wurden}";
    forecast_lasts: "lasts until the next period begins on {0}, as {1} {1|page was|pages were} done in {2} {2|day|days}",
        "reicht bis zum nächsten Zeitraum am {0}, da in {2} {2|Tag|Tagen} {1} {1|Seite fertig wurde|Seiten fertig wurden}";
    forecast_far: "lasts for more than ten years, as {0} {0|page was|pages were} done in {1} {1|day|days}",
        "reicht mehr als zehn Jahre, da in {1} {1|Tag|Tagen} {0} {0|Seite fertig wurde|Seiten fertig wurden}";
    forecast_unknown: "not known: no pages in the last four weeks", "nicht bekannt: keine Seiten in den letzten vier Wochen";
}

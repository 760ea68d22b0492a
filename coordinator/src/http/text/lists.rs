//! The words of searches, of acting on several jobs, and of what stands above a list.

texts! {
    part;

    // Searching.
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
    bulk_heading: "{0}: {1} {1|job|jobs}?", "{0}: {1} {1|Aufgabe|Aufgaben}?";
    bulk_do: "{0}: {1} {1|job|jobs}", "{0}: {1} {1|Aufgabe|Aufgaben}";
    bulk_others: "… and {0} more", "… und {0} weitere";
    bulk_both: "Not ended: {0}; ended: {1}.", "Nicht beendet: {0}; beendet: {1}.";
    bulk_new_priority: "New priority: {0}.", "Neue Priorität: {0}.";
    bulk_left_out: "{0} of the chosen ones {0|is|are} left out or refused: this can't be done with {0|it as it is|them as they are} now.",
        "{0} der ausgewählten {0|bleibt|bleiben} außen vor: Mit {0|ihr|ihnen} geht das nicht, so wie {0|sie jetzt ist|sie jetzt sind}.";
    bulk_portions: "At most {0} are done at once; do it again for the others.",
        "Höchstens {0} auf einmal; wiederholen Sie es für die übrigen.";
    bulk_nothing: "Nothing to do", "Nichts zu tun";
    bulk_choose_jobs: "No job was chosen: mark some, or all that are found.",
        "Keine Aufgabe war ausgewählt: Markieren Sie einige oder alle gefundenen.";
    bulk_choose_action: "No action was chosen.", "Keine Aktion war gewählt.";
    bulk_none_fits: "With none of these jobs this can be done.", "Mit keiner dieser Aufgaben geht das.";
    bulk_back: "Back to the list", "Zurück zur Liste";
    sure_many_start: "They start as soon as a worker is free, also where jobs do not start by themselves.",
        "Sie starten, sobald ein Worker frei ist, auch wenn Aufgaben nicht automatisch starten.";
    sure_many_hold: "Those that wait do not start; running ones give way at their next page. Released, they go on.",
        "Wartende starten nicht; laufende werden bei der nächsten Seite unterbrochen. Später laufen sie weiter.";
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
    tally_stopping: "Still running: {0|it is|they are} being stopped, then {0|it stands|they stand} among the cancelled ones.",
        "Noch laufend: Sie {0|wird|werden} beendet und {0|steht|stehen} dann bei den abgebrochenen.";
    tally_forbidden: "You may not do that with {0|it|them}.", "Das dürfen Sie mit {0|ihr|ihnen} nicht.";
    tally_unknown: "{0|There is no such job|There are no such jobs} any more.", "{0|Diese Aufgabe|Diese Aufgaben} gibt es nicht mehr.";
    row_start: "Start", "Starten";
    row_stop: "Stop", "Anhalten";
    do_move: "Move", "Verschieben";

    // What Kitodo offers above its list, in its own words.
    refresh_list: "Refresh list", "Liste aktualisieren";
    delete_finished: "Delete finished jobs", "Abgeschlossene Aufgaben löschen";
    delete_all: "Delete all jobs", "Alle Aufgaben löschen";
    autostart_off: "Do not start jobs automatically", "Aufgaben nicht automatisch starten";
}

//! The words of the page for whatever did not work.

texts! {
    part;

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
    failure_request_more: "One of the values behind the question mark is wrong. What is wrong, as programs are told:",
        "Einer der Werte hinter dem Fragezeichen ist falsch. Was nicht stimmt, so wie es Programmen gesagt wird:";
    failure_form: "Something in the form is wrong", "Etwas im Formular stimmt nicht";
    failure_form_more: "Nothing was changed. Go back, correct it and send it again. What is wrong, as programs are told:",
        "Nichts wurde geändert. Gehen Sie zurück, berichtigen Sie es und senden Sie es erneut. Was nicht stimmt, so wie es Programmen gesagt wird:";
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
    failure_timeout_more: "It may have been done all the same, or in part: look there before you do it again.",
        "Vielleicht wurde es trotzdem getan, ganz oder zum Teil: Sehen Sie dort nach, bevor Sie es wiederholen.";
    failure_internal: "Something went wrong here", "Hier ist etwas schiefgegangen";
    failure_internal_more: "It is a defect of this program; its log says more. Your jobs are not affected.",
        "Das ist ein Fehler dieses Programms; sein Protokoll sagt mehr. Ihre Aufgaben sind nicht betroffen.";
}

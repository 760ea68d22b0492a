//! The words of the audit log: what was done, and with which particulars. The log itself keeps their names, as
//! programs read them, too.

use crate::http::language::Language;

/// Names of actions, English, German.
const ACTIONS: [(&str, &str, &str); 35] = [
    ("cancel", "cancel", "abbrechen"),
    ("hold", "hold back", "anhalten"),
    ("release", "let go on", "weiterlaufen lassen"),
    ("start_now", "start now", "jetzt starten"),
    ("set_priority", "change the priority", "Priorität ändern"),
    ("move", "move in the queue", "in der Warteschlange verschieben"),
    ("retry", "retry", "wiederholen"),
    ("send_again", "tell again", "erneut mitteilen"),
    (
        "message_goobi",
        "send message to Goobi",
        "Nachricht an Goobi senden",
    ),
    ("delete", "delete", "löschen"),
    ("stop", "stop the plugin", "Plugin anhalten"),
    ("start", "start the plugin", "Plugin starten"),
    ("autostart", "switch autostart", "automatischen Start schalten"),
    (
        "configure",
        "change the plugin's settings",
        "Einstellungen des Plugins ändern",
    ),
    ("quota", "change the page contract", "Seitenkontingent ändern"),
    (
        "set_pages",
        "change the pages' settings",
        "Einstellungen der Seiten ändern",
    ),
    ("drain", "drain the worker", "Worker auslaufen lassen"),
    (
        "set_storage",
        "set a storage's limits",
        "Grenzen eines Speichers setzen",
    ),
    ("remove_storage", "remove a storage", "Speicher entfernen"),
    ("look_for_stores", "look for item stores", "nach Ablagen suchen"),
    ("remove_stores", "remove item stores", "Ablagen entfernen"),
    (
        "recover",
        "look after a restore",
        "nach Wiederherstellung aufräumen",
    ),
    ("add_user", "add a user", "Benutzer anlegen"),
    ("set_role", "change a user's role", "Rolle ändern"),
    (
        "set_password",
        "give another password",
        "anderes Passwort vergeben",
    ),
    ("disable", "lock a user", "Benutzer sperren"),
    ("enable", "unlock a user", "Benutzer entsperren"),
    ("remove_user", "remove a user", "Benutzer entfernen"),
    ("add_token", "make a token", "Token anlegen"),
    ("revoke_token", "revoke a token", "Token widerrufen"),
    ("log_in", "log in", "anmelden"),
    ("log_out", "log out", "abmelden"),
    (
        "change_own_password",
        "change the own password",
        "eigenes Passwort ändern",
    ),
    (
        "set_up",
        "set up by the first link",
        "mit dem ersten Link einrichten",
    ),
    ("turned_away", "turned away", "abgewiesen"),
];

/// Names and values of particulars, English, German; those that are missing are shown as they are recorded.
const PARTICULARS: [(&str, &str, &str); 35] = [
    ("priority", "priority", "Priorität"),
    ("to", "to", "wohin"),
    ("top", "the top", "ganz nach oben"),
    ("up", "up", "nach oben"),
    ("down", "down", "nach unten"),
    ("bottom", "the bottom", "ganz nach unten"),
    ("items", "items", "Dateien"),
    ("failed", "failed ones", "fehlgeschlagene"),
    ("all", "all", "alle"),
    ("on", "on", "eingeschaltet"),
    ("true", "yes", "ja"),
    ("false", "no", "nein"),
    ("reason", "reason", "Grund"),
    ("deadline_seconds", "deadline, seconds", "Frist, Sekunden"),
    ("resume_at", "starts again", "startet wieder"),
    ("role", "role", "Rolle"),
    ("submitter", "submitter", "Einreichung"),
    ("viewer", "viewer", "Lesezugriff"),
    ("operator", "operator", "Bedienung"),
    ("admin", "administrator", "Verwaltung"),
    ("plugins", "plugins", "Plugins"),
    ("type", "type", "Art"),
    ("text", "text", "Text"),
    ("title", "title", "Titel"),
    ("name", "name", "Name"),
    ("days", "days", "Tage"),
    ("path", "path", "Pfad"),
    ("wish", "wish", "Wunsch"),
    ("period", "period", "Zeitraum"),
    ("pages_total", "pages in all", "Seiten insgesamt"),
    ("pages_a_period", "pages a period", "Seiten je Zeitraum"),
    ("running_max", "parallel jobs", "parallele Aufgaben"),
    ("transfers_max", "parallel transfers", "parallele Übertragungen"),
    ("refresh_seconds", "refresh, seconds", "Aktualisierung, Sekunden"),
    (
        "jobs_on_dashboard",
        "jobs on the dashboard",
        "Aufgaben auf der Übersicht",
    ),
];

fn said(
    table: &[(&str, &'static str, &'static str)],
    language: Language,
    name: &str,
) -> Option<&'static str> {
    let (_, english, german) = table.iter().find(|(known, ..)| *known == name)?;
    Some(match language {
        Language::English => english,
        Language::German => german,
    })
}

/// What was done.
pub(in crate::http) fn action(language: Language, name: &str) -> String {
    said(&ACTIONS, language, name).map_or_else(|| name.replace('_', " "), str::to_owned)
}

/// The name or the value of a particular.
pub(in crate::http) fn particular(language: Language, name: &str) -> String {
    said(&PARTICULARS, language, name).map_or_else(|| name.to_owned(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// The names that stand in the functions `name` of the actions' types.
    fn names_of_actions() -> Vec<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/control");
        let files = fs::read_dir(folder).expect("the folder can be read");
        let files = files.map(|entry| entry.expect("an entry").path());
        let mut names = Vec::new();
        for file in files.filter(|file| {
            file.file_stem()
                .is_some_and(|name| name.to_string_lossy().ends_with("action"))
        }) {
            let source = fs::read_to_string(file).expect("a source file");
            for body in source.split("fn name(").skip(1) {
                let body = body.split("\n    }\n").next().unwrap_or_default();
                let strings = body.split('"').skip(1).step_by(2);
                names.extend(strings.map(str::to_owned));
            }
        }
        names
    }

    #[test]
    fn each_action_that_is_recorded_has_words_in_both_languages() {
        let names = names_of_actions();
        assert!(names.len() > 25, "{names:?}");
        for name in
            names
                .iter()
                .map(String::as_str)
                .chain(["log_in", "log_out", "set_up", "turned_away", "recover"])
        {
            for language in Language::ALL {
                assert!(said(&ACTIONS, language, name).is_some(), "{name} has no words");
            }
        }
        assert_eq!(action(Language::German, "set_priority"), "Priorität ändern");
        assert_eq!(action(Language::German, "something_new"), "something new");
    }
}

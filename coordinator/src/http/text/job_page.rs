//! The words of a job's page that stand on no other: its timeline, who did what with it, messages to Goobi.

use crate::http::language::Language;

texts! {
    timeline: "Timeline", "Verlauf";
    by: "by {0}", "durch {0}";
    attempt_on: "attempt {0} on {1}", "Versuch {0} auf {1}";
    attempt_number: "attempt {0}", "Versuch {0}";
    retry_of_all: "retry {0} of {1}", "Wiederholung {0} von {1}";
    will_start: "Will start", "Wird starten";
    retry_of: "Retry of", "Wiederholung von";

    who_did_what: "Who did what with it", "Wer was damit getan hat";
    nobody_did: "Nobody has done anything with it.", "Niemand hat etwas damit getan.";
    all_of_audit: "All in the audit log", "Alles im Prüfprotokoll";

    itm_id: "ITM number", "ITM-Nummer";
    do_send_again: "Send again", "Erneut senden";
    do_message: "Send message to Goobi …", "Nachricht an Goobi senden …";
    message_more: "It stands in the journal of the process, where all who work with it in Goobi read it.",
        "Sie steht im Journal des Vorgangs, wo alle sie lesen, die in Goobi damit arbeiten.";
    message_type: "Type", "Art";
    message_text: "Message", "Nachricht";
    do_message_yes: "Send", "Senden";
    message_not_configured: "To send messages to Goobi from here, the coordinator needs the settings --goobi-url and --goobi-token-file.",
        "Um von hier Nachrichten an Goobi zu senden, braucht der Coordinator die Einstellungen --goobi-url und --goobi-token-file.";
    type_error: "Error", "Fehler";
    type_warn: "Warning", "Warnung";
    type_info: "Information", "Information";
    type_debug: "Debug", "Debug";
    type_user: "Remark", "Bemerkung";
    type_important: "Important", "Wichtig";
}

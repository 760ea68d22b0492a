//! Why attempts fail, in the words of workers and of their plugins, and in German.

/// English and German; places as in the table of `told`.
pub(super) const FAILURES: [(&str, &str); 46] = [
    // Folders and files.
    (
        "folder {} is outside the folders that this worker may use ({}): add it with --root",
        "Der Ordner {} liegt nicht in den Ordnern, die dieser Worker verwenden darf ({}): Fügen Sie ihn mit --root hinzu",
    ),
    (
        "folder {} leads out of {}: a symbolic link points elsewhere",
        "Der Ordner {} führt aus {} hinaus: Ein symbolischer Link zeigt woandershin",
    ),
    ("folder {} does not exist", "Den Ordner {} gibt es nicht"),
    (
        "folder {} can't be opened: {}",
        "Der Ordner {} lässt sich nicht öffnen: {}",
    ),
    ("{} is not a folder", "{} ist kein Ordner"),
    (
        "\"{}\" can't be used as a folder: give an absolute path without \"..\"",
        "„{}“ kann kein Ordner sein: Geben Sie einen absoluten Pfad ohne „..“ an",
    ),
    ("can't read {}: {}", "{} lässt sich nicht lesen: {}"),
    ("can't write to {}: {}", "{} lässt sich nicht schreiben: {}"),
    (
        "; make room there (or raise the quota): what is done is kept",
        "; schaffen Sie dort Platz (oder heben Sie die Quota an): Was fertig ist, bleibt erhalten",
    ),
    (
        "; give the worker's user the right to do so",
        "; geben Sie dem Benutzer des Workers das Recht dazu",
    ),
    (
        "; mount it so that the worker can write to it",
        "; hängen Sie es so ein, dass der Worker darin schreiben kann",
    ),
    (
        "; look at the file server and its mount on the worker's host",
        "; sehen Sie nach dem Dateiserver und wie er auf dem Rechner des Workers eingehängt ist",
    ),
    // Publishing.
    (
        "{} can't be published: it is no longer in the item store, nor in its place with the recorded content; submit the job again",
        "{} lässt sich nicht ablegen: Die Datei ist nicht mehr in der Zwischenablage und liegt auch nicht mit dem vermerkten Inhalt an ihrem Platz; reichen Sie die Aufgabe erneut ein",
    ),
    (
        "can't publish {}: its folder lies on another storage than the target folder; mount the target as one file system",
        "{} lässt sich nicht ablegen: Der Ordner liegt auf einem anderen Speicher als der Zielordner; hängen Sie das Ziel als ein Dateisystem ein",
    ),
    (
        "can't publish {}: something else has its name or its folder's ({}); move that away",
        "{} lässt sich nicht ablegen: Etwas anderes hat diesen Namen oder den des Ordners ({}); schaffen Sie es beiseite",
    ),
    ("can't publish {}: {}", "{} lässt sich nicht ablegen: {}"),
    (
        "the plugin has outputs but the job names no target folder",
        "Das Plugin hat Ergebnisse, aber die Aufgabe nennt keinen Zielordner",
    ),
    // Object storage.
    (
        "there is nothing in {}: look whether its address is right",
        "In {} liegt nichts: Sehen Sie nach, ob die Adresse stimmt",
    ),
    (
        "there are more than {} files in {}: name the folder of one volume",
        "Es sind mehr als {} Dateien in {}: Nennen Sie den Ordner eines einzigen Bandes",
    ),
    (
        "{} is not what its pointer says: its content was changed",
        "{} ist nicht, was der Zeiger sagt: Der Inhalt wurde geändert",
    ),
    (
        "{} was not written by this program: move it away",
        "{} hat ein anderes Programm geschrieben: Schaffen Sie es beiseite",
    ),
    (
        "{} was written by a later release of this program: update the worker",
        "{} hat eine neuere Version dieses Programms geschrieben: Aktualisieren Sie den Worker",
    ),
    // Parameters and templates.
    (
        "parameter \"{}\" is {}, but must be {}",
        "Der Parameter „{}“ ist {}, muss aber {} sein",
    ),
    ("a whole number", "eine ganze Zahl"),
    ("true or false", "true oder false"),
    (
        "the template's publish_partial is {}, but must be true or false",
        "publish_partial der Vorlage ist {}, muss aber true oder false sein",
    ),
    (
        "a SHELL job needs a template: its command comes from nowhere else",
        "Eine SHELL-Aufgabe braucht eine Vorlage: Nur aus ihr kommt der Befehl",
    ),
    ("template \"{}\" of SHELL: {}", "Vorlage „{}“ von SHELL: {}"),
    (
        "the job has no value for {}",
        "Die Aufgabe hat keinen Wert für {}",
    ),
    (
        "the job's value for {} is a list or an object, which fits into no argument",
        "Der Wert der Aufgabe für {} ist eine Liste oder ein Objekt; das passt in kein Argument",
    ),
    (
        "the job's value for {} begins with \"-\" and could be taken for an option",
        "Der Wert der Aufgabe für {} beginnt mit „-“ und könnte für eine Option gehalten werden",
    ),
    (
        "the job's {} is on object storage, which a command can't write to: give it a folder",
        "{} der Aufgabe liegt auf Objektspeicher, in den ein Befehl nicht schreiben kann: Geben Sie ihr einen Ordner",
    ),
    // Programs that plugins start.
    (
        "the program {} is not installed on this worker: install the package that has it, or correct the name",
        "Das Programm {} ist auf diesem Worker nicht installiert: Installieren Sie das Paket, das es enthält, oder berichtigen Sie den Namen",
    ),
    (
        "the program {} is not installed on this worker: install the package {}",
        "Das Programm {} ist auf diesem Worker nicht installiert: Installieren Sie das Paket {}",
    ),
    (
        "{} was ended because it ran longer than {} s",
        "{} wurde beendet, weil es länger als {} s lief",
    ),
    (
        "{} can't be killed: it hangs in the system, look at the file servers that it uses",
        "{} lässt sich nicht beenden: Es hängt im System, sehen Sie nach den Dateiservern, die es benutzt",
    ),
    (
        "tesseract {} ended with {}; look at its installation",
        "tesseract {} endete mit {}; sehen Sie nach seiner Installation",
    ),
    ("{} ended with {}", "{} endete mit {}"),
    (
        "the plugin broke down, which is a mistake in it: {}",
        "Das Plugin ist abgestürzt, das ist ein Fehler in ihm: {}",
    ),
    // Text recognition.
    (
        "{} of {} pages could not be read: {}",
        "{} von {} Seiten nicht lesbar: {}",
    ),
    (
        "{} has no images (JPEG, PNG, TIFF, JPEG 2000), and {} other files",
        "{} enthält keine Bilder (JPEG, PNG, TIFF, JPEG 2000) und {} andere Dateien",
    ),
    (
        "parameter \"language\": Tesseract has no data for \"{}\"; leave it out or name a related language",
        "Parameter „language“: Tesseract hat keine Daten für „{}“; lassen Sie ihn weg oder nennen Sie eine verwandte Sprache",
    ),
    (
        "font type \"fracture\": Tesseract's Fraktur data is not installed on this worker; install the package {} on the workers",
        "Schriftart „fracture“: Die Fraktur-Daten von Tesseract sind auf diesem Worker nicht installiert; installieren Sie das Paket {} auf den Workern",
    ),
    (
        "language \"{}\": Tesseract's data \"{}\" is not installed on this worker; install {} on the workers",
        "Sprache „{}“: Die Daten „{}“ von Tesseract sind auf diesem Worker nicht installiert; installieren Sie {} auf den Workern",
    ),
    ("the package tesseract-ocr-{}", "das Paket tesseract-ocr-{}"),
    (
        "pdfunite could not join the pages' PDF files: {}",
        "pdfunite konnte die PDF-Dateien der Seiten nicht zusammenfügen: {}",
    ),
];

/// What the system says, by its number, and in German; what follows is one of the sentences above.
pub(super) const SYSTEM: [(i32, &str); 8] = [
    (2, "Datei oder Ordner nicht gefunden"),
    (5, "Ein-/Ausgabefehler"),
    (13, "Zugriff verweigert"),
    (28, "Kein Platz mehr auf dem Datenträger"),
    (30, "Das Dateisystem kann nur gelesen werden"),
    (110, "Zeitüberschreitung"),
    (116, "Die Verbindung zum Dateiserver ist veraltet"),
    (122, "Die Quota ist ausgeschöpft"),
];

use std::fs;
use std::path::PathBuf;

use super::*;

/// A program's settings.
#[derive(Debug, Parser, PartialEq, Eq)]
#[command(name = "clerk")]
struct Settings {
    /// How many.
    #[arg(long, env = "CLERK_WINDOW", default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..))]
    window: u16,
    /// How long.
    #[arg(long, env = "CLERK_GRACE", default_value_t = 20)]
    grace: u64,
    /// Anybody may come in.
    #[arg(long, env = "CLERK_OPEN")]
    open: bool,
    /// Folders.
    #[arg(long = "root", env = "CLERK_ROOTS", value_delimiter = ',')]
    roots: Vec<String>,
    /// A secret.
    #[arg(long, env = "CLERK_URL", hide_env_values = true)]
    url: Option<String>,
    /// A file with it; wins over --url.
    #[arg(long, env = "CLERK_URL_FILE")]
    url_file: Option<String>,
}

impl Configuration for Settings {
    fn problems(&self) -> Vec<String> {
        let missing = self.roots.is_empty().then(|| "--root is missing".to_owned());
        let long = (self.grace > 100).then(|| format!("--grace {} is too long", self.grace));
        missing.into_iter().chain(long).collect()
    }
}

fn settings(line: &str, variables: &[(&str, &str)]) -> Result<Settings, Wrong> {
    let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
    resolve(&words, |name| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| OsString::from(value))
    })
}

fn problems(line: &str, variables: &[(&str, &str)]) -> Vec<String> {
    settings(line, variables).unwrap_err().0
}

/// A file of settings, and the folder that it lies in.
fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clerk.toml");
    fs::write(&file, text).unwrap();
    (folder, file)
}

#[test]
fn the_command_line_goes_before_the_environment_and_that_before_the_file() {
    let (_folder, file) = file("window = 1\ngrace = 1\nopen = true\nroot = [\"/a\", \"/b\"]\nurl = \"x\"\n");
    let name = file.to_str().unwrap();
    let of_file = settings("", &[("TASKMANAGER_CONFIG", name)]).unwrap();
    assert_eq!(
        of_file,
        Settings {
            window: 1,
            grace: 1,
            open: true,
            roots: vec!["/a".to_owned(), "/b".to_owned()],
            url: Some("x".to_owned()),
            url_file: None,
        }
    );
    let line = format!("--config {name} --window 3 --root=/d");
    let variables = [
        ("CLERK_WINDOW", "2"),
        ("CLERK_GRACE", "2"),
        ("CLERK_OPEN", "no"),
        ("CLERK_ROOTS", "/c,/e"),
        ("CLERK_URL", ""),
    ];
    assert_eq!(
        settings(&line, &variables).unwrap(),
        Settings {
            window: 3,
            grace: 2,
            open: false,
            roots: vec!["/d".to_owned()],
            url: Some("x".to_owned()),
            url_file: None,
        },
        "an empty variable is none"
    );
    let both = settings("", &[("CLERK_ROOTS", "/c,/e")]).unwrap().roots;
    assert_eq!(both, ["/c", "/e"]);
}

#[test]
fn a_secret_and_the_file_with_it_are_one_setting() {
    let (_folder, file) = file("root = [\"/a\"]\nurl-file = \"/of/the/file\"\n");
    let line = format!("--config {}", file.display());
    let chosen = |line: &str, variables: &[(&str, &str)]| {
        let settings = settings(line, variables).unwrap();
        (settings.url, settings.url_file)
    };
    let (url, url_file) = (Some("x".to_owned()), |name: &str| Some(name.to_owned()));
    assert_eq!(chosen(&line, &[]), (None, url_file("/of/the/file")));
    assert_eq!(chosen(&line, &[("CLERK_URL", "x")]), (url.clone(), None));
    let both = [("CLERK_URL", "x"), ("CLERK_URL_FILE", "/y")];
    assert_eq!(
        chosen(&line, &both),
        (url.clone(), url_file("/y")),
        "the program chooses"
    );
    let typed = format!("{line} --url x");
    assert_eq!(chosen(&typed, &[("CLERK_URL_FILE", "/y")]), (url, None));
}

#[test]
fn everything_that_is_wrong_is_told_at_once_and_where_it_stands() {
    let (_folder, file) = file(
        "grace = \"soon\"\nwindwo = 5\nconfig = \"other\"\nurl = [\"geheim\"]\nroot = [[\"/a\"]]\n[open]\nyes = true\n",
    );
    let name = file.display();
    let line = format!("--config={name} --spede geheim --url-fiel=geheim geheim --url-file a --url-file b");
    let told = problems(&line, &[("CLERK_WINDOW", "0")]);
    let expected = [
        "unexpected argument '--spede' found",
        "unexpected argument '--url-fiel' found; a similar argument exists: '--url-file'",
        "word 5 belongs to no option",
        &format!("{name}, config: there is no such setting"),
        &format!("{name}, windwo: there is no such setting"),
        "CLERK_WINDOW: invalid value '0' for '--window <WINDOW>': 0 is not in 1..=65535",
        &format!("{name}, grace: invalid value 'soon' for '--grace <GRACE>': invalid digit found in string"),
        &format!("{name}, open: it is no text, no number, and neither true nor false"),
        &format!("{name}, root: it is no text, no number, and neither true nor false"),
        &format!("{name}, url: it takes one value and no list"),
        "--url-file: it is given more than once",
    ];
    assert_eq!(told, expected);
    let told = problems("--window 0 --grace 101", &[]);
    assert_eq!(
        told[1..],
        ["--root is missing", "--grace 101 is too long"],
        "what does not fit together is told beside what is no value"
    );
    let told = problems("--root /a --grace x", &[]);
    assert_eq!(
        told.len(),
        1,
        "nothing is said of the default of what is wrong: {told:#?}"
    );
}

#[test]
fn what_may_be_a_secret_is_not_told() {
    use std::os::unix::ffi::OsStringExt as _;
    let address = "postgres://a:geheim@b";
    for (line, variables) in [
        (format!("--root /a --window={address}"), vec![]),
        (format!("--root /a {address}"), vec![]),
        (format!("--root /a --ulr {address}"), vec![]),
        ("--root /a".to_owned(), vec![("CLERK_GRACE", address)]),
        ("--root /a".to_owned(), vec![("CLERK_OPEN", address)]),
    ] {
        let told = problems(&line, &variables).concat();
        assert!(!told.is_empty() && !told.contains("geheim"), "{told}");
    }
    let latin = OsString::from_vec(b"--url=geheim\xfc".to_vec());
    let Wrong(told) = resolve::<Settings>(&[latin], |_| None).unwrap_err();
    assert_eq!(told, ["word 1 is no UTF-8", "--root is missing"]);
}

#[test]
fn a_list_in_the_file_is_not_divided_and_everything_else_is() {
    let (_folder, file) = file("root = [\"/a,b\", \"/c\"]\n");
    let line = format!("--config {}", file.display());
    assert_eq!(settings(&line, &[]).unwrap().roots, ["/a,b", "/c"]);
    let typed = settings("--root /a,/b, --root=/c", &[]).unwrap();
    assert_eq!(typed.roots, ["/a", "/b", "/c"]);
}

#[test]
fn a_file_that_is_no_toml_is_told_with_its_line_and_without_its_secrets() {
    let (_folder, file) = file("window = 1\nurl = geheim\n");
    let told = problems(&format!("--root /a --config {}", file.display()), &[]);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(
        told[0].contains("clerk.toml, line 2: this is no TOML"),
        "{told:#?}"
    );
    assert!(!told[0].contains("geheim"), "{told:#?}");
    let told = problems("--root /a --config /nowhere/clerk.toml", &[]);
    assert!(
        told[0].starts_with("the file of settings /nowhere/clerk.toml can't be read: No such file"),
        "{told:#?}"
    );
}

#[test]
fn a_switch_is_on_off_or_a_mistake_and_an_option_without_its_value_is_one() {
    for (text, on) in [("TRUE", true), ("1", true), ("off", false), ("No", false)] {
        let settings = settings("--root /a", &[("CLERK_OPEN", text)]).unwrap();
        assert_eq!(settings.open, on, "{text}");
    }
    assert_eq!(
        problems("--root /a", &[("CLERK_OPEN", "perhaps")]),
        ["CLERK_OPEN: it is neither true nor false"]
    );
    let told = problems("--root /a --window", &[]);
    assert!(
        told[0].contains("a value is required for '--window <WINDOW>'"),
        "{told:#?}"
    );
    let told = problems("--root /a --open=yes", &[]);
    assert!(told[0].contains("--open"), "{told:#?}");
}

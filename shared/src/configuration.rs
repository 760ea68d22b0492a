//! A program's settings: from its command line, the environment and a file.
//!
//! A setting has one name, that of its option. The command line goes before the environment, the environment before the
//! file; a variable that is empty counts as not set. An option `X` and the option `X-file` are one setting: where they
//! come from different places, the first of these counts.
//!
//! Invariants: a program starts with settings that are right, or is told everything that is wrong with them at once; what
//! may be a secret is never told.

mod file;
mod given;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::fmt;

use clap::builder::Resettable;
use clap::{Arg, Command, Parser};

use file::File;
use given::{Given, Wish, wishes};

/// The option that names the file.
const OPTION: &str = "config";
/// The variable that names it.
const VARIABLE: &str = "TASKMANAGER_CONFIG";

/// The exit code of a program that can't start with its settings.
pub const WRONG_SETTINGS: u8 = 2;

/// Settings that know what is wrong with them.
pub trait Configuration: Parser {
    /// What no single value shows: settings that do not fit together, files that can't be read. A sentence each, with the
    /// options (`--window`) that it is about.
    fn problems(&self) -> Vec<String>;
}

/// All that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong(Vec<String>);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings are wrong (--help explains each):")?;
        self.0.iter().try_for_each(|problem| write!(f, "\n- {problem}"))
    }
}

impl std::error::Error for Wrong {}

/// The program's settings. Ends the process where its help or its version is asked for.
///
/// # Errors
/// All that is wrong with them.
#[expect(
    clippy::disallowed_methods,
    reason = "this is where settings are read: by the names that the options have for their variables"
)]
pub fn load<C: Configuration>() -> Result<C, Wrong> {
    let words: Vec<OsString> = env::args_os().skip(1).collect();
    resolve(&words, |variable| env::var_os(variable))
}

/// What can be set in a program: the options of its command line, each with its variable.
pub fn options<C: Configuration>() -> Command {
    C::command().arg(
        Arg::new(OPTION)
            .long(OPTION)
            .value_name("FILE")
            .env(VARIABLE)
            .display_order(0)
            .help(
                "TOML file with settings: each has its option's name, window = 500. Variables go before it, options \
                 before both",
            ),
    )
}

fn resolve<C: Configuration>(
    words: &[OsString],
    environment: impl Fn(&str) -> Option<OsString>,
) -> Result<C, Wrong> {
    let options = options::<C>();
    let asks = |wanted: &str| words.iter().any(|word| word == wanted);
    if ["--help", "-h", "--version", "-V"].into_iter().any(asks) {
        let name = OsString::from(options.get_name());
        options.clone().get_matches_from([name].iter().chain(words));
    }
    // Where a value comes from, and where a list is divided, is decided here: the parser stops at its first complaint.
    let parser = options
        .clone()
        .mut_args(|argument| argument.env(Resettable::Reset).value_delimiter(Resettable::Reset));
    let mut problems = Vec::new();
    let typed = wishes(&options, words, &mut problems);
    let variable = |argument: &Arg| {
        let name = argument.get_env()?.to_str()?;
        let value = environment(name).filter(|value| !value.is_empty())?;
        Some((name.to_owned(), value))
    };
    let mut file = match file_of(&options, &typed, variable)
        .map(|name| File::read(&name))
        .transpose()
    {
        Ok(file) => file.unwrap_or_default(),
        // Nobody knows what it would have said.
        Err(problem) => {
            problems.push(problem);
            return Err(Wrong(problems));
        }
    };

    let given: Vec<Given> = options
        .get_arguments()
        .filter_map(|argument| {
            let option = argument.get_long()?;
            // No file names another one.
            let in_file = if option == OPTION { None } else { file.take(option) };
            let typed: Vec<&Wish> = typed.iter().filter(|wish| wish.option == option).collect();
            if !typed.is_empty() {
                Some(Given::of_wishes(argument, option, &typed))
            } else if let Some((name, value)) = variable(argument) {
                Some(Given::of_variable(argument, option, &name, &value))
            } else {
                in_file.map(|value| Given::of_value(argument, option, &file.name, &value))
            }
        })
        .collect();
    problems.extend(file.unknown());

    let mut chosen = vec![options.get_name().to_owned()];
    let mut wrong = BTreeSet::new();
    for one in given.iter().filter(|one| !one.is_outdone_by(&given)) {
        match one.judge(&parser) {
            Ok(tokens) => chosen.extend(tokens),
            Err(found) => {
                problems.extend(found);
                wrong.insert(format!("--{}", one.option));
            }
        }
    }
    match parser
        .try_get_matches_from(chosen)
        .and_then(|matches| C::from_arg_matches(&matches))
    {
        Ok(settings) => {
            // What is said of a setting that is wrong anyway would be said of its default.
            let about_others = |problem: &String| !wrong.iter().any(|option| is_about(problem, option));
            problems.extend(settings.problems().into_iter().filter(about_others));
            if problems.is_empty() {
                return Ok(settings);
            }
        }
        Err(error) => problems.push(complaint(&error)),
    }
    Err(Wrong(problems))
}

fn is_about(problem: &str, option: &str) -> bool {
    problem
        .split(|letter: char| !letter.is_alphanumeric() && letter != '-')
        .any(|word| word == option)
}

/// The file's name, if anybody has named one.
fn file_of(
    options: &Command,
    typed: &[Wish],
    variable: impl Fn(&Arg) -> Option<(String, OsString)>,
) -> Option<OsString> {
    let typed = typed.iter().rev().find(|wish| wish.option == OPTION);
    let typed = typed.and_then(|wish| wish.value.as_ref()).map(OsString::from);
    let argument = options
        .get_arguments()
        .find(|argument| argument.get_long() == Some(OPTION))?;
    typed.or_else(|| variable(argument).map(|(_, name)| name))
}

/// What the parser has against something, in one line.
fn complaint(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let end = ["\n\nFor more information", "\n\nUsage:"]
        .into_iter()
        .filter_map(|end| text.find(end))
        .min()
        .unwrap_or(text.len());
    let text = text[..end].replace("\n\n  tip:", ";");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

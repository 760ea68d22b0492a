//! From a template's `command` to the program and its arguments.
//!
//! | placeholder | stands for |
//! |---|---|
//! | `{source}`, `{target}` | the job's folders; a source on object storage is the folder that it was fetched into |
//! | `{title}` | the job's title |
//! | `{parameters.NAME}` | a parameter of the job (text, number, true or false) |
//! | `{{`, `}}` | braces |
//!
//! Invariants: a value never becomes more than a part of the one argument that its placeholder stands in; never
//! the program; never an option, so a value that begins with `-` is refused at the beginning of an argument; and
//! never a way up, so a title or parameter with a part `..` between slashes is refused.

use serde_json::{Map, Value};
use shared::location::Location;
use shared::message::reply::Grant;

/// What is to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The program, from the template as it is.
    pub program: String,
    /// Its arguments, placeholders replaced.
    pub arguments: Vec<String>,
}

/// Why a template gives no command for a job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// `command` is missing or of another form.
    #[error(
        "command must be an array of texts that begins with the program, such as [\"cp\", \"{{source}}/a\"]"
    )]
    Form,
    /// The program depends on the job.
    #[error("the program \"{0}\" must not contain a placeholder")]
    Program(String),
    /// A brace that belongs to no placeholder.
    #[error("argument \"{0}\" has a single brace: write {{{{ or }}}} for a brace")]
    Brace(String),
    /// A placeholder that does not exist.
    #[error(
        "unknown placeholder {{{0}}}: there are {{source}}, {{target}}, {{title}} and {{parameters.NAME}}, \
         and {{{{ and }}}} for braces"
    )]
    Unknown(String),
    /// The job lacks what a placeholder stands for.
    #[error("the job has no value for {{{0}}}")]
    NoValue(String),
    /// A value that is neither text nor number nor true or false.
    #[error("the job's value for {{{0}}} is a list or an object, which fits into no argument")]
    NotPlain(String),
    /// A value that could be taken for an option.
    #[error("the job's value for {{{0}}} begins with \"-\" and could be taken for an option")]
    Option(String),
    /// A value that leads out of a folder.
    #[error("the job's value for {{{0}}} contains \"..\" as a part of a path")]
    WayUp(String),
    /// A target that tools can't write to.
    #[error("the job's {{{0}}} is on object storage, which a command can't write to: give it a folder")]
    OnObjects(String),
    /// A value that no argument can have.
    #[error("the job's value for {{{0}}} contains a NUL character")]
    Nul(String),
}

/// The command of this template for this job.
///
/// # Errors
/// [`Error`], all of them permanent: the template or the job has to be corrected.
pub fn expand(template: &Map<String, Value>, grant: &Grant) -> Result<Command, Error> {
    let command = template
        .get("command")
        .and_then(Value::as_array)
        .ok_or(Error::Form)?;
    let texts: Option<Vec<&str>> = command.iter().map(Value::as_str).collect();
    let texts = texts.ok_or(Error::Form)?;
    let [program, arguments @ ..] = texts.as_slice() else {
        return Err(Error::Form);
    };
    if program.is_empty() {
        return Err(Error::Form);
    }
    if program.contains(['{', '}']) {
        return Err(Error::Program((*program).to_owned()));
    }
    let arguments = arguments
        .iter()
        .map(|argument| replace(argument, grant))
        .collect::<Result<_, _>>()?;
    Ok(Command {
        program: (*program).to_owned(),
        arguments,
    })
}

fn replace(argument: &str, grant: &Grant) -> Result<String, Error> {
    let brace = || Error::Brace(argument.to_owned());
    let mut result = String::with_capacity(argument.len());
    let mut rest = argument;
    while let Some(at) = rest.find(['{', '}']) {
        result.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("{{") {
            result.push('{');
            rest = after;
        } else if let Some(after) = rest.strip_prefix("}}") {
            result.push('}');
            rest = after;
        } else {
            let inside = rest.strip_prefix('{').ok_or_else(brace)?;
            let (name, after) = inside.split_once('}').ok_or_else(brace)?;
            let value = value(name, grant)?;
            if result.is_empty() && value.starts_with('-') {
                return Err(Error::Option(name.to_owned()));
            }
            result.push_str(&value);
            rest = after;
        }
    }
    result.push_str(rest);
    Ok(result)
}

fn value(name: &str, grant: &Grant) -> Result<String, Error> {
    let missing = || Error::NoValue(name.to_owned());
    let value = match name {
        "source" => grant.source.clone().ok_or_else(missing)?,
        "target" => match grant.target.clone().ok_or_else(missing)? {
            objects if Location::is_on_objects(&objects) => return Err(Error::OnObjects(name.to_owned())),
            folder => folder,
        },
        "title" => grant.title.clone(),
        other => {
            let parameter = other
                .strip_prefix("parameters.")
                .ok_or_else(|| Error::Unknown(other.to_owned()))?;
            match grant.parameters.get(parameter) {
                None | Some(Value::Null) => return Err(missing()),
                Some(Value::String(text)) => text.clone(),
                Some(plain @ (Value::Number(_) | Value::Bool(_))) => plain.to_string(),
                Some(Value::Array(_) | Value::Object(_)) => return Err(Error::NotPlain(name.to_owned())),
            }
        }
    };
    if value.contains('\0') {
        Err(Error::Nul(name.to_owned()))
    } else if value.split('/').any(|part| part == "..") {
        Err(Error::WayUp(name.to_owned()))
    } else {
        Ok(value)
    }
}

#[cfg(test)]
mod tests;

//! `taskmanager user` and `taskmanager token`: who may come in.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::Client;
use crate::output::Look;
use crate::table::{self, Column};
use crate::{Answer, output, password, text};

/// List, add and change users.
#[derive(Debug, Args)]
pub(crate) struct UserCommand {
    #[command(subcommand)]
    action: UserAction,
}

#[derive(Debug, Subcommand)]
enum UserAction {
    /// List the users.
    List {
        /// Print the coordinator's answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Let somebody in. The first password is read from a file, typed, or a line of standard input.
    Add {
        /// The name.
        name: String,
        #[command(flatten)]
        rights: UserRights,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Give a user another role.
    SetRole {
        /// The name.
        name: String,
        #[command(flatten)]
        rights: UserRights,
    },
    /// Give a user another password and end the sessions. It is read from a file, typed, or a line of standard input.
    SetPassword {
        /// The name.
        name: String,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Keep a user out, and end the sessions.
    Lock {
        /// The name.
        name: String,
    },
    /// Let a locked user in again.
    Unlock {
        /// The name.
        name: String,
    },
    /// Remove a user.
    Remove {
        /// The name.
        name: String,
    },
}

#[derive(Debug, Args)]
struct UserRights {
    /// What he or she may do.
    #[arg(long)]
    role: UserRole,
    /// An operator's plugin, if not all (repeat, or separate by commas).
    #[arg(long = "plugin", value_name = "PLUGIN", value_delimiter = ',')]
    plugins: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum UserRole {
    /// Looks.
    Viewer,
    /// Works with jobs, stops and starts single plugins.
    Operator,
    /// Everything.
    Admin,
}

#[derive(Debug, Args)]
struct PasswordSource {
    /// File whose first line is the password.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// List, add and revoke tokens of programs.
#[derive(Debug, Args)]
pub(crate) struct TokenCommand {
    #[command(subcommand)]
    action: TokenAction,
}

#[derive(Debug, Subcommand)]
enum TokenAction {
    /// List the tokens; what they are themselves nobody can see any more.
    List {
        /// Print the coordinator's answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make a token and print it, this one time.
    Add {
        /// What it is for; the audit log names it.
        title: String,
        /// What it may do.
        #[arg(long)]
        role: TokenRole,
        /// A submitter's or operator's plugin, if not all (repeat, or separate by commas).
        #[arg(long = "plugin", value_name = "PLUGIN", value_delimiter = ',')]
        plugins: Vec<String>,
        /// How long it is good.
        #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=1100))]
        days: u32,
    },
    /// Make a token worthless.
    Revoke {
        /// Its id, as `list` shows it.
        id: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum TokenRole {
    /// Submits jobs and follows them.
    Submitter,
    /// Looks.
    Viewer,
    /// Works with jobs, stops and starts single plugins.
    Operator,
    /// Everything.
    Admin,
}

#[derive(Debug, Deserialize)]
struct Accounts {
    users: Vec<User>,
    tokens: Vec<Token>,
}

#[derive(Debug, Deserialize)]
struct User {
    name: String,
    role: String,
    plugins: Option<Vec<String>>,
    disabled: bool,
    seen_at: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Token {
    id: String,
    title: String,
    role: String,
    plugins: Option<Vec<String>>,
    made_by: String,
    expires_at: String,
    expired: bool,
}

#[derive(Debug, Deserialize)]
struct Acted {
    token: Option<String>,
}

pub(crate) fn run_users(client: &Client, command: &UserCommand) -> anyhow::Result<Answer> {
    match &command.action {
        UserAction::List { json } => {
            return list(client, *json, |accounts| {
                render_users(&accounts.users, Look::of_stdout())
            });
        }
        UserAction::Add {
            name,
            rights,
            password,
        } => {
            let password = password::new(password.password_file.as_deref())?;
            let mut action = rights.action("add_user", name);
            action["password"] = password.into();
            act(client, &action)?;
            output::result(&format!("{}: added\n", text::printable(name)))?;
        }
        UserAction::SetRole { name, rights } => change(client, &rights.action("set_role", name), name)?,
        UserAction::SetPassword { name, password } => {
            let password = password::new(password.password_file.as_deref())?;
            let action = json!({"action": "set_password", "name": name, "password": password});
            change(client, &action, name)?;
        }
        UserAction::Lock { name } => change(client, &json!({"action": "disable", "name": name}), name)?,
        UserAction::Unlock { name } => change(client, &json!({"action": "enable", "name": name}), name)?,
        UserAction::Remove { name } => change(client, &json!({"action": "remove_user", "name": name}), name)?,
    }
    Ok(Answer::Yes)
}

pub(crate) fn run_tokens(client: &Client, command: &TokenCommand) -> anyhow::Result<Answer> {
    match &command.action {
        TokenAction::List { json } => {
            return list(client, *json, |accounts| {
                render_tokens(&accounts.tokens, Look::of_stdout())
            });
        }
        TokenAction::Add {
            title,
            role,
            plugins,
            days,
        } => {
            let mut action =
                json!({"action": "add_token", "title": title, "role": name_of(role), "days": days});
            limit_to(&mut action, plugins);
            let token = act(client, &action)?
                .token
                .context("the coordinator's answer has no token")?;
            output::result(&format!("{}\n", text::printable(&token)))?;
        }
        TokenAction::Revoke { id } => change(client, &json!({"action": "revoke_token", "id": id}), id)?,
    }
    Ok(Answer::Yes)
}

fn list(client: &Client, as_json: bool, render: impl Fn(&Accounts) -> String) -> anyhow::Result<Answer> {
    let answer = client.get("/api/v1/accounts", &[])?;
    if as_json {
        output::json(&answer.json)?;
    } else {
        output::result(&render(&answer.read()?))?;
    }
    Ok(Answer::Yes)
}

fn change(client: &Client, action: &Value, whom: &str) -> anyhow::Result<()> {
    act(client, action)?;
    output::result(&format!("{}: done\n", text::printable(whom)))
}

fn act(client: &Client, action: &Value) -> anyhow::Result<Acted> {
    let body = serde_json::to_vec(action)?;
    Ok(client.post("/api/v1/accounts/actions", &body, &[])?.read()?)
}

fn name_of(role: &impl ValueEnum) -> String {
    let value = role.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

fn limit_to(action: &mut Value, plugins: &[String]) {
    if !plugins.is_empty() {
        let plugins: Vec<String> = plugins.iter().map(|plugin| plugin.to_uppercase()).collect();
        action["plugins"] = plugins.into();
    }
}

impl UserRights {
    fn action(&self, action: &str, name: &str) -> Value {
        let mut action = json!({"action": action, "name": name, "role": name_of(&self.role)});
        limit_to(&mut action, &self.plugins);
        action
    }
}

/// Names of plugins, or that it is all of them.
pub(crate) fn plugins(plugins: Option<&[String]>) -> String {
    plugins.map_or_else(|| "all".to_owned(), |plugins| text::printable(&plugins.join(" ")))
}

fn render_users(users: &[User], look: Look) -> String {
    const COLUMNS: [Column; 5] = [
        Column::text("NAME"),
        Column::text("ROLE"),
        Column::text("STATE"),
        Column::text("PLUGINS"),
        Column::text("LAST SEEN"),
    ];
    if users.is_empty() {
        return "No users.\n".to_owned();
    }
    let rows: Vec<Vec<String>> = users
        .iter()
        .map(|user| {
            vec![
                text::printable(&user.name),
                text::printable(&user.role),
                if user.disabled { "locked" } else { "active" }.to_owned(),
                plugins(user.plugins.as_deref()),
                user.seen_at
                    .as_deref()
                    .map_or_else(|| "never".to_owned(), text::printable),
            ]
        })
        .collect();
    table::render(&COLUMNS, &rows, look)
}

fn render_tokens(tokens: &[Token], look: Look) -> String {
    const COLUMNS: [Column; 7] = [
        Column::text("TITLE"),
        Column::text("ROLE"),
        Column::text("STATE"),
        Column::text("PLUGINS"),
        Column::text("GOOD UNTIL"),
        Column::text("MADE BY"),
        Column::text("ID"),
    ];
    if tokens.is_empty() {
        return "No tokens.\n".to_owned();
    }
    let rows: Vec<Vec<String>> = tokens
        .iter()
        .map(|token| {
            vec![
                text::printable(&token.title),
                text::printable(&token.role),
                if token.expired { "expired" } else { "active" }.to_owned(),
                plugins(token.plugins.as_deref()),
                text::printable(&token.expires_at),
                text::printable(&token.made_by),
                text::printable(&token.id),
            ]
        })
        .collect();
    table::render(&COLUMNS, &rows, look)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_tokens_are_listed_with_what_they_may_do() {
        let accounts: Accounts = serde_json::from_value(json!({
            "users": [
                {"name": "Anna", "role": "admin", "plugins": null, "disabled": false,
                 "seen_at": "2026-07-01T06:14:32Z"},
                {"name": "Bert", "role": "operator", "plugins": ["OCR", "JP2"], "disabled": true, "seen_at": null}],
            "tokens": [
                {"id": "0198c0de-0000-7000-8000-000000000001", "title": "Goobi", "role": "submitter",
                 "plugins": ["OCR"], "made_by": "Anna", "expires_at": "2027-07-01T06:14:32Z", "expired": false}]
        }))
        .unwrap();
        let both =
            render_users(&accounts.users, Look::PLAIN) + "\n" + &render_tokens(&accounts.tokens, Look::PLAIN);
        insta::assert_snapshot!(both);
    }
}

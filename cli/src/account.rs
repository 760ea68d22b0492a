//! `taskmanager account`: one's own password and sessions. They are a person's: a token has neither.
//!
//! Invariant: the session that a command begins ends with it, whatever became of its wish; only one that is killed, or cut
//! off from the coordinator, leaves it for a person to end.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::Client;
use crate::output::Look;
use crate::table::{self, Column};
use crate::{Answer, accounts, output, password, text};

const ACTIONS: &str = "/api/v1/account/actions";

/// Look after your own account: the password, and where you are logged in.
#[derive(Debug, Args)]
pub(crate) struct AccountCommand {
    #[command(subcommand)]
    action: AccountAction,
}

#[derive(Debug, Subcommand)]
enum AccountAction {
    /// Show what you may do, and where you are logged in.
    Show {
        #[command(flatten)]
        person: Person,
        /// Print the coordinator's answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Change your password; you are logged out everywhere else. Both are read from files, typed, or two lines of
    /// standard input.
    SetPassword {
        #[command(flatten)]
        person: Person,
        /// File whose first line is the new password.
        #[arg(long, value_name = "FILE")]
        new_password_file: Option<PathBuf>,
    },
    /// Log out where you are logged in: everywhere, or in the named sessions.
    EndSessions {
        #[command(flatten)]
        person: Person,
        /// A session's id, as `show` prints it; without any it is all of them.
        id: Vec<String>,
    },
}

#[derive(Debug, Args)]
struct Person {
    /// Your name.
    #[arg(long, value_name = "NAME")]
    user: String,
    /// File whose first line is your password.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Account {
    name: String,
    role: String,
    plugins: Option<Vec<String>>,
    sessions: Vec<Session>,
}

#[derive(Debug, Deserialize)]
struct Session {
    id: String,
    browser: String,
    created_at: String,
    seen_at: String,
    is_this: bool,
}

pub(crate) fn run(client: &Client, command: &AccountCommand) -> anyhow::Result<Answer> {
    match &command.action {
        AccountAction::Show { person, json } => person.logged_in(client, |client| {
            let answer = client.get("/api/v1/account", &[])?;
            if *json {
                return output::json(&answer.json);
            }
            output::result(&render(&answer.read()?, Look::of_stdout()))
        }),
        AccountAction::SetPassword {
            person,
            new_password_file,
        } => {
            let now = password::known(person.password_file.as_deref())?;
            let new = password::new(new_password_file.as_deref())?;
            logged_in(client, &person.user, &now, |client| {
                act(
                    client,
                    &json!({"action": "change_password", "now": now, "new": new}),
                )?;
                output::result("the password was changed\n")
            })
        }
        AccountAction::EndSessions { person, id } => person.logged_in(client, |client| {
            if id.is_empty() {
                act(client, &json!({"action": "end_other_sessions"}))?;
                return output::result("logged out everywhere\n");
            }
            for id in id {
                act(client, &json!({"action": "end_session", "session": id}))?;
                output::result(&format!("{}: logged out\n", text::printable(id)))?;
            }
            Ok(())
        }),
    }
}

impl Person {
    fn logged_in(
        &self,
        client: &Client,
        wish: impl FnOnce(&Client) -> anyhow::Result<()>,
    ) -> anyhow::Result<Answer> {
        let password = password::known(self.password_file.as_deref())?;
        logged_in(client, &self.user, &password, wish)
    }
}

/// Does something in a session of its own.
fn logged_in(
    client: &Client,
    name: &str,
    password: &str,
    wish: impl FnOnce(&Client) -> anyhow::Result<()>,
) -> anyhow::Result<Answer> {
    let client = client.log_in(name, password)?;
    let done = wish(&client);
    let ended = log_out(&client);
    done.and(ended).map(|()| Answer::Yes)
}

fn log_out(client: &Client) -> anyhow::Result<()> {
    let account: Account = client.get("/api/v1/account", &[])?.read()?;
    let own = account.sessions.iter().find(|session| session.is_this);
    let own = own.context("the session of this command is not there to be ended")?;
    act(client, &json!({"action": "end_session", "session": own.id}))
}

fn act(client: &Client, action: &Value) -> anyhow::Result<()> {
    client.post(ACTIONS, &serde_json::to_vec(action)?, &[])?;
    Ok(())
}

fn render(account: &Account, look: Look) -> String {
    const COLUMNS: [Column; 4] = [
        Column::text("LOGGED IN WITH"),
        Column::text("SINCE"),
        Column::text("LAST USED"),
        Column::text("ID"),
    ];
    let plugins = accounts::plugins(account.plugins.as_deref());
    let who = format!(
        "{}: {}, plugins: {plugins}\n",
        text::printable(&account.name),
        text::printable(&account.role)
    );
    let rows: Vec<Vec<String>> = account
        .sessions
        .iter()
        .filter(|session| !session.is_this)
        .map(|session| {
            [
                &session.browser,
                &session.created_at,
                &session.seen_at,
                &session.id,
            ]
            .map(|cell| text::printable(cell))
            .to_vec()
        })
        .collect();
    if rows.is_empty() {
        return who + "Logged in nowhere else.\n";
    }
    who + "\n" + &table::render(&COLUMNS, &rows, look)
}

//! What administrators can do with users and tokens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::plugin::PluginName;
use uuid::Uuid;

use super::{Role, Verb};
use crate::accounts::Password;

/// Most characters of a name or a title.
const NAME_MAX_CHARS: usize = 100;
/// Most plugins that somebody is limited to.
const PLUGINS_MAX: usize = 100;
/// Names by which the audit log means the program itself, or whoever needs no login.
const RESERVED: [&str; 2] = ["local", "coordinator"];
/// Longest life of a token, days.
pub const TOKEN_MAX_DAYS: u32 = 1100;

/// Something to be done with a user or a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum AccountAction {
    /// Let somebody in.
    AddUser {
        /// The name.
        name: String,
        /// What he or she may do.
        role: Role,
        /// With which plugins, if not with all.
        #[serde(default)]
        plugins: Option<Vec<String>>,
        /// A first password.
        password: Password,
    },
    /// Give a user another role.
    SetRole {
        /// The name.
        name: String,
        /// What he or she may do.
        role: Role,
        /// With which plugins, if not with all.
        #[serde(default)]
        plugins: Option<Vec<String>>,
    },
    /// Give a user another password; ends the sessions.
    SetPassword {
        /// The name.
        name: String,
        /// The password.
        password: Password,
    },
    /// Keep a user out, and end the sessions.
    Disable {
        /// The name.
        name: String,
    },
    /// Let a user in again.
    Enable {
        /// The name.
        name: String,
    },
    /// Remove a user.
    RemoveUser {
        /// The name.
        name: String,
    },
    /// Make a token for a program; the answer alone shows it, once.
    AddToken {
        /// What it is for.
        title: String,
        /// What it may do.
        role: Role,
        /// With which plugins, if not with all.
        #[serde(default)]
        plugins: Option<Vec<String>>,
        /// How long it is good.
        days: u32,
    },
    /// Make a token worthless.
    RevokeToken {
        /// Its id.
        id: Uuid,
    },
}

impl AccountAction {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::AddUser { .. } => "add_user",
            Self::SetRole { .. } => "set_role",
            Self::SetPassword { .. } => "set_password",
            Self::Disable { .. } => "disable",
            Self::Enable { .. } => "enable",
            Self::RemoveUser { .. } => "remove_user",
            Self::AddToken { .. } => "add_token",
            Self::RevokeToken { .. } => "revoke_token",
        }
    }

    /// Which permission it needs.
    pub fn verb(&self) -> Verb {
        Verb::ManageAccounts
    }

    /// Whom it is about.
    pub fn account(&self) -> String {
        match self {
            Self::AddUser { name, .. }
            | Self::SetRole { name, .. }
            | Self::SetPassword { name, .. }
            | Self::Disable { name }
            | Self::Enable { name }
            | Self::RemoveUser { name } => name.clone(),
            Self::AddToken { title, .. } => title.clone(),
            Self::RevokeToken { id } => id.to_string(),
        }
    }

    /// The password that comes with it.
    pub fn password(&self) -> Option<&Password> {
        match self {
            Self::AddUser { password, .. } | Self::SetPassword { password, .. } => Some(password),
            _ => None,
        }
    }

    /// Finds what is wrong with it, whoever wants it.
    ///
    /// # Errors
    /// Says what, and what would be right.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Self::AddUser { name, .. } => {
                check_name("name", name)?;
                if RESERVED.contains(&name.as_str()) || name.starts_with("token ") {
                    return Err(format!(
                        "nobody can be called \"{name}\": the audit log means something else by it"
                    ));
                }
            }
            Self::SetRole { name, .. }
            | Self::SetPassword { name, .. }
            | Self::Disable { name }
            | Self::Enable { name }
            | Self::RemoveUser { name } => check_name("name", name)?,
            Self::AddToken { title, days, .. } => {
                check_name("title", title)?;
                if !(1..=TOKEN_MAX_DAYS).contains(days) {
                    return Err(format!("\"days\" is from 1 to {TOKEN_MAX_DAYS}"));
                }
            }
            Self::RevokeToken { .. } => {}
        }
        match self {
            Self::AddUser { role, plugins, .. } | Self::SetRole { role, plugins, .. } => {
                if !Role::OF_PEOPLE.contains(role) {
                    return Err("\"role\" of a user is viewer, operator or admin".to_owned());
                }
                check_plugins(*role, plugins.as_deref())?;
            }
            Self::AddToken { role, plugins, .. } => check_plugins(*role, plugins.as_deref())?,
            _ => {}
        }
        self.password().map_or(Ok(()), Password::check)
    }
}

/// Checks a name that people and the audit log see.
///
/// # Errors
/// Says what is wrong with it.
pub fn check_name(field: &str, name: &str) -> Result<(), String> {
    let chars = name.chars().count();
    if name.trim() != name || name.is_empty() || chars > NAME_MAX_CHARS || name.chars().any(char::is_control)
    {
        return Err(format!(
            "\"{field}\" has 1 to {NAME_MAX_CHARS} characters, no spaces around it and no control characters"
        ));
    }
    Ok(())
}

fn check_plugins(role: Role, plugins: Option<&[String]>) -> Result<(), String> {
    match plugins {
        Some(_) if !role.may_be_limited() => {
            Err("only operators and submitters are limited to plugins: leave out \"plugins\"".to_owned())
        }
        Some([]) => Err("\"plugins\" names none: leave it out for all".to_owned()),
        Some(plugins) if plugins.len() > PLUGINS_MAX => Err(format!(
            "\"plugins\" names more than {PLUGINS_MAX}: leave it out for all"
        )),
        // As they are called, not as somebody may spell them: another spelling would allow nothing.
        Some(plugins) => plugins
            .iter()
            .try_for_each(|plugin| match plugin.parse::<PluginName>() {
                Ok(name) if name.as_str() == plugin => Ok(()),
                Ok(name) => Err(format!("\"plugins\" has \"{plugin}\": write {name}")),
                Err(error) => Err(format!("\"plugins\": {error}")),
            }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(name: &str, role: Role, plugins: Option<Vec<String>>) -> AccountAction {
        AccountAction::AddUser {
            name: name.to_owned(),
            role,
            plugins,
            password: Password::new("vier alte Seiten"),
        }
    }

    #[test]
    fn what_can_not_be_is_refused_with_what_would_be_right() {
        let ocr = || Some(vec!["OCR".to_owned()]);
        assert!(add("anna", Role::Operator, ocr()).check().is_ok());
        for (bad, part) in [
            (add("", Role::Viewer, None), "1 to 100"),
            (add(" anna", Role::Viewer, None), "no spaces"),
            (add("an\0na", Role::Viewer, None), "control"),
            (add("anna", Role::Submitter, None), "viewer, operator or admin"),
            (add("anna", Role::Admin, ocr()), "leave out"),
            (add("anna", Role::Operator, Some(Vec::new())), "names none"),
            (
                add("anna", Role::Operator, Some(vec!["ocr".to_owned()])),
                "write OCR",
            ),
            (
                add("anna", Role::Operator, Some(vec!["O\0R".to_owned()])),
                "plugins",
            ),
            (add("coordinator", Role::Viewer, None), "nobody can be called"),
            (add("token Goobi", Role::Viewer, None), "nobody can be called"),
        ] {
            let why = bad.check().unwrap_err();
            assert!(why.contains(part), "{why}");
        }
        let token = |days| AccountAction::AddToken {
            title: "Goobi".to_owned(),
            role: Role::Submitter,
            plugins: None,
            days,
        };
        assert!(token(0).check().is_err() && token(1101).check().is_err() && token(365).check().is_ok());
    }

    #[test]
    fn the_audit_log_never_holds_a_password() {
        let written = serde_json::to_string(&add("anna", Role::Viewer, None)).unwrap();
        assert!(!written.contains("Seiten"), "{written}");
        let read: AccountAction =
            serde_json::from_str(r#"{"action":"set_password","name":"a","password":"vier alte Seiten"}"#)
                .unwrap();
        assert_eq!(read.password(), Some(&Password::new("vier alte Seiten")));
    }
}

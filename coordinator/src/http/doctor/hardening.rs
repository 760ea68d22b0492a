//! What the doctor says of settings with which everything works, and with which more is open than has to be.

use shared::message::worker::Check;

use super::{failed, passed};
use crate::db::pages::Surroundings;
use crate::deployment::Deployment;

/// One line for each matter.
pub(super) fn checks(deployment: &Deployment, found: &Surroundings) -> Vec<Check> {
    vec![
        https(deployment),
        worker_users(deployment),
        goobi(deployment),
        keys(deployment, &found.keys_needed),
        tokens(found.expired_tokens),
    ]
}

fn https(deployment: &Deployment) -> Check {
    let name = "https";
    if deployment.open_to_the_public {
        return failed(
            name,
            "whoever reaches --public-url is an administrator: leave out --without-login".to_owned(),
        );
    }
    let message = if deployment.reached_without_https {
        "hint: other machines reach this address, and --public-url names none with https: passwords would cross the network \
         in the clear; put a proxy with https before it, and name its address"
    } else {
        "reached by https, or from this machine alone"
    };
    passed(name, message.to_owned())
}

fn worker_users(deployment: &Deployment) -> Check {
    let message = if deployment.worker_users_listed {
        "each serves the plugins that it is listed for"
    } else {
        "hint: any RabbitMQ user may serve any plugin: a stolen worker's password opens all of them; list users with \
         --worker-user"
    };
    passed("worker users", message.to_owned())
}

fn goobi(deployment: &Deployment) -> Check {
    let message = if deployment.tells_goobi_in_the_clear {
        "hint: its token crosses the network in the clear (--goobi-url has http://): use https, or a network of their own"
    } else {
        "no token of its own crosses a network in the clear"
    };
    passed("goobi's address", message.to_owned())
}

/// Keys that tokens wait for, and whether there is one for new tokens.
fn keys(deployment: &Deployment, needed: &[String]) -> Check {
    let name = "keys of tokens";
    let gone: Vec<&str> = needed
        .iter()
        .filter(|id| !deployment.keys.contains(id))
        .map(String::as_str)
        .collect();
    if !gone.is_empty() {
        return failed(
            name,
            format!(
                "there are tokens for other systems that no key of --secrets-key-file opens (ids of the keys: {}): name the \
                 old key's file after the new one; messages that were given up meanwhile go out with `taskmanager send-again`",
                gone.join(", ")
            ),
        );
    }
    let message = if deployment.callbacks_allowed && deployment.keys.is_empty() {
        "hint: without --secrets-key-file tokens of callbacks are not kept, and callers come without them"
    } else {
        "nothing waits for a key that is not there"
    };
    passed(name, message.to_owned())
}

fn tokens(expired: i64) -> Check {
    let message = if expired == 0 {
        "none is expired".to_owned()
    } else {
        format!(
            "hint: expired: {expired}; programs that still use them are refused: an administrator finds them among the users, \
             removes them, and makes new ones where they are needed"
        )
    };
    passed("API tokens", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_that_leaves_nothing_open_has_no_hints() {
        let deployment = Deployment {
            worker_users_listed: true,
            callbacks_allowed: true,
            keys: vec!["5f2c".to_owned()],
            ..Deployment::default()
        };
        let found = Surroundings {
            keys_needed: vec!["5f2c".to_owned()],
            ..Surroundings::default()
        };
        for check in checks(&deployment, &found) {
            assert!(check.ok && !check.message.starts_with("hint:"), "{check:?}");
        }
    }

    #[test]
    fn whatever_is_more_open_than_it_has_to_be_is_a_hint_that_says_what_to_do() {
        let deployment = Deployment {
            reached_without_https: true,
            callbacks_allowed: true,
            tells_goobi_in_the_clear: true,
            ..Deployment::default()
        };
        let found = Surroundings {
            expired_tokens: 2,
            ..Surroundings::default()
        };
        let checks = checks(&deployment, &found);
        let advice = [
            "a proxy with https",
            "--worker-user",
            "use https",
            "--secrets-key-file",
            "expired: 2;",
        ];
        for (check, advice) in checks.iter().zip(advice) {
            assert!(
                check.ok && check.message.starts_with("hint:") && check.message.contains(advice),
                "{check:?}"
            );
        }
        assert_eq!(checks.len(), advice.len());
    }

    #[test]
    fn a_public_address_without_a_login_is_a_finding() {
        let deployment = Deployment {
            open_to_the_public: true,
            ..Deployment::default()
        };
        let found = https(&deployment);
        assert!(
            !found.ok && found.message.contains("leave out --without-login"),
            "{found:?}"
        );
    }

    #[test]
    fn tokens_that_wait_for_a_key_that_is_gone_are_a_finding() {
        let deployment = Deployment {
            keys: vec!["new".to_owned()],
            ..Deployment::default()
        };
        let found = keys(&deployment, &["new".to_owned(), "old".to_owned()]);
        assert!(
            !found.ok && found.message.contains("(ids of the keys: old)"),
            "{found:?}"
        );
    }
}

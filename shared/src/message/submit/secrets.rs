//! Secrets in what people and programs send: known by the names of their fields, and covered wherever they would be
//! seen.

use serde_json::{Map, Value};

/// Fields whose names end so are secrets.
const SECRET_FIELDS: [&str; 6] = ["token", "jwt", "password", "secret", "apikey", "authorization"];

/// What stands in the place of a secret that was not kept.
pub const SECRET_MASK: &str = "(secret, not kept)";

/// What stands there while the secret is kept, encrypted, for the callback.
pub const SECRET_KEPT: &str = "(secret, kept encrypted until the callback is delivered)";

/// What is shown in the place of a secret that a plugin needs.
pub const SECRET_HIDDEN: &str = "(secret)";

/// Whether a field of this name holds a secret, however the name is written: `token`, `rest_token`, `accessToken`.
fn is_secret(name: &str) -> bool {
    let letters = name.chars().filter(|letter| !matches!(letter, '_' | '-'));
    let name: String = letters.flat_map(char::to_lowercase).collect();
    SECRET_FIELDS.iter().any(|secret| name.ends_with(secret))
}

/// Puts a mask in the place of every secret that stands in a document under one of their names.
pub fn mask_secrets(value: &mut Value, mask: &str) {
    match value {
        Value::Object(map) => mask_fields(map, mask),
        Value::Array(values) => values.iter_mut().for_each(|value| mask_secrets(value, mask)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The same for the fields of an object.
pub fn mask_fields(map: &mut Map<String, Value>, mask: &str) {
    for (name, value) in map.iter_mut() {
        if is_secret(name) {
            *value = Value::from(mask);
        } else {
            mask_secrets(value, mask);
        }
    }
}

/// An address as it may be shown: without the values of those parameters of its query that are secrets by their names,
/// and without a password.
pub fn mask_address(address: &str) -> String {
    let (before, fragment) = address.split_once('#').unwrap_or((address, ""));
    let (place, query) = before.split_once('?').unwrap_or((before, ""));
    let parameter = |parameter: &str| match parameter.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}={SECRET_HIDDEN}"),
        _ => parameter.to_owned(),
    };
    let query: Vec<String> = query.split('&').map(parameter).collect();
    let mut shown = without_password(place);
    for (sign, part) in [('?', query.join("&").as_str()), ('#', fragment)] {
        if !part.is_empty() {
            shown.push(sign);
            shown.push_str(part);
        }
    }
    shown
}

/// `https://user:password@host/` without what stands between the colon and the host.
fn without_password(place: &str) -> String {
    let Some((scheme, rest)) = place.split_once("://") else {
        return place.to_owned();
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}:{SECRET_HIDDEN}@{host}{path}")
        }
        None => place.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_covered_at_any_depth_and_nothing_else_is() {
        let mut document = json!({"language": "deu", "restToken": "geheim", "login": {"API_KEY": 7, "name": "anna"},
            "servers": [{"password": ["geheim"]}], "tokens": 3});
        mask_secrets(&mut document, SECRET_HIDDEN);
        assert_eq!(
            document,
            json!({"language": "deu", "restToken": "(secret)", "login": {"API_KEY": "(secret)", "name": "anna"},
                "servers": [{"password": "(secret)"}], "tokens": 3})
        );
    }

    #[test]
    fn an_address_is_shown_without_its_secrets() {
        for (address, shown) in [
            (
                "https://kitodo.example/hook?step=7",
                "https://kitodo.example/hook?step=7",
            ),
            (
                "https://kitodo.example/hook?token=geheim&step=7#end",
                "https://kitodo.example/hook?token=(secret)&step=7#end",
            ),
            (
                "https://anna:geheim@kitodo.example/?a",
                "https://anna:(secret)@kitodo.example/?a",
            ),
            ("no address at all", "no address at all"),
        ] {
            assert_eq!(mask_address(address), shown);
        }
    }
}

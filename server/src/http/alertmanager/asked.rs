use std::collections::BTreeMap;

use axum::extract::{FromRequestParts, RawQuery};
use axum::http::request::Parts;
use ops_alerts::routing::{Matchers, Routing, parse_matcher};
use ops_contract::Matcher;
use url::form_urlencoded;

use super::fault::Fault;

/// Most parameters of a question.
const MOST: usize = 1_000;

/// The parameters of a question.
pub(super) struct Asked {
    /// Of alerts' labels, or silences' matchers.
    pub(super) filter: Matchers,
    receiver: Option<Matchers>,
    receiver_labels: Matchers,
    flags: Vec<(String, bool)>,
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let RawQuery(query) = RawQuery::from_request_parts(parts, state)
            .await
            .map_err(|_| Fault::Bad("the address cannot be read".to_owned()))?;
        Self::read(query.as_deref().unwrap_or_default()).map_err(Fault::Bad)
    }
}

impl Asked {
    fn read(query: &str) -> Result<Self, String> {
        let (mut filter, mut receiver_labels, mut receiver) = (Vec::new(), Vec::new(), None);
        let mut flags = Vec::new();
        let matcher = |name: &str, text: &str| {
            parse_matcher(text).map_err(|error| format!("failed to parse {name} param: {error}"))
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()).take(MOST) {
            match name.as_ref() {
                "filter" => filter.push(matcher(&name, &value)?),
                "receiver_matchers" => receiver_labels.push(matcher(&name, &value)?),
                "receiver" => {
                    let (name, value) = (name.into_owned(), value.into_owned());
                    let one = Matcher { name, value, is_regex: true, is_equal: true };
                    receiver = Some(compile("receiver", vec![one])?);
                }
                "active" | "silenced" | "inhibited" | "unprocessed" | "muted" | "expired" | "pending" => {
                    let flag = match value.as_ref() {
                        "true" | "1" => true,
                        "false" | "0" => false,
                        _ => return Err(format!("{name} must be true or false")),
                    };
                    flags.push((name.into_owned(), flag));
                }
                _ => {}
            }
        }
        Ok(Self {
            filter: compile("filter", filter)?,
            receiver,
            receiver_labels: compile("receiver_matchers", receiver_labels)?,
            flags,
        })
    }

    /// Whether what is so is wanted: it is unless it is said otherwise.
    pub(super) fn wants(&self, name: &str) -> bool {
        self.flags.iter().rev().find(|(it, _)| it == name).is_none_or(|(_, flag)| *flag)
    }

    /// Whether a receiver is among those that are asked for.
    pub(super) fn wants_receiver(&self, name: &str, routing: &Routing) -> bool {
        let named = BTreeMap::from([("receiver".to_owned(), name.to_owned())]);
        self.receiver.as_ref().is_none_or(|it| it.matches(&named))
            && (self.receiver_labels.is_empty()
                || routing.receiver(name).is_some_and(|it| self.receiver_labels.matches(&it.labels)))
    }
}

fn compile(name: &str, matchers: Vec<Matcher>) -> Result<Matchers, String> {
    Matchers::compile(matchers).map_err(|error| format!("failed to parse {name} param: {error}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_and_rubbish_is_refused() {
        let asked = Asked::read("filter=a%3Db&filter=c%3D~%22d|e%22&receiver=log.*&silenced=false").unwrap();
        assert_eq!(asked.filter.to_string(), "{a=\"b\",c=~\"d|e\"}");
        assert!(!asked.wants("silenced") && asked.wants("active"));
        let routing = Routing::default_for("logs");
        assert!(asked.wants_receiver("logs", &routing) && !asked.wants_receiver("blog", &routing));
        for query in ["filter=", "filter==", "receiver=(", "active=maybe", "receiver_matchers=%00"] {
            assert!(Asked::read(query).is_err(), "{query}");
        }
    }
}

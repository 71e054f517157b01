//! Which entries of the audit log are asked for: the form, and the addresses that keep what it says.

use leptos::prelude::*;
use ops_contract::AuditFilter;

use super::written::plain;
use crate::words;

/// As the texts of an entry are limited.
const LONGEST: &str = "1024";
/// The outcomes that can be asked for, and as they are read.
const OUTCOMES: [(&str, &str); 4] =
    [("", "any outcome"), ("allowed", "allowed"), ("denied", "denied"), ("failed", "failed")];

/// Whether all entries are asked for.
pub(crate) fn is_empty(filter: &AuditFilter) -> bool {
    *filter == AuditFilter::default()
}

/// The address of the entries that the filter lets through, from the number on that `below` names.
pub(crate) fn path(filter: &AuditFilter, below: Option<u64>) -> String {
    let below = below.map(|it| it.to_string()).unwrap_or_default();
    let parts: Vec<String> = [
        ("actor", &filter.actor),
        ("action", &filter.action),
        ("subject", &filter.subject),
        ("outcome", &filter.outcome),
        ("below", &below),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(name, value)| format!("{name}={}", words::query_value(value)))
    .collect();
    if parts.is_empty() { "/audit".to_owned() } else { format!("/audit?{}", parts.join("&")) }
}

/// The address of one entry, among those beside it.
pub(crate) fn entry(seq: u64) -> String {
    format!("/audit?below={}#e{seq}", seq.saturating_add(1))
}

/// The form. It is a plain question: the answer has an address that can be sent to somebody.
pub(crate) fn form(filter: &AuditFilter) -> impl IntoView + use<> {
    let chosen = filter.outcome.clone();
    let known = OUTCOMES.iter().any(|(value, _)| *value == chosen);
    let other = (!known).then(|| {
        let name = plain(&chosen);
        view! { <option value=chosen.clone() selected=true>{name}</option> }
    });
    let outcomes: Vec<_> = OUTCOMES
        .into_iter()
        .map(|(value, name)| view! { <option value=value selected=value == chosen>{name}</option> })
        .collect();
    let all = (!is_empty(filter)).then(|| view! { <a href="/audit">"All entries"</a> });
    view! {
        <form class="filter" method="get" action="/audit" role="search" aria-label="Entries">
            {field("actor", "Who", "ann", &filter.actor)}
            {field("action", "Did what", "secret.read, or secret", &filter.action)}
            {field("subject", "To what", "jwt_key", &filter.subject)}
            <div>
                <label for="outcome">"Outcome"</label>
                <select id="outcome" name="outcome">{outcomes} {other}</select>
            </div>
            <div class="go"><button>"Show"</button> {all}</div>
        </form>
    }
}

fn field(
    name: &'static str,
    label: &'static str,
    example: &'static str,
    value: &str,
) -> impl IntoView + use<> {
    view! {
        <div>
            <label for=name>{label}</label>
            <input id=name name=name type="text" value=value.to_owned() placeholder=example maxlength=LONGEST
                autocomplete="off" autocapitalize="off" spellcheck="false"/>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_the_filter_and_only_what_it_says() {
        let filter =
            AuditFilter { actor: "ann & bob".into(), outcome: "denied".into(), ..Default::default() };
        assert_eq!(path(&filter, Some(17)), "/audit?actor=ann%20%26%20bob&outcome=denied&below=17");
        assert_eq!(path(&filter, None), "/audit?actor=ann%20%26%20bob&outcome=denied");
        assert_eq!(path(&AuditFilter::default(), None), "/audit");
        assert_eq!(entry(17), "/audit?below=18#e17");
        assert_eq!(entry(u64::MAX), "/audit?below=18446744073709551615#e18446744073709551615");
    }
}

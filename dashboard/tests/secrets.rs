//! `/secrets` answers which secret must be renewed, and by whom.
#![cfg(feature = "ssr")]

mod sample;

use std::time::Duration;

use ops_contract::{SecretState, SecretView, SecretsView};
use ops_dashboard::secrets_page;
use sample::page::{holds, is_tame, row};
use sample::{NOW, ago, secrets};

fn of(states: &[SecretState]) -> SecretsView {
    let secrets = states.iter().enumerate().map(|(index, it)| secrets::in_state(&format!("s{index}"), *it));
    secrets::of(secrets.collect())
}

#[test]
fn which_secret_must_be_renewed_by_whom_is_the_answer_and_everything_about_it_is_there() {
    let page = secrets_page(&secrets::troubled(), "n0nce");
    holds(
        &page,
        &[
            "overdue: 1 secret is overdue, 1 was renewed to the same value, 1 is stuck half renewed, 1 has a stale consumer, \
             1 is unknown, 1 is due soon · it falls to platform team, ann · nobody is named for 1",
            "· 2 are to be renewed because somebody left · 1 read waits for a second admin",
            "✕ overdue root_password database · encrypted file · a read takes two admins carol left 5 days ago",
            "platform team 0 94 d ago · 2026-07-13 12:00:00 UTC shown by version 4 in Vault",
            "4 d ago · 2026-10-11 12:00:00 UTC every 90 d, and when a reader leaves",
            "ann carol",
            "▲ same value postgres_app_password",
            "▲ stuck jwt_key",
            "▲ stale worker read 94 d ago ▲ stale billing never read api read 24 h ago",
            "◇ unknown stripe_key third party · vault secret/stripe_key#key nothing shows when it was renewed last \
             nobody is named 1 not known nothing shows it no date no rule is set nobody is named nobody",
            "◔ due soon smtp_password",
            "in 12 d · 2026-10-27 12:00:00 UTC",
            "● ok s3_key",
        ],
    );
    assert!(
        page.contains("href=\"/audit?action=secret&amp;subject=root_password\""),
        "who read it is one step away"
    );
    assert!(page.contains("aria-current=\"page\">Secrets</a>") && page.contains("href=\"/audit\">Audit</a>"));
}

#[test]
fn reads_that_wait_can_be_approved_and_nothing_else() {
    let page = secrets_page(&secrets::troubled(), "n0nce");
    holds(
        &page,
        &[
            "bob wants to read root_password ◔ waits 4 min ago · 11:56:00 UTC Why: ticket 812: the primary does not",
            "It can be approved and read until 12:11:00 UTC (in 11 min). Approve that bob reads root_password",
            "✓ approved 4 min ago · 11:56:00 UTC Why: ticket 812: the primary does not take a login ann has approved it.",
            "‖ expired",
            "It was good until 11:59:59 UTC.",
        ],
    );
    let actions: Vec<_> =
        page.split("method=\"post\" action=\"").skip(1).map(|it| it.split('"').next().unwrap()).collect();
    assert_eq!(actions, ["/logout", "/secrets/requests/r1/approve"]);
    assert!(!page.contains("http-equiv"), "another request could come under a finger");
}

#[test]
fn a_departure_is_a_work_list_that_shows_what_is_closed() {
    let page = secrets_page(&secrets::troubled(), "n0nce");
    holds(
        &page,
        &[
            "carol left ▲ open 1 of 3 renewed 5 d ago",
            "▲ to be renewed root_password · tier 0 · read on 3 May (audit entry 812)",
            "● renewed stripe_key · tier 1 · read on 3 May (audit entry 812) · 24 h ago · 2026-10-14 12:00:00 UTC",
            "dave left ‖ nothing to renew",
        ],
    );
    let mut done = secrets::departure();
    done.work.iter_mut().for_each(|it| it.closed_at = Some(ago(60)));
    let view = SecretsView { departures: vec![done], ..secrets::calm() };
    holds(
        &secrets_page(&view, "n0nce"),
        &["in order: No secret must be renewed", "carol left ● done 3 of 3 renewed"],
    );
}

#[test]
fn all_is_in_order_only_when_every_secret_is_and_nothing_is_open() {
    let well = secrets_page(&secrets::calm(), "n0nce");
    holds(&well, &["in order: No secret must be renewed: all 2 are in order"]);
    assert!(well.contains("class=\"verdict serving\""));
    let departures = vec![secrets::departure()];
    let cases = [
        (secrets::of(vec![]), "no secrets: No secret is known, so none can be watched"),
        (secrets::of(vec![]), "No secrets in the stack file: add [secrets.NAME] for each."),
        (
            SecretsView { departures, ..secrets::calm() },
            "open: No secret is overdue by its age · 2 are to be renewed",
        ),
        (
            SecretsView { requests: vec![secrets::request("r")], ..secrets::calm() },
            "waiting: No secret must be renewed: all 2 are in order · 1 read waits for a second admin",
        ),
        (
            of(&[SecretState::Overdue, SecretState::Overdue, SecretState::Unknown]),
            "2 secrets are overdue, 1 is unknown · it falls to ann",
        ),
        (
            secrets::of(vec![SecretView { owner: None, ..secrets::in_state("x", SecretState::Overdue) }]),
            "1 secret is overdue · nobody is named who answers for it",
        ),
    ];
    for (view, words) in cases {
        let page = secrets_page(&view, "n0nce");
        holds(&page, &[words]);
        assert!(!page.contains("class=\"verdict serving\""), "{words}");
    }
    let over = secrets::request("r");
    let over =
        SecretsView { requests: vec![ops_contract::SecretRequest { until: NOW, ..over }], ..secrets::calm() };
    assert!(
        secrets_page(&over, "n0nce").contains("class=\"verdict serving\""),
        "nothing can be done about it"
    );
}

#[test]
fn no_state_but_ok_looks_good_and_each_has_a_word() {
    let words = ["overdue", "same value", "stuck", "stale consumer", "unknown", "due soon", "ok"];
    for (state, word) in secrets::STATES.into_iter().zip(words) {
        let page = secrets_page(&of(&[state]), "n0nce");
        let good = state == SecretState::Ok;
        let row = row(&page, "why it is");
        assert!(row.contains(&format!("</span>{word}</span>")), "{state:?}: {row}");
        assert_eq!(row.contains('●') || row.contains("serving"), good, "{state:?}");
        assert_eq!(page.contains("class=\"verdict serving\""), good, "{state:?}");
        assert_eq!(page.contains('●'), good, "{state:?}");
    }
}

#[test]
fn a_canary_is_not_told_apart_from_other_secrets() {
    // Whoever sees the page must not learn which one is the trap: its row is the row of any other.
    let names = ["payments_root_key", "jwt_key"];
    let page = secrets_page(&secrets::of(names.map(secrets::secret).into()), "n0nce");
    let rows = names.map(|name| row(&page, &format!("<bdi>{name}</bdi>")).replace(name, "NAME"));
    assert_eq!(rows[0], rows[1]);
    assert!(!page.to_lowercase().contains("canary") && !page.to_lowercase().contains("trap"));
}

#[test]
fn what_others_wrote_is_text() {
    let page = secrets_page(&secrets::hostile(), "n0nce");
    is_tame(&page);
    holds(&page, &["and 28 more", "\u{fffd}bob wants to read", &format!("{}…", "o".repeat(60))]);
    assert!(page.contains("/secrets/requests/..%2F..%2Fx%3Fy%3D%22%27%3Cscript%3E/approve\""));
}

#[test]
fn odd_times_are_told_too() {
    let mut view = secrets::calm();
    view.secrets[0].due_at = Some(NOW + Duration::from_secs(1));
    view.secrets[1].due_at = Some(NOW);
    holds(&secrets_page(&view, "n0nce"), &["in 1 s · 12:00:01 UTC", "just now · 12:00:00 UTC"]);
    view.at = ops_contract::Timestamp(i64::MIN);
    holds(&secrets_page(&view, "n0nce"), &["at no time"]);
}

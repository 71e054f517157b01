//! `/audit` answers who read what, and whether the record can be trusted.
#![cfg(feature = "ssr")]

mod sample;

use ops_contract::{AuditFilter, AuditVerified, AuditView, Finding, FindingSeverity};
use ops_dashboard::audit_page;
use sample::page::{holds, is_tame};
use sample::{ago, audit};

#[test]
fn the_record_is_trusted_only_when_both_answers_are_good_and_fresh() {
    let page = audit_page(&audit::calm(), "n0nce");
    holds(
        &page,
        &[
            "trusted: The record is intact and complete; not covered: the last 42 s (verified 3 h ago)",
            "is it what was written? ● intact is all of it there? ● complete not covered outside the last 42 s",
            "entries 1,205 signed the first 1,204, 20 s ago: 1 waits",
            "signed with the key insightdesk.example/audit+1a2b3c4d log",
            "● written s3://bucket/anchors 3 min ago · 11:57:00 UTC · 1 entry is newer",
            "Nothing unusual or unauthorised was found.",
        ],
    );
    assert!(page.contains("class=\"verdict serving\"") && !page.contains("AVeryLongPublicKey"));
    assert!(!page.contains("http-equiv"), "each look is an entry");
    let with = |verified: Option<AuditVerified>| {
        let mut view = audit::calm();
        view.state.verified = verified;
        view
    };
    let said = |integrity, completeness| with(Some(audit::verified(integrity, completeness)));
    let mut closed = audit::calm();
    closed.state.fault = Some("the disk is full".into());
    let mut unwritten = audit::calm();
    unwritten.state.anchors[0].error = Some("AccessDenied".into());
    let found = vec![audit::finding("R6", FindingSeverity::Critical)];
    let old = AuditVerified { at: ago(200_000), ..audit::verified("intact", "complete") };
    let bare = AuditVerified { not_covered_s: None, ..audit::verified("intact", "unknown") };
    let fault =
        AuditVerified { fault: Some("entry 3 was changed".into()), ..audit::verified("broken", "complete") };
    let cases = [
        (
            audit::empty(),
            "unknown",
            "not verified: It is not known whether the record can be trusted: it was not verified",
        ),
        (
            with(Some(old)),
            "unknown",
            "too long ago: It is not known whether the record can be trusted: it was last verified 2 d ago",
        ),
        (
            with(Some(bare)),
            "unknown",
            "unproven: The record is intact, but whether all of it is there is unknown; not covered: all of it",
        ),
        (
            said("unproven", "complete"),
            "unknown",
            "The record is complete, but that nobody changed it is unproven; not covered: the last 42 s",
        ),
        (said("unproven", "unknown"), "unknown", "Nothing is proven of the record"),
        (
            said("fine", "Complete"),
            "unknown",
            "is it what was written? ◇ unknown is all of it there? ◇ unknown",
        ),
        (
            with(Some(fault)),
            "down",
            "broken: The record cannot be trusted: it is not what was written: entry 3 was changed",
        ),
        (
            said("intact", "broken"),
            "down",
            "broken: The record cannot be trusted: not all that was written is there",
        ),
        (
            closed,
            "down",
            "takes no entries: The record takes no entries now, so no secret is handed out: the disk is full",
        ),
        (
            unwritten,
            "degraded",
            "anchor failed: The record is intact and complete; not covered: the last 42 s (verified 3 h ago) · 1 of 1 place outside",
        ),
        (
            AuditView { findings: found, ..audit::calm() },
            "degraded",
            "findings: The record is intact and complete; not covered: the last 42 s (verified 3 h ago) · 1 critical finding within a day",
        ),
    ];
    for (view, class, words) in cases {
        let page = audit_page(&view, "n0nce");
        holds(&page, &[words]);
        assert!(page.contains(&format!("class=\"verdict {class}\"")), "{words}");
    }
}

#[test]
fn findings_show_how_bad_they_are_and_lead_to_their_entries() {
    let page = audit_page(&audit::eventful(), "n0nce");
    holds(
        &page,
        &[
            "✕ critical R6 · refusals ann · jwt_key 10 min ago · 11:50:00 UTC ann read 9 different secrets",
            "▲ warning R3 · many secrets",
            "i info R1 · first read",
            "Shown, not told: what is usual for them is still being learnt.",
            "▲ failed s3://other/anchors",
            "the bucket refused: AccessDenied",
            "◇ nothing yet file:///mnt/other/anchors no state of the log was laid down there",
        ],
    );
    assert!(page.contains("href=\"#e1200\"") && page.contains("id=\"e1200\""), "it is on the page");
    assert!(page.contains("href=\"/audit?below=18#e17\""), "it is not on the page");
    assert!(page.contains("class=\"service learning\"") && page.contains("class=\"state unknown\""));
    let old = Finding { at: ago(90_000), ..audit::finding("R6", FindingSeverity::Critical) };
    let learning = Finding { learning: true, ..audit::finding("R6", FindingSeverity::Critical) };
    let view = AuditView { findings: vec![old, learning], ..audit::calm() };
    let page = audit_page(&view, "n0nce");
    assert!(
        page.contains("class=\"verdict serving\""),
        "what is old or being learnt does not change the answer"
    );
}

#[test]
fn an_entry_says_who_did_what_to_what_why_and_how_it_ended() {
    let page = audit_page(&audit::eventful(), "n0nce");
    holds(
        &page,
        &[
            "1204 96 s ago · 11:58:24 UTC ◉ ann person from 203.0.113.7 secret.read jwt_key ticket 812 ✓ allowed",
            "2 details of entry 1204 by ann role admin version 4",
            "▣ worker service",
            "◈ local agent from 203.0.113.7 secret.read jwt_key not said ▲ failed",
            "◎ control plane control plane secret.read",
            "◌ approle-billing-of-the-other-department external from 203.0.113.7 , told by bao_main secret.read jwt_key \
             ticket 812 ✕ denied",
        ],
    );
    assert!(
        page.contains("<tr id=\"e1200\" class=\"down\">")
            && page.contains("<tr id=\"e1204\" class=\"plain\">")
    );
}

#[test]
fn a_filter_is_a_question_whose_address_leads_on() {
    let page = audit_page(&audit::filtered(), "n0nce");
    assert!(page.contains("method=\"get\" action=\"/audit\""));
    assert!(page.contains("value=\"ann &amp; bob\"") && page.contains("<option value=\"denied\" selected>"));
    assert!(page.contains("href=\"/audit?actor=ann%20%26%20bob&amp;outcome=denied&amp;below=1195\""));
    assert!(page.contains("href=\"/audit\">All entries"));
    for name in ["actor", "action", "subject", "outcome"] {
        assert!(
            page.contains(&format!("for=\"{name}\""))
                && page.contains(&format!("id=\"{name}\" name=\"{name}\""))
        );
    }
    let end = AuditView { next: None, ..audit::filtered() };
    assert!(!audit_page(&end, "n0nce").contains("Older entries"));
    let past = AuditView { entries: vec![audit::entry(17)], ..audit::calm() };
    holds(&audit_page(&past, "n0nce"), &["The newest entries"]);
    assert!(!audit_page(&audit::calm(), "n0nce").contains("The newest entries"));
    let odd = AuditFilter { outcome: "maybe".into(), ..Default::default() };
    let odd = audit_page(&AuditView { filter: odd, ..audit::calm() }, "n0nce");
    assert!(odd.contains("<option value=\"maybe\" selected>maybe</option>"), "as it was written");
}

#[test]
fn where_there_is_nothing_the_page_says_what_to_do() {
    holds(
        &audit_page(&audit::empty(), "n0nce"),
        &[
            "signed nothing yet",
            "◇ none Nothing outside this machine could show that the newest entries were cut off: add [audit.anchors.NAME]",
            "Nothing is recorded yet. The first read of a secret will be: insightdesk secrets read NAME --reason …",
        ],
    );
    let none = AuditView { entries: vec![], next: None, ..audit::filtered() };
    holds(&audit_page(&none, "n0nce"), &["No entry fits.", "All entries"]);
    let end = AuditView { entries: vec![], next: None, ..audit::calm() };
    holds(&audit_page(&end, "n0nce"), &["There are no older entries. The newest entries"]);
}

#[test]
fn what_others_wrote_is_text() {
    let page = audit_page(&audit::hostile(), "n0nce");
    is_tame(&page);
    holds(&page, &["and 480 more", "1204", &u64::MAX.to_string()]);
}

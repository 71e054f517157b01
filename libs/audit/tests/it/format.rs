//! The formats, written down: computed by hand from their description, so that no later version reads or writes
//! another one by accident.

use ops_audit::chain::{self, Head};
use ops_audit::checkpoint::Cadence;
use ops_audit::entry::EntryError;

use crate::log::*;

#[test]
fn hashes_links_and_root_of_a_log_are_these() {
    let mut log = Log::new();
    assert_eq!(chain::genesis(ORIGIN).to_string(), "zKzX9956tjeGeBVjxp3+t3II5fcZgRUXqx1UqI9HSzg=");
    log.entries(3);
    let rows: Vec<(String, String)> =
        log.lines.iter().filter_map(row_of).map(|row| (row.leaf.to_string(), row.link.to_string())).collect();
    let expected = [
        ("eQmrlHQ6hStr+lcZFxs84EpJxFpe4R29IJK9b68NSnc=", "rtD/7Ue35Jj1LGTcdlrf9ISVMQf8zI0xMLzNCENxBCs="),
        ("NtcXyXx5USkiLVvQRMYkB0NaZunp766NT+0nU98MDvw=", "+jX0SFDHku3MNA2Y70fShr3smGIr+0M/9/rm1yAt5GA="),
        ("jyRQ4COvrJZ8CncETlplZ2YzUc3U/OG3uRoDV7wQ6vM=", "mXFtvKGprNMtHh8NpsB0GW4nM42ypzT23NkNkQMfdCQ="),
    ];
    assert_eq!(rows, expected.map(|(leaf, link)| (leaf.to_owned(), link.to_owned())));
    assert_eq!(
        log.seal().checkpoint.text(),
        "ops.example.com/audit\n3\ndcAhLiB0w7d2PTtYU9kY1Ax0OeCYRdkoysidqgansok=\n\
         time 1700000003000\nhead mXFtvKGprNMtHh8NpsB0GW4nM42ypzT23NkNkQMfdCQ=\n"
    );
}

#[test]
fn an_exported_entry_reads_like_this() {
    let mut log = Log::new();
    log.entries(1);
    assert_eq!(
        log.lines[0].to_string(),
        "{\"seq\":0,\"entry\":{\"seq\":0,\"time_ms\":1700000001000,\"salt\":\"BwcHBwcHBwcHBwcHBwcHBw==\",\
         \"actor\":{\"kind\":\"person\",\"name\":\"alice\",\"via\":\"session-7\"},\"action\":\"secret.read\",\
         \"subject\":\"secret_0\",\"purpose\":\"ticket 4711\",\"outcome\":\"allowed\",\"source\":\"own\",\
         \"details\":{\"version\":\"3\"}},\"leaf\":\"eQmrlHQ6hStr+lcZFxs84EpJxFpe4R29IJK9b68NSnc=\",\
         \"link\":\"rtD/7Ue35Jj1LGTcdlrf9ISVMQf8zI0xMLzNCENxBCs=\"}"
    );
}

#[test]
fn a_head_continues_where_it_was_stored_and_an_entry_that_does_not_fit_leaves_it_alone() {
    let mut log = Log::usual();
    let mut stored: Head = serde_json::from_str(&serde_json::to_string(&log.head).unwrap()).unwrap();
    assert_eq!(stored, log.head);
    let mut bad = draft("secret.read", "x");
    bad.subject = String::new();
    assert_eq!(stored.append(bad, log.now_ms).unwrap_err(), EntryError::Empty { field: "the subject" });
    assert_eq!(stored, log.head);
    let next = stored.append(draft("secret.read", "x"), log.now_ms + 1000).unwrap();
    assert_eq!(log.append(draft("secret.read", "x")), next.entry);
    assert_eq!(stored, log.head);
    for bad in ["", "a b", "a+b", "a\nb"] {
        assert!(Head::new(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn times_never_go_back_even_if_the_clock_does() {
    let mut head = Head::new(ORIGIN).unwrap();
    let first = head.append(draft("secret.read", "x"), 5000).unwrap();
    let second = head.append(draft("secret.read", "x"), 4000).unwrap();
    assert_eq!((first.entry.time_ms, second.entry.time_ms), (5000, 5000));
    assert_eq!(head.checkpoint(7000).time_ms, 7000);
    assert_eq!(head.append(draft("secret.read", "x"), 6000).unwrap().entry.time_ms, 7000);
    assert_eq!(head.checkpoint(1).time_ms, 7000);
}

#[test]
fn a_log_is_sealed_after_so_many_entries_or_so_much_time_also_when_idle() {
    let cadence = Cadence { entries: 100, every_ms: 60_000 };
    let mut log = Log::new();
    assert!(cadence.is_due(None, 0, START_MS), "also the empty log");
    let last = log.seal().checkpoint;
    assert!(!cadence.is_due(Some(&last), 99, START_MS + 59_999));
    assert!(cadence.is_due(Some(&last), 100, START_MS));
    assert!(cadence.is_due(Some(&last), 0, START_MS + 60_000));
    assert!(!cadence.is_due(Some(&last), 0, i64::MIN), "a clock that went back seals nothing");
}

#[test]
fn what_a_finding_quotes_is_short_and_has_no_control_characters() {
    let log = Log::usual();
    let line = format!("{{\"\\u001b[2J{}\":1}}\n", "x".repeat(100_000));
    let verdict = verify_text(line.as_bytes(), log.trust());
    let detail = &verdict.findings[0].detail;
    assert!(detail.len() < 1000 && !detail.chars().any(char::is_control), "{detail}");
}

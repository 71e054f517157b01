use super::*;

/// `event job [prev]` each at the next millisecond.
fn ledger(events: &[&str]) -> Ledger {
    let mut ledger = Ledger::default();
    feed(&mut ledger, events, 100);
    ledger.caught_up();
    ledger
}

fn feed(ledger: &mut Ledger, events: &[&str], most: usize) {
    for (place, event) in events.iter().enumerate() {
        let mut words = event.split(' ').map(str::to_owned);
        let entry = Entry {
            id: format!("{}-0", 1000 + place),
            event: words.next().unwrap_or_default(),
            job: words.next().unwrap_or_default(),
            prev: words.next(),
            delay: None,
        };
        ledger.fold(&entry, most);
    }
}

#[test]
fn a_job_that_fails_and_is_tried_again_arrives_once() {
    let at_once = ledger(&[
        "added 1",
        "waiting 1",
        "active 1 waiting",
        "waiting 1 active",
        "active 1 waiting",
        "completed 1 active",
    ]);
    let later = ledger(&[
        "added 1",
        "waiting 1",
        "active 1 waiting",
        "delayed 1",
        "waiting 1 delayed",
        "active 1 waiting",
        "completed 1 active",
    ]);
    let expected = Totals { arrivals: 1, started: 2, completed: 1, retries: 1, ..Totals::default() };
    assert_eq!((at_once.totals, later.totals), (expected, expected));
}

#[test]
fn a_delayed_job_arrives_when_it_may_be_taken_however_often_it_was_put_off() {
    let waiting = ledger(&["added 1", "delayed 1", "delayed 1"]);
    assert_eq!(waiting.totals, Totals::default());
    let due = ledger(&["added 1", "delayed 1", "delayed 1", "waiting 1 delayed"]);
    assert_eq!(due.totals, Totals { arrivals: 1, ..Totals::default() });
}

#[test]
fn a_parent_arrives_after_its_children_and_not_again_when_it_waits_for_more_of_them() {
    let parent = ledger(&[
        "added p",
        "waiting-children p",
        "waiting p waiting-children",
        "active p waiting",
        "waiting-children p active",
        "waiting p waiting-children",
    ]);
    assert_eq!(parent.totals, Totals { arrivals: 1, started: 1, ..Totals::default() });
}

#[test]
fn a_stalled_job_is_no_retry_even_when_its_two_events_are_read_apart() {
    let mut ledger = Ledger::default();
    feed(&mut ledger, &["waiting 1", "active 1 waiting", "waiting 1 active"], 100);
    feed(&mut ledger, &["stalled 1", "waiting 2 active"], 100);
    assert_eq!((ledger.totals.stalled, ledger.totals.retries), (1, 0));
    ledger.caught_up();
    assert_eq!((ledger.totals.stalled, ledger.totals.retries), (1, 1));
}

#[test]
fn a_job_that_ran_before_the_watch_began_comes_back_as_a_retry() {
    let mut ledger = Ledger::default();
    ledger.begin_anew(["1".to_owned()]);
    feed(&mut ledger, &["delayed 1", "waiting 1 delayed"], 100);
    assert_eq!(ledger.totals, Totals { retries: 1, ..Totals::default() });
}

#[test]
fn memory_is_bounded_and_says_so_when_it_could_make_a_count_wrong() {
    let mut ledger = Ledger::default();
    feed(&mut ledger, &["waiting 1", "waiting 2", "waiting 3"], 2);
    assert_eq!((ledger.waiting.len(), ledger.overflowed), (2, false));
    feed(&mut ledger, &["active 1 waiting", "active 2 waiting", "active 3 waiting"], 2);
    assert_eq!((ledger.running.len(), ledger.overflowed), (2, true));
    ledger.tidy(0, 0, 0, 2);
    assert!(ledger.waiting.is_empty() && ledger.running.is_empty());
}

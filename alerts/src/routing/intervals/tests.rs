#![allow(clippy::unwrap_used)]

use ops_contract::Timestamp;

use crate::routing::{Routing, TimeInterval};

/// One interval from the lines of its only span.
fn interval(lines: &str) -> TimeInterval {
    let spans = lines.lines().map(|line| format!("    {line}\n")).collect::<String>();
    let text = format!(
        "route: {{receiver: r}}\nreceivers: [{{name: r}}]\ntime_intervals:\n- name: i\n  time_intervals:\n  -\n{spans}"
    );
    let loaded =
        Routing::load("test.yml", &text, &|_| None).unwrap_or_else(|faults| panic!("{lines}: {faults:?}"));
    loaded.routing.intervals.get("i").unwrap().clone()
}

fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
}

#[track_caller]
fn check(lines: &str, inside: &[&str], outside: &[&str]) {
    let interval = interval(lines);
    for time in inside {
        assert!(interval.contains(at(time)), "{time} is in {lines}");
    }
    for time in outside {
        assert!(!interval.contains(at(time)), "{time} is not in {lines}");
    }
}

#[test]
fn times_hold_from_their_first_minute_to_before_their_last() {
    check(
        "times: [{start_time: '17:00', end_time: '24:00'}]",
        &["2030-01-01T17:00:00Z", "2030-01-01T23:59:59.999999Z"],
        &["2030-01-01T16:59:59.999999Z", "2030-01-02T00:00:00Z"],
    );
    check(
        "times: [{start_time: 09:00, end_time: 12:00}, {start_time: 13:00, end_time: 17:00}]",
        &["2030-01-01T09:00:00Z", "2030-01-01T16:59:00Z"],
        &["2030-01-01T12:30:00Z", "2030-01-01T17:00:00Z"],
    );
    // As in Alertmanager: a list that is there and empty holds for nothing.
    check("times: []", &[], &["2030-01-01T09:00:00Z"]);
    check("times:", &["2030-01-01T09:00:00Z"], &[]);
}

#[test]
fn weekdays_months_and_years_are_ranges_with_both_ends() {
    // 2030-01-07 is a Monday.
    check(
        "weekdays: ['monday:wednesday', 'Saturday', 'sunday']",
        &["2030-01-07T00:00:00Z", "2030-01-09T23:59:00Z", "2030-01-12T12:00:00Z", "2030-01-13T12:00:00Z"],
        &["2030-01-10T12:00:00Z", "2030-01-11T12:00:00Z"],
    );
    check(
        "months: ['1:3', 'may:august', 'december']",
        &["2030-03-31T12:00:00Z", "2030-05-01T00:00:00Z", "2030-08-31T23:00:00Z", "2030-12-01T00:00:00Z"],
        &["2030-04-01T00:00:00Z", "2030-09-01T00:00:00Z"],
    );
    check(
        "years: ['2020:2022', 2030]",
        &["2020-01-01T00:00:00Z", "2022-12-31T23:59:59Z", "2030-06-01T00:00:00Z"],
        &["2023-01-01T00:00:00Z", "2031-01-01T00:00:00Z"],
    );
}

#[test]
fn days_of_the_month_count_from_both_ends_and_are_cut_by_the_month() {
    check(
        "days_of_month: ['1:5', '-3:-1']",
        &["2030-01-05T12:00:00Z", "2030-01-29T12:00:00Z", "2030-02-26T12:00:00Z", "2028-02-27T12:00:00Z"],
        &["2030-01-06T12:00:00Z", "2030-01-28T12:00:00Z", "2030-02-25T12:00:00Z", "2028-02-26T12:00:00Z"],
    );
    check("days_of_month: ['1:31']", &["2030-02-28T12:00:00Z", "2028-02-29T12:00:00Z"], &[]);
    check(
        "days_of_month: ['30:31']",
        &["2030-01-30T12:00:00Z"],
        &["2030-02-28T12:00:00Z", "2030-01-29T12:00:00Z"],
    );
    check(
        "days_of_month: ['-31:-30']",
        &["2030-01-01T12:00:00Z"],
        &["2030-02-01T12:00:00Z", "2030-01-03T12:00:00Z"],
    );
    check("days_of_month: [-1]", &["2030-04-30T12:00:00Z"], &["2030-04-29T12:00:00Z"]);
}

#[test]
fn places_have_their_own_time_over_its_changes_too() {
    let office = "times: [{start_time: 09:00, end_time: 17:00}]\nweekdays: ['monday:friday']\nlocation: Australia/Sydney";
    // Sydney is 11 hours ahead in January: Sunday evening in London is Monday morning there.
    check(
        office,
        &["2030-01-06T22:00:00Z", "2030-01-11T05:59:00Z"],
        &["2030-01-06T21:59:00Z", "2030-01-11T06:00:00Z", "2030-01-11T22:30:00Z"],
    );
    // Berlin goes from two to three o'clock on 2030-03-31, and from three back to two on 2030-10-27.
    let night = "times: [{start_time: 02:00, end_time: 03:00}]\nlocation: Europe/Berlin";
    check(
        night,
        &["2030-03-30T01:30:00Z", "2030-10-27T00:30:00Z", "2030-10-27T01:30:00Z"],
        &["2030-03-31T00:59:00Z", "2030-03-31T01:00:00Z", "2030-10-26T23:59:00Z", "2030-10-27T02:00:00Z"],
    );
    check("location: Local", &["2030-01-01T00:00:00Z"], &[]);
}

#[test]
fn all_conditions_of_a_span_hold_and_any_of_the_spans() {
    check(
        "times: [{start_time: 00:00, end_time: 01:00}]\ndays_of_month: [1]\nmonths: [january]\nyears: [2030]",
        &["2030-01-01T00:30:00Z"],
        &["2030-01-01T01:30:00Z", "2030-01-02T00:30:00Z", "2030-02-01T00:30:00Z", "2031-01-01T00:30:00Z"],
    );
    let mut both = interval("weekdays: [monday]");
    both.spans.extend(interval("weekdays: [friday]").spans);
    let days = (7..14).filter(|day| both.contains(at(&format!("2030-01-{day:02}T12:00:00Z"))));
    assert_eq!(days.collect::<Vec<_>>(), [7, 11]);
    assert!(!both.contains(Timestamp(i64::MAX)), "what is no time lies in nothing");
}

#[test]
fn every_wrong_value_is_told_with_its_place() {
    for (line, place, problem) in [
        (
            "times: [{start_time: '9:00', end_time: '10:00'}]",
            "times[0]",
            "start_time: \"9:00\" is not a time of the day",
        ),
        ("times: [{start_time: '10:00'}]", "times[0]", "end_time: \"\" is not a time of the day"),
        (
            "times: [{start_time: '10:00', end_time: '24:01'}]",
            "times[0]",
            "end_time: \"24:01\" is not a time of the day",
        ),
        (
            "times: [{start_time: '10:00', end_time: '10:00'}]",
            "times[0]",
            "start_time is not before end_time",
        ),
        ("weekdays: [friyay]", "weekdays[0]", "\"friyay\" cannot be read"),
        ("weekdays: ['friday:monday']", "weekdays[0]", "\"friday:monday\" ends before it begins"),
        ("days_of_month: [0]", "days_of_month[0]", "\"0\" cannot be read"),
        ("days_of_month: ['-1:5']", "days_of_month[0]", "\"-1:5\" ends before it begins"),
        ("days_of_month: ['5:-30']", "days_of_month[0]", "\"5:-30\" ends before it begins"),
        ("months: ['13']", "months[0]", "\"13\" cannot be read"),
        ("months: ['may:april']", "months[0]", "\"may:april\" ends before it begins"),
        ("years: ['2030:2020']", "years[0]", "\"2030:2020\" ends before it begins"),
        ("location: Europe/Bielefeld", "location", "there is no time zone \"Europe/Bielefeld\""),
        ("hours: []", "", "the key \"hours\" is not known"),
    ] {
        let text = format!(
            "route: {{receiver: r}}\nreceivers: [{{name: r}}]\ntime_intervals:\n- name: i\n  time_intervals:\n  - {line}\n"
        );
        let faults = Routing::load("t.yml", &text, &|_| None).unwrap_err();
        let place = format!("time_intervals[0].time_intervals[0].{place}");
        let told: Vec<_> =
            faults.iter().map(|it| (it.line, it.place.as_str(), it.problem.as_str())).collect();
        assert_eq!(told, [(Some(6), place.trim_end_matches('.'), problem)], "{line}");
        assert!(!faults[0].fix.is_empty(), "{line}");
    }
}

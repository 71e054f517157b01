#![allow(clippy::unwrap_used)]

use super::*;
use crate::oncall::{LayerSettings, RestrictionSettings};

fn at(text: &str) -> Timestamp {
    timestamp(text.parse().unwrap())
}

fn layer(people: &[&str], start: &str, rotation: &str, handover: &str) -> LayerSettings {
    LayerSettings {
        people: people.iter().map(|it| (*it).to_owned()).collect(),
        start: start.into(),
        rotation: rotation.into(),
        handover: handover.into(),
        restrictions: Vec::new(),
    }
}

fn restriction(weekdays: &[&str], from: &str, until: &str) -> RestrictionSettings {
    let weekdays = weekdays.iter().map(|it| (*it).to_owned()).collect();
    RestrictionSettings { weekdays, from: from.into(), until: until.into() }
}

fn schedule(layers: Vec<LayerSettings>) -> Schedule {
    let settings = ScheduleSettings { time_zone: "Europe/Berlin".into(), layers, ..Default::default() };
    Schedule::read("f", "s", &settings).unwrap()
}

#[track_caller]
fn check(schedule: &Schedule, times: &[(&str, &str)]) {
    for (time, expected) in times {
        let people: Vec<_> = schedule.on_call(at(time)).into_iter().map(|it| it.0).collect();
        assert_eq!(people.join(","), *expected, "{time}");
    }
}

/// `ann 2030-01-07T08:00:00Z/2030-01-08T08:00:00Z`
fn shifts(schedule: &Schedule, from: &str, until: &str) -> Vec<String> {
    let shifts = schedule.shifts(at(from), at(until));
    shifts
        .iter()
        .map(|it| {
            let people: Vec<_> = it.people.iter().map(|it| it.0.as_str()).collect();
            format!("{} {}/{}", people.join(","), instant(it.from), instant(it.until))
        })
        .collect()
}

#[test]
fn people_take_turns_at_the_same_time_of_the_day_in_summer_and_winter() {
    let weekly = schedule(vec![layer(&["ann", "bob", "cat"], "2030-03-18", "", "09:00")]);
    check(
        &weekly,
        &[
            ("2030-03-18T07:59:59Z", ""),
            ("2030-03-18T08:00:00Z", "ann"),
            ("2030-03-25T07:59:59Z", "ann"),
            ("2030-03-25T08:00:00Z", "bob"),
            // Summer time has begun: nine o'clock is an hour earlier.
            ("2030-04-01T06:59:59Z", "bob"),
            ("2030-04-01T07:00:00Z", "cat"),
            ("2030-04-08T07:00:00Z", "ann"),
            ("2040-04-08T07:00:00Z", "cat"),
        ],
    );
    let daily = schedule(vec![layer(&["ann", "bob"], "2030-10-26", "1d", "02:30")]);
    // 02:30 happens twice on the 27th, and only its first time changes shifts.
    check(
        &daily,
        &[
            ("2030-10-27T00:29:00Z", "ann"),
            ("2030-10-27T00:30:00Z", "bob"),
            ("2030-10-27T01:15:00Z", "bob"),
            ("2030-10-27T01:45:00Z", "bob"),
            ("2030-10-28T01:30:00Z", "ann"),
        ],
    );
    let half_days = schedule(vec![layer(&["ann", "bob"], "2030-01-07", "12h", "08:00")]);
    check(
        &half_days,
        &[("2030-01-07T07:00:00Z", "ann"), ("2030-01-07T19:00:00Z", "bob"), ("2030-01-08T07:00:00Z", "ann")],
    );
}

#[test]
fn the_last_layer_that_has_somebody_counts_and_who_takes_over_before_all() {
    let mut nights = layer(&["eve"], "2030-01-01", "1w", "");
    nights.restrictions.push(restriction(&["friday:saturday"], "22:00", "06:00"));
    let mut settings = ScheduleSettings {
        time_zone: "UTC".into(),
        layers: vec![layer(&["ann"], "2030-01-01", "1w", ""), nights],
        ..Default::default()
    };
    let times = [
        ("2030-01-10T23:00:00Z", "ann"),
        // A Friday.
        ("2030-01-11T21:59:59Z", "ann"),
        ("2030-01-11T22:00:00Z", "eve"),
        ("2030-01-12T05:59:59Z", "eve"),
        ("2030-01-12T06:00:00Z", "ann"),
        ("2030-01-13T05:59:00Z", "eve"),
        ("2030-01-13T23:00:00Z", "ann"),
    ];
    check(&Schedule::read("f", "s", &settings).unwrap(), &times);
    let take_over = |person: &str, from: &str, until: &str| OverrideSettings {
        person: person.into(),
        from: from.into(),
        until: until.into(),
    };
    settings.overrides = vec![
        take_over("dan", "2030-01-11T20:00", "2030-01-12T02:00:00"),
        take_over("fay", "2030-01-12T01:00:00+01:00", "2030-01-12T01:00Z"),
    ];
    let schedule = Schedule::read("f", "s", &settings).unwrap();
    assert_eq!(
        shifts(&schedule, "2030-01-11T12:00:00Z", "2030-01-12T12:00:00Z"),
        [
            "ann 2030-01-11T12:00:00Z/2030-01-11T20:00:00Z",
            "dan 2030-01-11T20:00:00Z/2030-01-12T00:00:00Z",
            "fay 2030-01-12T00:00:00Z/2030-01-12T01:00:00Z",
            "dan 2030-01-12T01:00:00Z/2030-01-12T02:00:00Z",
            "eve 2030-01-12T02:00:00Z/2030-01-12T06:00:00Z",
            "ann 2030-01-12T06:00:00Z/2030-01-12T12:00:00Z",
        ]
    );
}

#[test]
fn a_calendar_fills_what_layers_leave_open() {
    let mut days = layer(&["ann"], "2030-01-07", "1w", "");
    days.restrictions = vec![restriction(&[], "09:00", "17:00")];
    let text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:night\nDTSTART:20300107T160000Z\nDTEND:20300108T090000Z\n\
                END:VEVENT\nBEGIN:VEVENT\nSUMMARY:extra\nDTSTART:20300107T200000Z\nDTEND:20300107T210000Z\nEND:VEVENT\n";
    let (calendar, _) = Calendar::parse("c", text, &TimeZone::UTC).unwrap();
    let schedule = schedule(vec![days]).with_calendar(calendar);
    assert_eq!(
        shifts(&schedule, "2030-01-07T12:00:00Z", "2030-01-08T12:00:00Z"),
        [
            "ann 2030-01-07T12:00:00Z/2030-01-07T16:00:00Z",
            "night 2030-01-07T16:00:00Z/2030-01-07T20:00:00Z",
            "extra,night 2030-01-07T20:00:00Z/2030-01-07T21:00:00Z",
            "night 2030-01-07T21:00:00Z/2030-01-08T08:00:00Z",
            "ann 2030-01-08T08:00:00Z/2030-01-08T12:00:00Z",
        ]
    );
}

#[test]
fn shifts_are_what_is_on_call_at_every_minute() {
    let mut nights = layer(&["eve", "fay"], "2030-10-24", "1d", "12:00");
    nights.restrictions =
        vec![restriction(&["sunday", "friday"], "23:30", "02:30"), restriction(&["monday"], "", "")];
    let schedule = schedule(vec![layer(&["ann", "bob"], "2030-10-23", "18h", "07:15"), nights]);
    let (from, until) = (at("2030-10-22T00:00:00Z"), at("2030-11-01T00:00:00Z"));
    let shifts = schedule.shifts(from, until);
    assert!(shifts.len() > 15, "{shifts:?}");
    let mut minute = from;
    while minute < until {
        let people = schedule.on_call(minute);
        let shift = shifts.iter().find(|it| it.from <= minute && minute < it.until);
        assert_eq!(shift.map(|it| it.people.clone()).unwrap_or_default(), people, "{}", instant(minute));
        minute = Timestamp(minute.0 + 60_000_000);
    }
    assert!(schedule.shifts(until, from).is_empty());
    let years = schedule.shifts(from, Timestamp(i64::MAX));
    assert!(years.last().unwrap().until.0 - from.0 <= LONGEST);
    assert!(schedule.shifts(Timestamp(i64::MIN), Timestamp(i64::MIN + 1)).is_empty());
}

#[test]
fn everything_wrong_with_a_schedule_is_told_at_once() {
    let wrong = |change: &dyn Fn(&mut LayerSettings)| {
        let mut it = layer(&["ann"], "2030-01-07", "1w", "09:00");
        change(&mut it);
        it
    };
    let settings = ScheduleSettings {
        time_zone: "Mars/Base".into(),
        layers: vec![
            wrong(&|it| it.people = vec![" ".into()]),
            wrong(&|it| it.start = "monday".into()),
            wrong(&|it| it.handover = "24:00".into()),
            wrong(&|it| it.rotation = "59m".into()),
            wrong(&|it| it.restrictions = vec![restriction(&["friyay"], "", "")]),
            wrong(&|it| it.restrictions = vec![restriction(&[], "25:00", "")]),
        ],
        overrides: vec![
            OverrideSettings {
                person: String::new(),
                from: "2030-01-07T09:00".into(),
                until: "2030-01-08T09:00".into(),
            },
            OverrideSettings {
                person: "a".into(),
                from: "2030-01-07T09:00".into(),
                until: "2030-01-07T09:00".into(),
            },
            OverrideSettings { person: "a".into(), from: "now".into(), until: "later".into() },
        ],
        ..Default::default()
    };
    let faults = Schedule::read("f", "s", &settings).unwrap_err();
    let told: Vec<_> = faults.iter().map(|it| format!("{}: {}", it.place, it.problem)).collect();
    let expected = [
        "schedules.s.time_zone: there is no time zone \"Mars/Base\"",
        "schedules.s.layers[0]: there are no people",
        "schedules.s.layers[1]: start: \"monday\" is not a day",
        "schedules.s.layers[2]: handover: \"24:00\" is not a time of the day",
        "schedules.s.layers[3]: rotation: \"59m\" is not a time from 1h to 366d",
        "schedules.s.layers[4]: \"friyay\" is not a weekday",
        "schedules.s.layers[5]: \"25:00\" is not a time of the day",
        "schedules.s.overrides[0]: the person has no name",
        "schedules.s.overrides[1]: until is not after from",
        "schedules.s.overrides[2]: \"now\" is not a moment",
    ];
    assert_eq!(told, expected);
    let many =
        ScheduleSettings { layers: vec![LayerSettings::default(); MOST + 1], ..ScheduleSettings::default() };
    assert_eq!(Schedule::read("f", "s", &many).unwrap_err().len(), 1);
}

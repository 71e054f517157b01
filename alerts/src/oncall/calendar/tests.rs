#![allow(clippy::unwrap_used)]

use super::*;
use crate::oncall::Schedule;

fn at(text: &str) -> Timestamp {
    timestamp(text.parse().unwrap())
}

fn calendar(events: &[&str]) -> (Calendar, Vec<String>) {
    let events: String =
        events.iter().map(|lines| format!("BEGIN:VEVENT\r\n{lines}\r\nEND:VEVENT\r\n")).collect();
    let text =
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{}END:VCALENDAR\r\n", events.replace(" | ", "\r\n"));
    let (calendar, remarks) = Calendar::parse("a.ics", &text, &TimeZone::UTC).unwrap();
    (calendar, remarks.iter().map(ToString::to_string).collect())
}

/// Who begins when between two moments: `ann 2030-01-07T09:00:00Z`.
#[track_caller]
fn begins(events: &[&str], from: &str, until: &str) -> Vec<String> {
    let (calendar, remarks) = calendar(events);
    assert_eq!(remarks, [""; 0]);
    let shifts = Schedule::of_calendar(calendar).shifts(at(from), at(until));
    shifts.iter().map(|it| format!("{} {}", it.people[0].0, instant(it.from))).collect()
}

#[test]
fn an_event_is_a_shift_of_the_person_it_is_named_after() {
    let (calendar, remarks) = calendar(&[
        "SUMMARY:ann | DTSTART:20300107T090000Z | DTEND:20300108T090000Z",
        "SUMMARY:Bob\\, on\r\n  the phone | DTSTART;TZID=Europe/Berlin:20300108T100000 | DURATION:PT12H",
        "SUMMARY:cat | DTSTART;VALUE=DATE:20300109",
        "SUMMARY:dan | DTSTART;TZID=\"/mozilla.org/20050126_1/Europe/Berlin\":20300110T000000 | DTEND:20300110T000000Z",
        "SUMMARY:eve | DTSTART:20300111T000000Z | DTEND:20300112T000000Z | STATUS:CANCELLED",
    ]);
    assert_eq!((remarks.len(), calendar.len(), calendar.is_empty()), (0, 4, false));
    for (time, expected) in [
        ("2030-01-07T08:59:59Z", ""),
        ("2030-01-07T09:00:00Z", "ann"),
        ("2030-01-08T08:59:59Z", "ann"),
        ("2030-01-08T09:00:00Z", "Bob, on the phone"),
        ("2030-01-08T21:00:00Z", ""),
        ("2030-01-09T00:00:00Z", "cat"),
        ("2030-01-09T23:00:00Z", "cat,dan"),
        ("2030-01-10T00:00:00Z", ""),
        ("2030-01-11T12:00:00Z", ""),
    ] {
        let people: Vec<_> = calendar.on_call(at(time)).into_iter().map(|it| it.0).collect();
        assert_eq!(people.join(","), expected, "{time}");
    }
}

#[test]
fn weekly_shifts_repeat_on_their_days_and_end() {
    let weekly = |rule: &str| {
        format!("SUMMARY:ann | DTSTART:20300107T090000Z | DTEND:20300107T170000Z | RRULE:{rule}")
    };
    let days = |rule: &str| {
        let begins = begins(&[&weekly(rule)], "2030-01-01T00:00:00Z", "2030-02-05T00:00:00Z");
        begins.iter().map(|it| it.get(9..14).unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(days("FREQ=WEEKLY"), "01-07 01-14 01-21 01-28 02-04");
    assert_eq!(days("FREQ=WEEKLY;INTERVAL=2"), "01-07 01-21 02-04");
    assert_eq!(days("FREQ=WEEKLY;COUNT=3"), "01-07 01-14 01-21");
    assert_eq!(days("FREQ=WEEKLY;UNTIL=20300121T090000Z"), "01-07 01-14 01-21");
    assert_eq!(days("FREQ=WEEKLY;UNTIL=20300121T085959Z"), "01-07 01-14");
    assert_eq!(days("FREQ=WEEKLY;UNTIL=20300121"), "01-07 01-14 01-21");
    assert_eq!(days("FREQ=WEEKLY;BYDAY=MO,WE,FR;COUNT=5"), "01-07 01-09 01-11 01-14 01-16");
    assert_eq!(days("FREQ=WEEKLY;BYDAY=TU;COUNT=2"), "01-07 01-08", "the first is always there, and counts");
    assert_eq!(days("FREQ=DAILY;COUNT=3"), "01-07 01-08 01-09");
    assert_eq!(days("FREQ=DAILY;INTERVAL=10"), "01-07 01-17 01-27");
    assert_eq!(days("freq=daily;byday=mo,tu;count=3;"), "01-07 01-08 01-14");
    // From the standard: where the week begins decides which Sunday belongs to it.
    let week = |start: &str| {
        let rule = format!("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST={start}");
        let event = format!("SUMMARY:a | DTSTART:19970805T090000Z | DTEND:19970805T100000Z | RRULE:{rule}");
        let begins = begins(&[&event], "1997-08-01T00:00:00Z", "1997-10-01T00:00:00Z");
        begins.iter().map(|it| it.get(7..12).unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(week("MO"), "08-05 08-10 08-19 08-24");
    assert_eq!(week("SU"), "08-05 08-17 08-19 08-31");
}

#[test]
fn shifts_keep_their_local_time_over_summer_and_winter() {
    let event = "SUMMARY:ann | DTSTART;TZID=Europe/Berlin:20300325T090000 | DTEND;TZID=Europe/Berlin:20300401T090000 | \
                 RRULE:FREQ=WEEKLY;INTERVAL=2";
    let (calendar, _) = calendar(&[event]);
    let shifts =
        Schedule::of_calendar(calendar).shifts(at("2030-03-20T00:00:00Z"), at("2030-04-30T00:00:00Z"));
    let times: Vec<_> =
        shifts.iter().map(|it| format!("{}/{}", instant(it.from), instant(it.until))).collect();
    let expected = [
        "2030-03-25T08:00:00Z/2030-04-01T07:00:00Z",
        "2030-04-08T07:00:00Z/2030-04-15T07:00:00Z",
        "2030-04-22T07:00:00Z/2030-04-29T07:00:00Z",
    ];
    assert_eq!(times, expected);
}

#[test]
fn single_shifts_of_a_row_are_left_out_moved_or_given_to_another() {
    let events = [
        "UID:1 | SUMMARY:ann | DTSTART;TZID=Europe/Berlin:20300107T090000 | DTEND;TZID=Europe/Berlin:20300107T170000 | \
         RRULE:FREQ=DAILY;COUNT=6 | EXDATE;TZID=Europe/Berlin:20300108T090000 | EXDATE:20300109T080000Z",
        "UID:1 | SUMMARY:bob | DTSTART:20300110T120000Z | DTEND:20300110T130000Z | \
         RECURRENCE-ID;TZID=Europe/Berlin:20300110T090000",
        "UID:1 | DTSTART:20300111T120000Z | STATUS:CANCELLED | RECURRENCE-ID:20300111T080000Z",
    ];
    assert_eq!(
        begins(&events, "2030-01-01T00:00:00Z", "2030-02-01T00:00:00Z"),
        ["ann 2030-01-07T08:00:00Z", "bob 2030-01-10T12:00:00Z", "ann 2030-01-12T08:00:00Z"]
    );
}

#[test]
fn an_event_that_needs_more_is_left_out_and_told() {
    let start = "DTSTART:20300107T090000Z | DTEND:20300108T090000Z";
    let (calendar, remarks) = calendar(&[
        &format!("SUMMARY:ann | {start} | RRULE:FREQ=MONTHLY"),
        &format!("SUMMARY:ann | {start} | RRULE:FREQ=WEEKLY;BYDAY=1MO"),
        &format!("SUMMARY:ann | {start} | RRULE:FREQ=WEEKLY;BYSETPOS=1"),
        &format!("SUMMARY:ann | {start} | RRULE:FREQ=DAILY;COUNT=999999999999"),
        &format!("SUMMARY:ann | {start} | RRULE:FREQ=DAILY;INTERVAL=0"),
        &format!("SUMMARY:ann | {start} | RDATE:20300110T090000Z"),
        start,
        "SUMMARY:ann | DTSTART:20300107T090000Z",
        "SUMMARY:ann | DTSTART:20300107T090000Z | DTEND:20310708T090000Z",
        "SUMMARY:ann | DTSTART:tomorrow | DTEND:20310708T090000Z",
        "SUMMARY:ann | DTSTART;TZID=Nowhere:20300107T090000 | DTEND:20310708T090000Z",
        "SUMMARY:ann | DTEND:20310708T090000Z",
    ]);
    assert!(calendar.is_empty());
    let expected = [
        "a.ics:3: event \"ann\": RRULE: FREQ=MONTHLY is not supported, only DAILY and WEEKLY; the event is left out",
        "a.ics:9: event \"ann\": RRULE: BYDAY=1MO cannot be read; the event is left out",
        "a.ics:15: event \"ann\": RRULE: BYSETPOS is not supported; the event is left out",
        "a.ics:21: event \"ann\": RRULE: COUNT is too large; write UNTIL; the event is left out",
        "a.ics:27: event \"ann\": RRULE: INTERVAL=0 cannot be read; the event is left out",
        "a.ics:33: event \"ann\": it repeats by more than one RRULE; the event is left out",
        "a.ics:39: event \"\": it has no SUMMARY that names a person; the event is left out",
        "a.ics:43: event \"ann\": it does not end after it begins; the event is left out",
        "a.ics:47: event \"ann\": it lasts longer than 366 days; the event is left out",
        "a.ics:52: event \"ann\": \"tomorrow\" is no time; the event is left out",
        "a.ics:57: event \"ann\": there is no time zone \"Nowhere\"; the event is left out",
        "a.ics:62: event \"ann\": it has no DTSTART; the event is left out",
    ];
    assert_eq!(remarks, expected);
}

#[test]
fn times_without_a_zone_are_the_calendars() {
    let text = "BEGIN:VCALENDAR\nX-WR-TIMEZONE:Europe/Berlin\nBEGIN:VEVENT\nSUMMARY:ann\nDTSTART:20300107T090000\n\
                DTEND:20300107T100000\nEND:VEVENT\nEND:VCALENDAR\n";
    let (calendar, _) = Calendar::parse("a.ics", text, &TimeZone::UTC).unwrap();
    assert!(!calendar.on_call(at("2030-01-07T08:00:00Z")).is_empty());
    let text = text.replace("X-WR-TIMEZONE:Europe/Berlin\n", "");
    let sydney = TimeZone::get("Australia/Sydney").unwrap();
    let (calendar, _) = Calendar::parse("a.ics", &text, &sydney).unwrap();
    assert!(!calendar.on_call(at("2030-01-06T22:00:00Z")).is_empty());
}

#[test]
fn what_is_no_calendar_is_refused_and_nothing_makes_it_panic() {
    for text in ["", "hello", "<html>", "BEGIN:VEVENT\nEND:VEVENT", &"x".repeat(LARGEST + 1)] {
        assert_eq!(Calendar::parse("a.ics", text, &TimeZone::UTC).unwrap_err().len(), 1);
    }
    let many = format!("BEGIN:VCALENDAR\n{}", "BEGIN:VEVENT\nEND:VEVENT\n".repeat(MOST + 1));
    assert!(Calendar::parse("a.ics", &many, &TimeZone::UTC).is_err());
    let file = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:a\\,b\r\nDTSTART;TZID=Europe/Berlin:20300107T090000\r\n\
                DTEND;TZID=\"Europe/Berlin\":20300108T090000\r\nRRULE:FREQ=WEEKLY;COUNT=9;BYDAY=MO,TU;WKST=SU\r\n\
                EXDATE;VALUE=DATE:20300114,20300115\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let mut state = 17_u64;
    let mut below = |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % limit
    };
    let mut read = 0;
    for _ in 0..4_000 {
        let mut bytes = file.as_bytes().to_vec();
        for _ in 0..=below(3) {
            let at = below(bytes.len());
            match below(3) {
                0 => bytes[at] = *b":;=,\"\\\r\n 09TZP-\xff".get(below(16)).unwrap(),
                1 => drop(bytes.drain(at..(at + below(10)).min(bytes.len()))),
                _ => bytes.insert(at, u8::try_from(below(256)).unwrap()),
            }
        }
        if let Ok((calendar, _)) = Calendar::parse("a.ics", &String::from_utf8_lossy(&bytes), &TimeZone::UTC)
        {
            read += calendar.len();
            let schedule = Schedule::of_calendar(calendar);
            for shift in schedule.shifts(at("2030-01-01T00:00:00Z"), at("2030-03-01T00:00:00Z")) {
                assert!(shift.from < shift.until && schedule.on_call(shift.from) == shift.people);
            }
            for edge in [i64::MIN, i64::MAX, -62_135_596_800_000_000] {
                let _ = schedule.on_call(Timestamp(edge));
            }
        }
    }
    assert!(read > 500, "only {read} were read: the generator is no good");
}

//! Traces as people have them, and rubbish.

use super::*;

fn bins(text: &str) -> Vec<Bin> {
    match read("a.csv", text).unwrap().what {
        Recorded::Counts(bins) => bins,
        Recorded::Jobs(jobs) => panic!("{jobs:?}"),
    }
}

fn jobs(name: &str, text: &str) -> Vec<Job> {
    match read(name, text).unwrap().what {
        Recorded::Jobs(jobs) => jobs,
        Recorded::Counts(bins) => panic!("{bins:?}"),
    }
}

fn fault(text: &str) -> String {
    read("a.csv", text).unwrap_err().to_string()
}

#[test]
fn counts_in_many_dresses_are_the_same_trace() {
    let expected = [
        Bin { start_s: 0.0, length_s: 300.0, count: 94.0 },
        Bin { start_s: 300.0, length_s: 300.0, count: 56.0 },
        Bin { start_s: 600.0, length_s: 300.0, count: 187.0 },
    ];
    for text in [
        "timestamp,value\n2014-04-10 00:04:00,94.0\n2014-04-10 00:09:00,56.0\n2014-04-10 00:14:00,187.0\n",
        "\u{feff}timestamp,value\r\n2014-04-10 00:04:00,94\r\n2014-04-10 00:09:00,56\r\n2014-04-10 00:14:00,187",
        "2014-04-10T00:04:00Z,94\n2014-04-10T00:09:00Z,56\n2014-04-10T00:14:00Z,187\n",
        "minute;requests\n0;94\n300;56\n600;187\n",
        "host\tepoch_time\thits\na\t1397088240\t94\na\t1397088540\t56\na\t1397088840\t187\n",
        "\"Count\",\"Date\"\n\"94\",\"1397088240000\"\n\"56\",\"1397088540000\"\n\"187\",\"1397088840000\"\n",
        "# a remark\n\ntimestamp,value\n600,187\n0,90\n0,4\n300,56\n",
    ] {
        assert_eq!(bins(text), expected, "{text}");
    }
}

#[test]
fn a_missing_row_is_a_pause() {
    let bins = bins("t_time,n\n0,1\n60,1\n120,1\n600,1\n");
    let ends: Vec<f64> = bins.iter().map(|bin| bin.start_s + bin.length_s).collect();
    assert_eq!(ends, [60.0, 120.0, 180.0, 660.0]);
}

#[test]
fn unusable_lines_are_left_out_and_told_by_number() {
    let text = "timestamp,value\n0,1\n60,NaN\n120,-4\n180,inf\n240,5\nyesterday,5\n360\n420,x\n480,1\n540,1\n600,1\n660,1\n720,1\n780,1";
    let recording = read("a.csv", text).unwrap();
    assert_eq!(
        recording.remarks,
        [
            "left out line 3, column 2 (value): \"NaN\" is not a number from 0 on",
            "left out line 4, column 2 (value): \"-4\" is not a number from 0 on",
            "left out line 5, column 2 (value): \"inf\" is not a number from 0 on",
            "left out line 7, column 1 (timestamp): \"yesterday\" is no time; write 2026-01-31 12:00:00 or seconds",
            "left out line 8, column 2 (value): is missing",
            "left out 1 more lines",
        ]
    );
    assert!(matches!(recording.what, Recorded::Counts(bins) if bins.len() == 8));
}

#[test]
fn an_unsorted_trace_is_put_in_order_and_says_so() {
    let recording = read("folder/a.b.csv", "timestamp,value\n60,2\n0,1\n120,3\n").unwrap();
    assert_eq!(recording.name, "a.b");
    assert_eq!(recording.remarks, ["put its lines in order of time"]);
    assert!(matches!(&recording.what, Recorded::Counts(bins) if bins[0].count == 1.0));
}

#[test]
fn requests_last_as_long_as_their_tokens() {
    let text = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,4808,10\n2023-11-16 18:17:04.0319600,3180,8";
    let chat = jobs("azure_llm_2023_conv.csv", text);
    assert!((chat[0].run_s - 1.502).abs() < 1e-9);
    assert!((chat[1].due_s - 0.052).abs() < 1e-9);
    assert!((jobs("azure_llm_2023_code.csv", text)[0].run_s - 7.51).abs() < 1e-9);
}

#[test]
fn jobs_may_be_due_later_than_they_are_known() {
    let jobs = jobs("a.csv", "arrival,run_seconds,due\n100,2,700\n130,1,\n140,1,120\n");
    assert_eq!(
        jobs,
        [
            Job { due_s: 30.0, known_s: 30.0, run_s: 1.0 },
            Job { due_s: 40.0, known_s: 40.0, run_s: 1.0 },
            Job { due_s: 600.0, known_s: 0.0, run_s: 2.0 },
        ]
    );
}

#[test]
fn what_is_no_trace_is_refused_with_its_place() {
    assert_eq!(fault(""), "it is empty");
    assert_eq!(fault("\n\r\n# only a remark\n"), "it is empty");
    assert_eq!(fault("timestamp,value\n"), "it has no rows");
    assert!(fault("a,b\n1,2\n").starts_with("line 1: columns a, b are of no known trace"));
    assert_eq!(fault("17\n18\n"), "line 1: there is one column; a trace has a time and a count");
    assert_eq!(
        fault("timestamp,value\n0,NaN\n60,NaN\n"),
        "line 2, column 2 (value): \"NaN\" is not a number from 0 on; 2 of 2 lines are unusable"
    );
    assert_eq!(
        fault("timestamp,value\n0,1\n1700000000,1\n60,1\n"),
        "it spans 19676 days, at most 400 are replayed: is a time wrong?"
    );
    assert!(fault("timestamp,value\n0,1e300\n").contains("more than 1e12 arrivals"));
    assert!(fault("timestamp,value\n2020-01-01,1\n0,1\n7,2\n").contains("of another form than the first"));
    assert!(fault("arrival,run_seconds\n0,1e300\n").contains("at most a month is replayed"));
    assert!(fault("\0\u{1}\u{2},\u{3}\n").contains("of no known trace"));
}

#[test]
fn a_text_of_100_mb_is_refused_before_it_is_read() {
    let text = "0,1\n".repeat(25 << 20);
    assert_eq!(fault(&text), "it has 100 MiB, at most 64 are read: use wider steps");
}

#[test]
fn a_complaint_quotes_little_and_no_control_characters() {
    let text = format!("timestamp,value\n\u{1b}[31m{},1\n", "x".repeat(5000));
    assert!(fault(&text).len() < 200 && !fault(&text).contains('\u{1b}'));
}

#![allow(clippy::unwrap_used)]

use super::*;

/// A step with Prometheus' defaults, changed by `change`.
fn step(sources: &[String], change: impl Fn(&mut Step<'_>)) -> Step<'_> {
    let mut step = Step {
        action: Action::Replace,
        source_labels: sources,
        separator: ";",
        regex: "(.*)",
        modulus: 0,
        target_label: "",
        replacement: "$1",
    };
    change(&mut step);
    step
}

/// The labels `a=foo b=bar c=baz` after one step; `None` when they are dropped.
fn after(sources: &[&str], change: impl Fn(&mut Step<'_>)) -> Option<String> {
    let sources: Vec<String> = sources.iter().map(|it| (*it).to_owned()).collect();
    let relabel = Relabel::new([step(&sources, change)]).unwrap();
    let mut labels = LabelsBuilder::default();
    labels.set("a", "foo").set("b", "bar").set("c", "Baz");
    relabel.apply(&mut labels).then(|| labels.build().unwrap().to_string())
}

const ALL: &str = r#"{a="foo", b="bar", c="Baz"}"#;

#[test]
fn replace_writes_where_the_whole_value_matches() {
    let replaced =
        |sources: &[&str], regex: &'static str, target: &'static str, replacement: &'static str| {
            after(sources, |it| (it.regex, it.target_label, it.replacement) = (regex, target, replacement))
                .unwrap()
        };
    assert_eq!(
        replaced(&["a"], "f(.*)", "d", "ch${1}-ch${1}"),
        r#"{a="foo", b="bar", c="Baz", d="choo-choo"}"#
    );
    assert_eq!(replaced(&["a"], "o", "d", "x"), ALL);
    assert_eq!(replaced(&["a", "b"], "(.*);(.*)", "a", "$2$1"), r#"{a="barfoo", b="bar", c="Baz"}"#);
    assert_eq!(replaced(&["a"], "(f).*", "x_$1", "y"), r#"{a="foo", b="bar", c="Baz", x_f="y"}"#);
    assert_eq!(replaced(&["a"], "(.*)", "b", "$1"), r#"{a="foo", b="foo", c="Baz"}"#);
    assert_eq!(replaced(&["a"], "(.*)", "b", "<${1}>"), r#"{a="foo", b="<foo>", c="Baz"}"#);
    assert_eq!(replaced(&["a"], "foo", "b", ""), r#"{a="foo", c="Baz"}"#);
    assert_eq!(replaced(&["none"], "(.*)", "b", "$1"), r#"{a="foo", c="Baz"}"#);
    assert_eq!(replaced(&["none"], "(.*)", "b", "x"), r#"{a="foo", b="x", c="Baz"}"#);
    assert_eq!(replaced(&["a"], "foo|bar", "b", "x"), r#"{a="foo", b="x", c="Baz"}"#);
}

#[test]
fn what_matches_is_kept_or_dropped() {
    let kept =
        |action, regex: &'static str| after(&["a"], |it| (it.action, it.regex) = (action, regex)).is_some();
    assert_eq!(
        [kept(Action::Keep, "fo+"), kept(Action::Keep, "fo"), kept(Action::Keep, "(.*)")],
        [true, false, true]
    );
    assert_eq!(
        [kept(Action::Drop, "fo+"), kept(Action::Drop, "fo"), kept(Action::Drop, "")],
        [false, true, true]
    );
    let equal = |action, target: &'static str| {
        after(&["a"], |it| (it.action, it.target_label) = (action, target)).is_some()
    };
    assert_eq!([equal(Action::KeepEqual, "a"), equal(Action::KeepEqual, "b")], [true, false]);
    assert_eq!([equal(Action::DropEqual, "a"), equal(Action::DropEqual, "b")], [false, true]);
}

#[test]
fn labels_are_mapped_dropped_and_kept_by_name() {
    let named = |action, regex: &'static str, replacement: &'static str| {
        after(&[], |it| (it.action, it.regex, it.replacement) = (action, regex, replacement)).unwrap()
    };
    assert_eq!(
        named(Action::LabelMap, "(a|b)", "x_$1"),
        r#"{a="foo", b="bar", c="Baz", x_a="foo", x_b="bar"}"#
    );
    assert_eq!(named(Action::LabelDrop, "a|b", "$1"), r#"{c="Baz"}"#);
    assert_eq!(named(Action::LabelKeep, "a|b", "$1"), r#"{a="foo", b="bar"}"#);
}

#[test]
fn values_change_case_and_become_numbers() {
    let written =
        |action| after(&["c"], |it| (it.action, it.target_label, it.modulus) = (action, "d", 1000)).unwrap();
    assert!(written(Action::Lowercase).contains(r#"d="baz""#));
    assert!(written(Action::Uppercase).contains(r#"d="BAZ""#));
    // Prometheus' own tests say 976 for baz modulo 1000.
    let relabel = Relabel::new([step(&["x".to_owned()], |it| {
        (it.action, it.target_label, it.modulus) = (Action::HashMod, "d", 1000);
    })]);
    let mut labels = LabelsBuilder::default();
    assert!(relabel.unwrap().apply(labels.set("x", "baz")));
    assert_eq!(labels.get("d"), Some("976"));
}

#[test]
fn steps_that_mean_nothing_are_refused() {
    let error = |change: fn(&mut Step<'_>)| Relabel::new([step(&[], change)]).unwrap_err().1;
    assert_eq!(error(|_| {}), RelabelError::Target("replace"));
    assert_eq!(error(|it| (it.action, it.regex) = (Action::Keep, "(")), RelabelError::Regex("(".to_owned()));
    assert_eq!(
        error(|it| (it.action, it.regex) = (Action::Keep, "a)(b")),
        RelabelError::Regex("a)(b".to_owned())
    );
    assert_eq!(error(|it| (it.action, it.regex) = (Action::Keep, "(\\w{1000}){1000}")), RelabelError::Large);
    assert_eq!(error(|it| (it.action, it.target_label) = (Action::HashMod, "x")), RelabelError::Modulus);
    assert_eq!(
        error(|it| (it.action, it.target_label) = (Action::KeepEqual, "x")),
        RelabelError::Source("keepequal")
    );
}

#[test]
fn a_step_that_drops_ends_the_work() {
    let sources = ["a".to_owned()];
    let relabel = Relabel::new([
        step(&sources, |it| (it.target_label, it.replacement) = ("b", "x")),
        step(&sources, |it| it.action = Action::Drop),
    ]);
    assert!(!relabel.unwrap().apply(&mut LabelsBuilder::default()));
    assert!(Relabel::default().is_empty());
}

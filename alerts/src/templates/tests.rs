#![allow(clippy::unwrap_used, clippy::panic)]

use ops_contract::Timestamp;
use serde_json::json;

use super::*;
use crate::receivers::page_tests::{NOW, alert, note, resolved, telling};
use crate::receivers::{Globals, Integration};

/// Two that fire and one that has resolved.
fn three() -> Notification {
    let one = |host: &str, more: &str| {
        alert(
            &[("alertname", "DiskFull"), ("host", host), ("severity", "critical"), ("zone", "z<1>")],
            &[("summary", more), ("runbook_url", "https://wiki/x?a=1&b=2")],
        )
    };
    let mut all = note(vec![one("a", "a is full"), one("b", "b is full"), resolved(one("c", "c is full"))]);
    all.group_labels = [("alertname".to_owned(), "DiskFull".to_owned())].into();
    all.alerts[0].starts_at = Timestamp(NOW.0 - 90_061_500_000);
    all
}

fn escaped(text: &str, escape: Escape) -> Result<String, String> {
    let templates = Templates::default();
    templates.render_as(text, escape, &three(), &telling(&templates))
}

fn plain(text: &str) -> Result<String, String> {
    escaped(text, Escape::None)
}

/// Texts, and what Alertmanager's documentation and Go's say comes of them.
const KNOWN: &[(&str, &str)] = &[
    ("no template", "no template"),
    ("{{ .Receiver }} {{ .Status }} {{ .ExternalURL }}", "critical firing https://ops.example.org"),
    ("{{ .NotificationReason }} {{ .AckURL }}", "first notification https://ops.example.org/ack/t0k"),
    ("{{ len .Alerts }} {{ .Alerts.Firing | len }} {{ len .Alerts.Resolved }}", "3 2 1"),
    ("{{ .CommonLabels.SortedPairs.Values | join \" \" }}", "DiskFull critical z<1>"),
    ("{{ .CommonLabels.Names | join \",\" }}", "alertname,severity,zone"),
    ("{{ .CommonLabels }}", "alertname=DiskFull, severity=critical, zone=z<1>"),
    (
        "{{ .CommonLabels.nosuch }}|{{ index .CommonLabels \"zone\" }}|{{ index .CommonLabels \"no\" }}",
        "|z<1>|",
    ),
    ("{{ (.CommonLabels.Remove .GroupLabels.Names).Values | join \" \" }}", "critical z<1>"),
    (
        "{{ with .CommonLabels.Remove (stringSlice \"zone\" \"severity\") }}{{ .SortedPairs }}{{ end }}",
        "alertname=DiskFull",
    ),
    (
        "{{ range .Alerts.Firing }}{{ .Labels.host }}={{ .Annotations.summary }};{{ end }}",
        "a=a is full;b=b is full;",
    ),
    ("{{ range $i, $a := .Alerts }}{{ if $i }},{{ end }}{{ $a.Labels.host }}{{ end }}", "a,b,c"),
    ("{{ range .Alerts }}{{ if eq .Status \"resolved\" }}{{ .Labels.host }}{{ end }}{{ end }}", "c"),
    (
        "{{ range .CommonLabels.SortedPairs }}{{ .Name }}:{{ .Value }} {{ end }}",
        "alertname:DiskFull severity:critical zone:z<1> ",
    ),
    ("{{ range $k, $v := .GroupLabels }}{{ $k }}-{{ $v }}{{ else }}none{{ end }}", "alertname-DiskFull"),
    ("{{ range .Alerts.Nope }}{{ end }}", "!there is no field Nope in a template.Alerts"),
    ("{{ (index .Alerts 1).Labels.host }}", "b"),
    ("{{ index .Alerts 7 }}", "!the index is out of range"),
    ("{{ .Status | toUpper }} {{ title \"ab CD\" }} {{ trimSpace \"  x \" }}|", "FIRING Ab Cd x|"),
    ("{{ reReplaceAll \"(.*):.*\" \"$1\" \"host:9100\" }} {{ match \"^a+$\" \"aaa\" }}", "host true"),
    ("{{ urlUnescape \"a%2Fb+c\" }}", "a/b c"),
    ("{{ urlUnescape \"%zz\" }}", "!urlUnescape does not take (string)"),
    ("{{ (index .Alerts 1).StartsAt }}", "2026-11-23 02:47:00 +0000 UTC"),
    (
        "{{ (index .Alerts 1).StartsAt.Format \"Mon, 02 Jan 2006 15:04:05 MST\" }}",
        "Mon, 23 Nov 2026 02:47:00 UTC",
    ),
    ("{{ (index .Alerts 0).StartsAt | date \"2006-01-02T15:04:05.000Z07:00\" }}", "2026-11-22T02:10:58.500Z"),
    ("{{ (index .Alerts 1).StartsAt | tz \"Europe/Paris\" | date \"15:04 MST -0700\" }}", "03:47 CET +0100"),
    ("{{ tz \"Nowhere/City\" now }}", "!there is no time zone"),
    ("{{ (index .Alerts 1).EndsAt }}", "0001-01-01 00:00:00 +0000 UTC"),
    ("{{ (index .Alerts 1).EndsAt.IsZero }} {{ (index .Alerts 2).EndsAt.IsZero }}", "true false"),
    (
        "{{ with index .Alerts 2 }}{{ .EndsAt.Sub .StartsAt }} {{ .EndsAt.After .StartsAt }}{{ end }}",
        "20m0s true",
    ),
    ("{{ since (index .Alerts 1).StartsAt }} {{ (since (index .Alerts 1).StartsAt).Minutes }}", "25m0s 25"),
    ("{{ since (index .Alerts 0).StartsAt | humanizeDuration }}", "1d 1h 1m 1s"),
    ("{{ (index .Alerts 1).StartsAt.Unix }} {{ (index .Alerts 1).StartsAt.Weekday }}", "1795402020 Monday"),
    (
        "{{ toJson .CommonLabels }}",
        "{\"alertname\":\"DiskFull\",\"severity\":\"critical\",\"zone\":\"z<1>\"}",
    ),
    (
        "{{ toJson (stringSlice \"a\" \"b\") }} {{ toJson 1.5 }} {{ \"a\\\"b\" | toJson }}",
        "[\"a\",\"b\"] 1.5 \"a\\\"b\"",
    ),
    ("{{ (index .Alerts 2).EndsAt | toJson }}", "\"2026-11-23T03:07:00Z\""),
    ("{{ list 1 \"a\" true }} {{ len (append (list 1) 2 3) }} {{ (dict \"a\" 1).a }}", "[1 a true] 3 1"),
    ("{{ list (list 1) }}", "!list does not take"),
    ("{{ define \"x\" }}<{{ . }}>{{ end }}{{ template \"x\" .Status }}", "<firing>"),
    ("{{ template \"__subject\" . }}", "FIRING 2: DiskFull (zone=z<1>) [critical]"),
    ("{{ template \"slack.text\" . }}", "!the template \"slack.text\" is not defined"),
    ("{{ query \"up\" }}", "!the function \"query\" is not defined"),
    ("{{ pageTitle \"plain\" }}", "FIRING 2: DiskFull (zone=z<1>) [critical]"),
    ("{{ pageTitle \"x\" }}", "!pageTitle knows plain, slack, discord and html, not \"x\""),
    ("{{ .Status.Format \"x\" }}", "!no function"),
    ("{{- /* gone */ -}} x {{- \" y\" }}", "x y"),
    (
        "{{ $x := 1 }}{{ range .Alerts }}{{ $x = 2 }}{{ end }}{{ $x }} {{ printf \"%q %05d\" \"a\" 7 }}",
        "2 \"a\" 00007",
    ),
    ("{{ if and .Test (not .Alerts) }}a{{ else if or .Test .Alerts }}b{{ end }}", "b"),
    ("{{ .TruncatedAlerts }}{{ .GroupKey }}", "0{}:{alertname=\"ApiDown\"}"),
];

#[test]
fn templates_say_what_alertmanager_makes_of_them() {
    for (text, wanted) in KNOWN {
        match (plain(text), wanted.strip_prefix('!')) {
            (Ok(said), None) => assert_eq!(said, *wanted, "{text}"),
            (Err(error), Some(part)) => assert!(error.contains(part), "{text}: {error}"),
            (other, _) => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn values_are_escaped_and_the_text_around_them_is_not() {
    let html = escaped(
        "<b>{{ .CommonLabels.zone }}</b>{{ safeHtml \"<i>\" }}{{ printf \"%s\" (safeHtml \"<\") }}",
        Escape::Html,
    );
    assert_eq!(html.as_deref(), Ok("<b>z&lt;1&gt;</b><i>&lt;"));
    let slack = |text| escaped(text, Escape::Slack).unwrap();
    assert_eq!(slack("<!here> {{ .CommonLabels.zone }}"), "<!here> z&lt;1&gt;");
    assert_eq!(slack("{{ \"<!channel> <@U1> a & b &lt;\" }}"), "&lt;!channel&gt; &lt;@U1&gt; a &amp; b &lt;");
    let link = "{{ printf \"<%s|Runbook>\" .CommonAnnotations.runbook_url }}";
    assert_eq!(slack(link), "<https://wiki/x?a=1&b=2|Runbook>");
    assert_eq!(slack("{{ \"<https://x|<!channel>>\" }}"), "&lt;https://x|&lt;!channel&gt;&gt;");
    assert_eq!(slack("{{ safeHtml \"<!channel>\" }}"), "<!channel>");
}

#[test]
fn every_built_in_template_is_there_and_renders() {
    let names: Vec<&str> =
        BUILT_IN.split("define \"").skip(1).filter_map(|it| it.split('"').next()).collect();
    assert!(names.len() > 25, "{names:?}");
    for name in names {
        // A list of alerts is what these two are given.
        let data = if name.contains("alert_list") || name.ends_with("instances") { ".Alerts" } else { "." };
        let said = plain(&format!("{{{{ template {name:?} {data} }}}}"));
        assert!(said.is_ok(), "{name}: {said:?}");
    }
    let html = escaped("{{ template \"email.default.html\" . }}", Escape::Html).unwrap();
    assert!(html.starts_with("<!DOCTYPE html>") && html.contains("z&lt;1&gt;"), "{html}");
    let slack = escaped("{{ template \"slack.default.text\" . }}", Escape::Slack).unwrap();
    assert!(slack.contains("zone=z&lt;1&gt;") && slack.contains("<!date^"), "{slack}");
}

#[test]
fn the_list_of_alerts_says_all_of_each() {
    let wanted = "DiskFull: resolved, began 2026-11-23 02:47 UTC
  host=c, severity=critical, zone=z<1>
  runbook_url: https://wiki/x?a=1&b=2
  summary: c is full
  https://ops.example.org/graph?g0.expr=up%3D%3D0
";
    assert_eq!(plain("{{ template \"__text_alert_list\" .Alerts.Resolved }}").as_deref(), Ok(wanted));
}

#[test]
fn files_define_and_replace_templates_and_their_faults_are_told_together() {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let templates = Templates::load(&[
        file("a.tmpl", "{{ define \"slack.title\" }}A {{ template \"b\" . }}{{ end }}"),
        file(
            "b.tmpl",
            "{{ define \"b\" }}{{ .Status }}{{ end }}{{ define \"__alertmanager\" }}mine{{ end }}",
        ),
    ])
    .unwrap();
    let (all, telling) = (three(), telling(&templates));
    let said = |text: &str| templates.render(text, false, &all, &telling).unwrap();
    assert_eq!(said("{{ template \"slack.title\" . }}"), "A firing");
    assert_eq!(said("{{ template \"slack.default.username\" . }}"), "mine");
    let wrongs = Templates::load(&[
        file("x.tmpl", "{{ define \"x\" }}"),
        file("good.tmpl", "{{ define \"y\" }}{{ end }}"),
        file("z.tmpl", "{{ nosuch }}"),
    ])
    .unwrap_err();
    let told: Vec<String> = wrongs.iter().map(ToString::to_string).collect();
    let wanted =
        ["x.tmpl: the definition of \"x\" has no {{end}}", "z.tmpl: the function \"nosuch\" is not defined"];
    assert_eq!(told, wanted);
    assert!(Templates::load(&vec![file("a", ""); 201]).is_err());
    assert!(Templates::load(&[file("big", &"x".repeat(5 << 20))]).is_err());
}

#[test]
fn what_nobody_defines_is_remarked() {
    let settings = json!({
        "title": "{{ template \"slack.title\" . }}", "text": "{{ template \"slack.default.text\" . }}",
        "fields": [{ "value": "{{ if }}" }], "channel": "#a", "api_url": "https://hooks.example.org/x",
    });
    let slack = Integration::read("slack_configs", &settings, &Globals::default()).unwrap();
    let remarks = slack.remarks_on(&Templates::default());
    let wanted = [
        "fields[0].value: if has no value: our own text is sent instead",
        "title: no template \"slack.title\" is defined: our own text is sent instead",
    ];
    assert_eq!(remarks, wanted);
}

#[test]
fn output_and_work_are_bounded() {
    for text in [
        "{{ define \"t\" }}{{ template \"t\" . }}{{ end }}{{ template \"t\" . }}",
        "{{ range 1000000 }}{{ toJson $ }}{{ end }}",
        "{{ range 1000000 }}{{ len $.Alerts }}{{ $.Alerts.Firing }}{{ end }}",
        "{{ $x := list 1 }}{{ range 100000 }}{{ $x = append $x (printf \"%9999d\" 1) }}{{ end }}",
        "{{ $x := \"xxxxxxxx\" }}{{ range 60 }}{{ $x = print $x $x }}{{ end }}{{ $x }}",
        "{{ range 1000000 }}{{ range $.Alerts }}{{ end }}{{ end }}",
    ] {
        assert!(plain(text).is_err(), "{text}");
    }
    assert!(plain(&format!("{{{{ print {} }}}}", "$ ".repeat(101))).is_err());
}

/// Bytes that follow from a seed: the same at every run.
fn noise(seed: u64) -> impl Iterator<Item = usize> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap()
    })
}

#[test]
fn rubbish_is_refused_or_rendered_but_never_a_panic() {
    let pieces = "{{|}}|{{-|-}}| |.|$|.Alerts|.Alerts.Firing|.Labels|.CommonLabels|.SortedPairs|.Remove|.StartsAt|.EndsAt\
        |.Format|.Sub|.In|(|)|\"|`|'|\"2006-01-02T15:04:05.999Z07:00 Jan Mon PM\"|\"UTC\"|if|else|end|range|with|define\
        |template|\"t\"|printf|\"%v %d %q\"|1|-1|9223372036854775807|ü|:=|=|,|index|len|toJson|join|list|append|dict\
        |date|tz|since|now|title|urlUnescape|\"%e2%\"|stringSlice|safeHtml|pageText|\"slack\"|slice|and|or|not|eq|lt";
    let pieces: Vec<&str> = pieces.split('|').chain(["|", "\n", "\u{0}"]).map(str::trim_start).collect();
    let mut rendered = 0;
    for seed in 1..6000 {
        let mut noise = noise(seed);
        let inner = noise.next().unwrap().is_multiple_of(2);
        let count = noise.next().unwrap() % 16;
        let words: Vec<&str> = noise.take(count).map(|it| pieces[it % pieces.len()]).collect();
        let text = if inner { format!("{{{{ {} }}}}", words.join(" ")) } else { words.concat() };
        rendered += u32::from(text.contains("{{") && escaped(&text, Escape::Slack).is_ok());
    }
    assert!(rendered > 50, "{rendered}");
    for (text, _) in KNOWN {
        for (at, _) in text.char_indices() {
            let _ = escaped(&text[..at], Escape::Html);
            let _ = escaped(&text[at..], Escape::Slack);
        }
    }
}

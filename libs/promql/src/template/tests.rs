use ops_samples::{Labels, Sample};

use super::*;

const LABELS: [(&str, &str); 4] =
    [("__name__", "m"), ("instance", "db-1.example.org:9100"), ("job", "node"), ("msg", "a <b> \"c\" ü")];

fn samples(expression: &str) -> Result<Vec<VectorSample>, String> {
    let series = |host: &str, value| VectorSample {
        labels: Labels::new([("__name__", "q"), ("host", host), ("zone", "z1")]).unwrap(),
        sample: Sample { at_ms: 0, value },
    };
    match expression {
        "q" => Ok(vec![series("a", 1.5), series("b", 3.0), series("c", 2e7)]),
        "q > 1e9" => Ok(Vec::new()),
        other => Err(format!("cannot evaluate {other}")),
    }
}

fn render(template: &str, value: f64) -> Result<String, TemplateError> {
    let labels = Labels::new(LABELS).unwrap();
    let external_labels = Labels::new([("cluster", "eu-1")]).unwrap();
    let context = Context {
        labels: &labels,
        value,
        external_labels: &external_labels,
        external_url: "https://ops.example.org/prom",
        query: &samples,
    };
    Template::parse(template)?.render(&context)
}

/// Templates, values, and what Go and Prometheus make of them.
const KNOWN: &[(&str, f64, &str)] = &[
    ("plain {text} }}", 0.0, "plain {text} }}"),
    ("{{ $labels.job }}/{{ .Labels.instance }}", 0.0, "node/db-1.example.org:9100"),
    ("[{{ $labels.missing }}]", 0.0, "[]"),
    ("{{ $value }} {{ .Value }}", 1e6, "1e+06 1e+06"),
    ("{{ $value }}", 999_999.0, "999999"),
    ("{{ $value }}", 1_234_567.0, "1.234567e+06"),
    ("{{ $value }}", 0.1 + 0.2, "0.30000000000000004"),
    ("{{ $value }}", 0.000_012_3, "1.23e-05"),
    ("{{ $value }}", f64::INFINITY, "+Inf"),
    ("{{ $value }}", f64::NAN, "NaN"),
    ("{{ $value }}", -0.0, "-0"),
    ("{{ $externalLabels.cluster }} {{ .ExternalLabels }}", 0.0, "eu-1 map[cluster:eu-1]"),
    ("{{ printf \"%v\" $externalLabels }}", 0.0, "map[cluster:eu-1]"),
    ("{{ $externalURL }} {{ externalURL }} {{ pathPrefix }}", 0.0, EXTERNAL),
    (
        "{{ printf \"%.2f|%6.1f|%-6.1f|%06.1f|%+.1f|%.0f\" $value $value $value $value $value $value }}",
        2.5,
        PADDED,
    ),
    ("{{ printf \"%g %e %G %E\" $value $value $value $value }}", 123_456_789.0, GENERAL),
    ("{{ printf \"%.3g %.10g %.4g\" $value $value $value }}", 1234.0, "1.23e+03 1234 1234"),
    ("{{ printf \"%d %5d|%-5d|%05d %x %X %o %b %c %U %q\" 42 42 42 42 255 255 8 5 65 65 65 }}", 0.0, WHOLE),
    ("{{ printf \"%s|%8s|%-8s|%.2s|%q|%x\" \"abc\" \"abc\" \"abc\" \"abc\" \"a\\\"b\" \"az\" }}", 0.0, TEXTS),
    ("{{ printf \"%d\" $value }} {{ printf \"%s\" 3 }} {{ printf \"%d\" }}", 3.5, WRONG_VERBS),
    ("{{ printf \"%t %v %T %T %T %T\" true false $value 1 \"s\" $labels }}", 1.0, KINDS),
    ("{{ printf \"%%|%z|%\" 1 }} {{ printf \"a\" 1 \"b\" }}", 0.0, ODD_VERBS),
    ("{{ printf \"%[2]d %[1]d %*d\" 1 2 }}", 0.0, "2 1 %!d(MISSING)"),
    ("{{ 1 | printf \"%d %s\" 2 }}", 0.0, "2 %!s(int=1)"),
    ("{{ print 1 2 \"a\" 3 4.5 true }}{{ println 1 \"a\" }}", 0.0, "1 2a3 4.5 true1 a\n"),
    ("{{ humanize $value }}", 1_234_567.0, "1.235M"),
    ("{{ humanize $value }}", 0.001_234, "1.234m"),
    ("{{ humanize $value }} {{ humanize1024 $value }}", 0.0, "0 0"),
    ("{{ humanize \"12345\" }} {{ humanize 5 }}", 0.0, "12.35k 5"),
    ("{{ humanize1024 $value }}", 1_073_741_824.0, "1Gi"),
    ("{{ $value | humanizeDuration }}", 93_784.5, "1d 2h 3m 4s"),
    ("{{ $value | humanizeDuration }}", 3_661.0, "1h 1m 1s"),
    ("{{ $value | humanizeDuration }}", -61.7, "-1m 1s"),
    ("{{ $value | humanizeDuration }}", 1.2345, "1.234s"),
    ("{{ $value | humanizeDuration }}", 0.000_2, "200us"),
    ("{{ $value | humanizePercentage }}", 0.123_456, "12.35%"),
    ("{{ $value | humanizePercentage }}", 1.0, "100%"),
    ("{{ $value | humanizeTimestamp }}", 1_435_065_584.128, "2015-06-23 13:19:44.128 +0000 UTC"),
    ("{{ $value | humanizeTimestamp }}", -86_400.0, "1969-12-31 00:00:00 +0000 UTC"),
    ("{{ $value | humanizeTimestamp }}", f64::NAN, "NaN"),
    ("{{ title \"hello wORLD a-b c_d it's\" }}", 0.0, "Hello WORLD A-B C_d It'S"),
    ("{{ toUpper \"aü\" }}{{ toLower \"AÜ\" }}", 0.0, "AÜaü"),
    (
        "{{ stripPort \"h:1\" }} {{ stripPort \"[::1]:80\" }} {{ stripPort \"::1\" }} {{ stripPort \"h\" }}",
        0.0,
        "h ::1 ::1 h",
    ),
    (
        "{{ stripDomain \"a.b.c:1\" }} {{ stripDomain \"1.2.3.4:5\" }} {{ stripDomain \"a.b\" }}",
        0.0,
        "a:1 1.2.3.4:5 a",
    ),
    ("{{ match \"^d.*1\" $labels.instance }} {{ match \"x\" \"y\" }}", 0.0, "true false"),
    ("{{ reReplaceAll \"(.*):(\\\\d+)\" \"$2-${1}\" $labels.instance }}", 0.0, "9100-db-1.example.org"),
    ("{{ safeHtml $labels.msg }} {{ html $labels.msg }}", 0.0, "a <b> \"c\" ü a &lt;b&gt; &#34;c&#34; ü"),
    ("{{ tableLink \"up{a=\\\"b c\\\"}\" }}", 0.0, "/graph?g0.expr=up%7Ba%3D%22b+c%22%7D&g0.tab=1"),
    ("{{ graphLink `rate(x[5m])` }} {{ urlquery `a/b ü` }}", 0.0, LINKS),
    ("{{ with query \"q\" }}{{ . | first | value }} {{ len . }}{{ end }}", 0.0, "1.5 3"),
    ("{{ range query \"q\" }}{{ .Labels.host }}={{ .Value }};{{ end }}", 0.0, "a=1.5;b=3;c=2e+07;"),
    ("{{ range $i, $s := query \"q\" }}{{ $i }}{{ $s.Labels.host }}{{ end }}", 0.0, "0a1b2c"),
    ("{{ range query \"q > 1e9\" }}x{{ else }}none{{ end }}", 0.0, "none"),
    ("{{ range $k, $v := $externalLabels }}{{ $k }}:{{ $v }}{{ end }}", 0.0, "cluster:eu-1"),
    (
        "{{ range query \"q\" | sortByLabel \"host\" }}{{ label \"host\" . }}{{ strvalue . }}{{ end }}",
        0.0,
        "abc",
    ),
    (
        "{{ range query \"q\" }}{{ if eq .Labels.host \"b\" }}{{ continue }}{{ end }}{{ .Value }} {{ end }}",
        0.0,
        "1.5 2e+07 ",
    ),
    (
        "{{ range query \"q\" }}{{ if eq .Labels.host \"b\" }}{{ break }}{{ end }}{{ .Value }} {{ end }}",
        0.0,
        "1.5 ",
    ),
    ("{{ query \"q\" | first | label \"zone\" }} {{ (query \"q\" | first).Value }}", 0.0, "z1 1.5"),
    ("{{ first (query \"q\") }}", 0.0, "{map[__name__:q host:a zone:z1] 1.5}"),
    (
        "{{ (index (query \"q\") 1).Labels.host }} {{ index $labels \"job\" }} {{ len $labels }} {{ len \"ü\" }}",
        0.0,
        "b node 4 2",
    ),
    ("{{ if gt $value 5.0 }}high{{ else if gt $value 2.0 }}mid{{ else }}low{{ end }}", 3.0, "mid"),
    (
        "{{ if and (lt 1 2) (not (eq \"a\" \"b\")) (ne 1 2) }}y{{ end }}{{ or \"\" \"x\" }}{{ and 1 0 }}",
        0.0,
        "yx0",
    ),
    ("{{ eq 3 1 2 3 }} {{ le 2 2 }} {{ ge 1 2 }} {{ gt \"b\" \"a\" }}", 0.0, "true true false true"),
    ("{{ gt $value 1.0 }} {{ eq $value $value }}", f64::NAN, "true false"),
    (
        "{{ with $labels.job }}<{{ . }}{{ $.Value }}>{{ end }}{{ with $labels.no }}x{{ else }}y{{ end }}",
        7.0,
        "<node7>y",
    ),
    ("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $y := 3 }}{{ end }}{{ $x }}", 0.0, "2"),
    ("a {{- 1 -}} b {{- /* c */ -}}  d{{/* e */}}f", 0.0, "a1bdf"),
    (
        "{{define \"t\"}}<{{ .arg0 }},{{ .arg1 }},{{ .arg2 }}>{{end}}{{ template \"t\" (args 1 $labels.job) }}",
        0.0,
        "<1,node,<no value>>",
    ),
    ("{{define \"n\"}}{{ . }}{{end}}{{ template \"n\" . }}{{ template \"n\" }}", 1.0, WHOLE_DATA),
    ("{{ parseDuration \"1d2h30m5s1ms\" }} {{ parseDuration \"0\" }}", 0.0, "95405.001 0"),
    ("{{ (toDuration 90).Minutes }} {{ (toDuration 90).String }}", 0.0, "1.5 1m30s"),
    ("{{ (toTime $value).Year }} {{ toTime $value }}", 1_435_065_584.0, "2015 2015-06-23 13:19:44 +0000 UTC"),
    (
        "{{ 0x10 }} {{ 010 }} {{ 1_000 }} {{ 'a' }} {{ -3 }} {{ 1e3 }} {{ .5 }} {{ true }}",
        0.0,
        "16 8 1000 97 -3 1000 0.5 true",
    ),
    ("{{ \"\\t\\u00fc\\x41\\101\\n\" }}{{ `raw \\n` }}", 0.0, "\tüAA\nraw \\n"),
    ("{{ printf \"%s\" $externalLabels }} {{ printf \"%d\" $externalLabels }}", 0.0, MAPS),
    ("{{ printf \"%+v\" (query \"q\" | first) }} {{ printf \"%x\" 1.5 }}", 0.0, STRUCTS),
    (
        "{{ slice \"abcdef\" 1 3 }} {{ print nil }} {{ printf \"%v %d\" nil nil }}",
        0.0,
        "bc <nil> <nil> %!d(<nil>)",
    ),
];

const EXTERNAL: &str = "https://ops.example.org/prom https://ops.example.org/prom /prom";
const PADDED: &str = "2.50|   2.5|2.5   |0002.5|+2.5|2";
const GENERAL: &str = "1.23456789e+08 1.234568e+08 1.23456789E+08 1.234568E+08";
const WHOLE: &str = "42    42|42   |00042 ff FF 10 101 A U+0041 'A'";
const TEXTS: &str = "abc|     abc|abc     |ab|\"a\\\"b\"|617a";
const WRONG_VERBS: &str = "%!d(float64=3.5) %!s(int=3) %!d(MISSING)";
const KINDS: &str = "true false float64 int string map[string]string";
const ODD_VERBS: &str = "%|%!z(int=1)|%!(NOVERB) a%!(EXTRA int=1, string=b)";
const LINKS: &str = "/graph?g0.expr=rate%28x%5B5m%5D%29&g0.tab=0 a%2Fb+%C3%BC";
const WHOLE_DATA: &str = "{map[__name__:m instance:db-1.example.org:9100 job:node msg:a <b> \"c\" ü] \
     map[cluster:eu-1] https://ops.example.org/prom 1}<no value>";
const MAPS: &str = "map[cluster:eu-1] map[%!d(string=cluster):%!d(string=eu-1)]";
const STRUCTS: &str = "&{Labels:map[__name__:q host:a zone:z1] Value:1.5} 0x1.8p+00";

#[test]
fn templates_render_as_go_and_prometheus_render_them() {
    for (template, value, wanted) in KNOWN {
        assert_eq!(render(template, *value).as_deref(), Ok(*wanted), "{template} with {value}");
    }
}

#[test]
fn faults_are_found_when_a_template_is_parsed() {
    for (template, reason) in [
        ("{{ $labels.x ", "not closed"),
        ("{{ nosuch 1 }}", "\"nosuch\" is not defined"),
        ("{{ $x }}", "$x is not defined"),
        ("{{ if true }}a", "no {{end}}"),
        ("{{ end }}", "without a beginning"),
        ("{{ else }}", "without {{if}}"),
        ("{{ if }}a{{ end }}", "no value"),
        ("{{ 1 | 2 }}", "takes none"),
        ("{{ \"a }}", "not closed"),
        ("{{ $value | }}", "unexpected"),
        ("{{ break }}", "outside"),
        ("{{ /* a }}", "unexpected"),
        ("{{/* a }}", "not closed"),
        ("{{ 1.2.3 }}", "no number"),
        ("{{define \"a\"}}{{ $labels }}{{end}}", "$labels is not defined"),
        ("{{ .a!b }}", "unexpected"),
    ] {
        let error = render(template, 0.0).unwrap_err();
        assert!(error.reason.contains(reason), "{template}: {error}");
    }
}

#[test]
fn wrong_values_are_errors_that_name_them() {
    for (template, reason) in [
        ("{{ if gt $value 5 }}{{ end }}", "float64 with a int"),
        ("{{ toUpper $value }}", "toUpper does not take (float64)"),
        ("{{ query \"broken(\" }}", "cannot evaluate broken("),
        ("{{ query \"q > 1e9\" | first }}", "gave nothing"),
        ("{{ .Nope }}", "no field Nope"),
        ("{{ $value.x }}", "no field x in a float64"),
        ("{{ humanize \"x\" }}", "no number"),
        ("{{ match \"(\" \"x\" }}", "pattern"),
        ("{{ index (query \"q\") 9 }}", "out of range"),
        ("{{ template \"t\" }}", "not defined"),
        ("{{ parseDuration \"5m1h\" }}", "no duration"),
        ("{{ slice \"abc\" 2 1 }}", "out of range"),
        ("{{ toTime 1e300 }}", "no time"),
        ("{{ len }}", "wrong number of arguments"),
    ] {
        let error = render(template, 1.0).unwrap_err();
        assert!(error.reason.contains(reason), "{template}: {error}");
    }
}

#[test]
fn output_recursion_and_work_are_bounded() {
    for (template, reason) in [
        ("{{define \"t\"}}{{ template \"t\" }}{{end}}{{ template \"t\" }}", "nested deeper"),
        ("{{ printf \"%999999d\" 1 }}", "more than"),
        ("{{ range 300000 }}0123456789{{ end }}", "more than"),
        ("{{ range 1000000000000 }}{{ end }}", "too much"),
        ("{{ $x := args 1 }}{{ range 60 }}{{ $x = args $x $x }}{{ end }}{{ $x }}", "too much"),
        ("{{ range 3000 }}{{ range 3000 }}{{ end }}{{ end }}", "too much"),
        ("{{ range 2000 }}{{ $x := query \"q\" }}{{ end }}", "queries"),
        (
            "{{ reReplaceAll \"\" \"0123456789012345678901234567890123456789\" (printf \"%9999d\" 1) }}",
            "more than",
        ),
        ("{{ match \"((a{100}){100}){100}\" \"a\" }}", "pattern"),
    ] {
        let error = render(template, 0.0).unwrap_err();
        assert!(error.reason.contains(reason), "{template}: {error}");
    }
    for deep in
        ["{{ (".repeat(5000), "{{if 1}}".repeat(5000), "{{ if 1 }}{{ else ".repeat(3000), "(".repeat(9)]
    {
        let _ = render(&deep, 0.0);
    }
    assert!(render(&"x".repeat(300 << 10), 0.0).is_err());
}

/// Bytes that follow from a seed: the same at every run.
fn noise(seed: u64) -> impl Iterator<Item = u64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    })
}

#[test]
fn rubbish_is_refused_or_rendered_but_never_a_panic() {
    let pieces = [
        "{{",
        "}}",
        "{{-",
        "-}}",
        " ",
        "- ",
        "$",
        ".",
        "$labels",
        ".Value",
        "|",
        "(",
        ")",
        "\"",
        "`",
        "'",
        "\\",
        "if",
        "else",
        "end",
        "range",
        "with",
        "define",
        "template",
        "\"t\"",
        "printf",
        "%",
        "%5.",
        "%*d",
        "%[",
        "1",
        "0x",
        "1e9",
        "-",
        "ü",
        ":=",
        "=",
        ",",
        "/*",
        "*/",
        "query",
        "\"q\"",
        "first",
        "humanize",
        "toTime",
        "\n",
        "nil",
        "true",
        "index",
        "args",
        "9223372036854775807",
        "slice",
        "len",
        "and",
        "block",
        "break",
        "\u{0}",
    ];
    let mut rendered = 0;
    for seed in 1..4000 {
        let mut noise = noise(seed);
        let count = noise.next().unwrap_or(0) % 24;
        let pick = |it: u64| pieces[usize::try_from(it % pieces.len() as u64).unwrap()];
        let text: String = noise.take(usize::try_from(count).unwrap()).map(pick).collect();
        rendered += u32::from(render(&text, 1e300).is_ok());
    }
    assert!(rendered > 0);
    for (template, ..) in KNOWN {
        for (at, _) in template.char_indices() {
            let _ = render(&template[..at], -1.0);
            let _ = render(&template[at..], f64::MIN_POSITIVE);
        }
    }
}

mod promtool;

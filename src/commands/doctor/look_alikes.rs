//! What a secret looks like in a text: the published shapes of keys and tokens, and long random values behind a telling name.

use std::sync::LazyLock;

use regex::bytes::{Regex, RegexSet};

/// A line that ends in this only looks like one.
pub(super) const MARK: &str = "not-a-secret";

/// Shapes that their makers have published; a match is one.
const SHAPES: &[(&str, &str)] = &[
    ("a private key", r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----\s*(?:$|[A-Za-z0-9+/\\])"),
    ("an AWS access key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("a GitHub token", r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})\b"),
    ("a GitLab token", r"\bglpat-[A-Za-z0-9_-]{20,}"),
    ("a Slack token", r"\bxox[abeprs]-[0-9A-Za-z-]{20,}"),
    ("a Slack webhook", r"hooks\.slack\.com/services/T[0-9A-Z]{8,}/B[0-9A-Z]{8,}/[0-9A-Za-z]{20,}"),
    ("a Discord webhook", r"discord(?:app)?\.com/api/webhooks/[0-9]{17,}/[A-Za-z0-9_-]{60,}"),
    ("a Stripe key", r"\b[rs]k_live_[0-9A-Za-z]{20,}"),
    ("an Anthropic key", r"\bsk-ant-[A-Za-z0-9_-]{24,}"),
    ("an OpenAI key", r"\bsk-(?:proj-)?[A-Za-z0-9_]{40,}"),
    ("a Google key", r"\bAIza[0-9A-Za-z_-]{35}\b"),
    ("a SendGrid key", r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b"),
    ("a Vault token", r"\bhv[sb]\.[A-Za-z0-9_-]{24,}"),
    ("an npm token", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("a Sentry token", r"\bsntr[yu]s_[A-Za-z0-9_=-]{40,}"),
    ("an age key", r"\bAGE-SECRET-KEY-1[0-9A-Z]{40,}"),
    ("an audit key", r"\bPRIVATE\+KEY\+[^+\s]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{40,}"),
    ("a signed token", r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}"),
];

/// Values that everybody knows: those of the makers' own manuals.
const KNOWN: &[&str] = &["AKIAIOSFODNN7EXAMPLE"];

/// A password in an address, or a value behind a telling name; its randomness decides.
const VALUES: &[(&str, &str, usize)] = &[
    ("a password in an address", r"[a-z][a-z0-9+.-]*://[^\s:/@'\x22{$<]+:([^\s:/@'\x22{$<]+)@[^\s'\x22]", 12),
    (
        "a value of a secret",
        r"(?i)[a-z0-9_.-]*(?:secret|passw(?:or)?d|api_?key|access_?key|private_?key|token)[a-z0-9_]*[\x22']?\s*[:=]\s*[\x22']?([A-Za-z0-9+/=_-]{20,})[\x22']?\s*(?:[,;#]|$)",
        20,
    ),
];

/// Bits of entropy for each character from which on a value is taken for random. Words and paths stay below; 20 random
/// characters of base64 have 3.9 on average, hexadecimal digits 3.3.
const RANDOM: f64 = 3.2;

static SET: LazyLock<RegexSet> = LazyLock::new(|| {
    RegexSet::new(SHAPES.iter().map(|(_, shape)| *shape)).expect("each shape is tested to be an expression")
});
static MATCHERS: LazyLock<Vec<(&str, Regex, usize)>> = LazyLock::new(|| {
    let made = VALUES.iter().map(|(what, shape, least)| Ok((*what, Regex::new(shape)?, *least)));
    made.collect::<Result<_, regex::Error>>().expect("each shape is tested to be an expression")
});

/// What the line seems to hold. `settings`: the file is one of settings, where a name and a value stand side by side.
pub(super) fn look(line: &[u8], settings: bool) -> Option<&'static str> {
    if contains(line, MARK) || KNOWN.iter().any(|it| contains(line, it)) {
        return None;
    }
    if let Some(found) = SET.matches(line).iter().next() {
        return SHAPES.get(found).map(|(what, _)| *what);
    }
    MATCHERS.iter().filter(|(what, ..)| settings || *what != "a value of a secret").find_map(
        |(what, shape, least)| {
            let value = shape.captures(line)?.get(1)?.as_bytes();
            (value.len() >= *least && is_random(value)).then_some(*what)
        },
    )
}

fn contains(line: &[u8], text: &str) -> bool {
    line.windows(text.len()).any(|it| it == text.as_bytes())
}

/// Whether it is neither a word nor a path: letters and digits mixed, and many different ones.
fn is_random(value: &[u8]) -> bool {
    let mut counts = [0_u32; 256];
    for byte in value {
        counts[usize::from(*byte)] += 1;
    }
    let length = value.len() as f64;
    let entropy: f64 = counts
        .iter()
        .filter(|it| **it > 0)
        .map(|count| f64::from(*count) / length)
        .map(|share| -share * share.log2())
        .sum();
    let digits = value.iter().filter(|it| it.is_ascii_digit()).count();
    // Random text changes between letters and digits all the time; names with a number at the end do once or twice.
    let changes = value.windows(2).filter(|it| it[0].is_ascii_digit() != it[1].is_ascii_digit()).count();
    entropy >= RANDOM && digits > 1 && changes >= 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_and_never_need_a_settings_file() {
        let random = "q7Zk3vT9xB2mL5pR8wY1nC4dF6gH0jKs";
        for line in [
            format!("{}{}", "AKIA", "QYLPMN5HHHFPZAM2"),
            format!("token = ghp_{random}abcd"),
            format!("  \"{}BEGIN RSA PRIVATE KEY-----\\nMIIE", "-----"),
            format!("{}BEGIN PRIVATE KEY-----", "-----"),
            format!("sk_live_{random}"),
            format!("sk-ant-api03-{random}"),
            format!("hvs.{random}"),
            format!("postgres://app:{random}@db.internal:5432/x"),
            format!("PRIVATE+KEY+a/b+0badcafe+{random}{random}"),
        ] {
            assert!(look(line.as_bytes(), false).is_some(), "{line}");
        }
        assert_eq!(look(format!("JWT_SECRET={random}").as_bytes(), true), Some("a value of a secret"));
        assert_eq!(look(format!("JWT_SECRET={random} # not-a-secret").as_bytes(), true), None);
    }

    #[test]
    fn what_only_names_a_secret_is_none() {
        for line in [
            "JWT_SECRET=change-me-before-production",
            "JWT_SECRET=${JWT_SECRET}",
            "password = \"<your password>\"",
            "token_secret = \"BAO_AUDIT_TOKEN\"",
            "postgres://user:password@localhost:5432/db",
            "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE",
            "secret_access_key: the_second_part_of_a_pair_v2",
            "-----BEGIN CERTIFICATE-----",
            "",
        ] {
            assert_eq!(look(line.as_bytes(), true), None, "{line}");
        }
        assert_eq!(look(&[0xff, 0xfe, 0x00, 0x80], true), None);
    }
}

//! Finds in running text what looks like a secret or a person's address, by its shape or by the word before it.

use super::redact::{REDACTED, announces_secret};

/// Beginnings of tokens that say what they are.
const TOKENS: [&str; 12] = [
    "eyJ",
    "sk_",
    "sk-",
    "rk_live_",
    "ghp_",
    "gho_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "AKIA",
    "idk_",
];
/// Shorter ones are words.
const SHORTEST_TOKEN: usize = 16;
const PRIVATE_KEY: &str = "-----BEGIN ";

/// The text without them.
pub(super) fn scrubbed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // A key that is written out goes on over many lines.
    let (mut rest, has_key) = match text.find(PRIVATE_KEY) {
        Some(at) => (&text[..at], true),
        None => (text, false),
    };
    let mut before = Before::default();
    while !rest.is_empty() {
        let gap = rest.find(|it| !is_gap(it)).unwrap_or(rest.len());
        out.push_str(&rest[..gap]);
        let quote = rest[..gap].chars().last().filter(|it| matches!(it, '"' | '\'' | '`'));
        rest = &rest[gap..];
        if before.announced
            && let Some(quote) = quote
        {
            // What is quoted is one value, with all its words.
            let end = rest.find(quote).unwrap_or(rest.len());
            out.push_str(REDACTED);
            rest = &rest[end..];
            before = Before::default();
            continue;
        }
        let end = rest.find(is_gap).unwrap_or(rest.len());
        let word = &rest[..end];
        rest = &rest[end..];
        if !word.is_empty() {
            out.push_str(&before.take(word));
        }
    }
    if has_key {
        out.push_str(REDACTED);
    }
    out
}

fn is_gap(letter: char) -> bool {
    letter.is_whitespace() || "\"'`<>(){}[],;|&?\\".contains(letter)
}

/// What the words before say of the next one.
#[derive(Default)]
struct Before {
    /// The next word is a secret's value.
    announced: bool,
    /// The last word is a secret's name, if a colon follows.
    named: bool,
}

impl Before {
    fn take(&mut self, word: &str) -> String {
        let before = std::mem::take(self);
        if matches!(word.to_ascii_lowercase().as_str(), "bearer" | "basic") {
            self.announced = true;
            return word.to_owned();
        }
        if before.announced {
            return REDACTED.to_owned();
        }
        if matches!(word, ":" | "=" | "=>" | ":=") {
            self.announced = before.named;
            return word.to_owned();
        }
        self.named = announces_secret(word);
        let name = word.trim_end_matches([':', '=']);
        if name.len() < word.len() {
            self.announced = announces_secret(name);
            self.named = false;
            return word.to_owned();
        }
        if let Some((name, value)) = word.split_once(['=', ':'])
            && !value.starts_with("//")
            && announces_secret(name)
        {
            return format!("{}{REDACTED}", &word[..word.len() - value.len()]);
        }
        shaped(word)
    }
}

/// A word that is an address or a token is replaced.
fn shaped(word: &str) -> String {
    if let Some((scheme, rest)) = word.split_once("://")
        && let Some((_, host)) = rest.rsplit_once('@')
    {
        return format!("{scheme}://{REDACTED}@{host}");
    }
    if word.rsplit_once('@').is_some_and(|(local, domain)| is_mailbox(local, domain)) {
        return REDACTED.to_owned();
    }
    for part in word.split_inclusive(['=', ':', '/']) {
        if part.len() >= SHORTEST_TOKEN && TOKENS.iter().any(|token| part.starts_with(token)) {
            return word.replace(part, REDACTED);
        }
    }
    word.to_owned()
}

/// A folder of npm's and a package with its version have an `@` too.
fn is_mailbox(local: &str, domain: &str) -> bool {
    let end = domain.find(|it: char| !it.is_alphanumeric() && it != '.' && it != '-').unwrap_or(domain.len());
    let host = domain[..end].trim_end_matches('.');
    let top = host.rsplit_once('.').map_or("", |(_, top)| top);
    let is_local = local.chars().last().is_some_and(|it| it != '/');
    is_local && top.len() >= 2 && top.chars().all(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_running_text_are_found_by_their_shape_and_by_their_name() {
        for (text, shown) in [
            ("connect ECONNREFUSED 127.0.0.1:5432", "connect ECONNREFUSED 127.0.0.1:5432"),
            ("TokenExpiredError: jwt expired", "TokenExpiredError: jwt expired"),
            ("Unknown job name: welcome", "Unknown job name: welcome"),
            (
                "    at run (/app/node_modules/@acme/mail.js:1:2)",
                "    at run (/app/node_modules/@acme/mail.js:1:2)",
            ),
            ("at bullmq@5.81.5/dist/x.js", "at bullmq@5.81.5/dist/x.js"),
            ("to anna@example.org:25", "to ‹redacted›"),
            ("no mailbox anna@example.org.", "no mailbox ‹redacted›"),
            ("Anna <anna@example.org>", "Anna <‹redacted›>"),
            ("password=hunter2 user=anna", "password=‹redacted› user=anna"),
            ("password: hunter2, ok", "password: ‹redacted›, ok"),
            ("{\"password\":\"two words\",\"n\":1}", "{\"password\":\"‹redacted›\",\"n\":1}"),
            ("{\"password\" : \"x\"}", "{\"password\" : \"‹redacted›\"}"),
            ("Key (email)=(anna) already exists", "Key (email)=(‹redacted›) already exists"),
            ("GET https://x.org/y?token=abc&n=1", "GET https://x.org/y?token=‹redacted›&n=1"),
            ("redis://user:pass@host:6379/0 is away", "redis://‹redacted›@host:6379/0 is away"),
            ("Authorization: Bearer abc.def", "Authorization: Bearer ‹redacted›"),
            ("sent bearer abc.def", "sent bearer ‹redacted›"),
            ("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x", "got ‹redacted›"),
            ("used ghp_0123456789abcdef0123", "used ‹redacted›"),
            ("-----BEGIN PRIVATE KEY-----\nabc", "‹redacted›"), // not-a-secret
            ("", ""),
            ("\"", "\""),
            ("password:", "password:"),
        ] {
            assert_eq!(scrubbed(text), shown, "{text}");
        }
    }
}

//! How each receiver writes bold text, links and times, and what it must not be sent as it is.

use ops_contract::Timestamp;

use super::facts::utc;

/// A receiver's markup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::receivers) enum Markup {
    Plain,
    Slack,
    Discord,
    Html,
}

impl Markup {
    /// By the name that templates say.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "plain" => Some(Self::Plain),
            "slack" => Some(Self::Slack),
            "discord" => Some(Self::Discord),
            "html" => Some(Self::Html),
            _ => None,
        }
    }

    pub(super) fn line_break(self) -> &'static str {
        match self {
            Self::Html => "<br>\n",
            _ => "\n",
        }
    }

    pub(super) fn between_links(self) -> &'static str {
        match self {
            // Where the whole address is seen it needs a line.
            Self::Plain => "\n",
            _ => " · ",
        }
    }

    /// The text so that nothing in it is markup, on one line.
    pub(in crate::receivers) fn escape(self, text: &str) -> String {
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.escape_all(&text)
    }

    /// The same; lines stay lines as they are.
    pub(super) fn escape_all(self, text: &str) -> String {
        text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
            match (self, c) {
                (Self::Slack | Self::Html, '&') => out.push_str("&amp;"),
                (Self::Slack | Self::Html, '<') => out.push_str("&lt;"),
                (Self::Slack | Self::Html, '>') => out.push_str("&gt;"),
                (Self::Html, '"') => out.push_str("&#34;"),
                (Self::Html, '\'') => out.push_str("&#39;"),
                (Self::Discord, '\\' | '*' | '_' | '~' | '`' | '|' | '<' | '>' | '#') => {
                    out.push('\\');
                    out.push(c);
                }
                // What makes a link of a text in brackets.
                (Self::Discord, '(') if out.ends_with(']') => out.push_str("\\("),
                (_, c) => out.push(c),
            }
            out
        })
    }

    /// The same; its lines stay lines.
    pub(super) fn escape_lines(self, text: &str) -> String {
        text.lines().map(|line| self.escape(line)).collect::<Vec<_>>().join(self.line_break())
    }

    /// `escaped` in bold.
    pub(super) fn bold(self, escaped: &str) -> String {
        match self {
            Self::Plain => escaped.to_owned(),
            Self::Slack => format!("*{escaped}*"),
            Self::Discord => format!("**{escaped}**"),
            Self::Html => format!("<b>{escaped}</b>"),
        }
    }

    /// A link; nothing where `url` is no address of a page.
    pub(super) fn link(self, text: &str, url: &str) -> Option<String> {
        let url = address(url)?;
        let text = self.escape(&cut(text, 60));
        Some(match self {
            Self::Plain => format!("{text}: {url}"),
            Self::Slack => format!("<{}|{}>", self.escape(&url), text.replace('|', "/")),
            Self::Discord => format!("[{text}](<{url}>)"),
            Self::Html => format!("<a href=\"{}\">{text}</a>", self.escape(&url)),
        })
    }

    /// A time; in the reader's own zone where the receiver can do that.
    pub(super) fn moment(self, at: Timestamp) -> String {
        let (seconds, utc) = (at.0.div_euclid(1_000_000), utc(at));
        match self {
            Self::Slack => format!("<!date^{seconds}^{{date_short_pretty}} {{time}}|{utc}>"),
            Self::Discord => format!("<t:{seconds}:f>"),
            Self::Plain | Self::Html => utc,
        }
    }
}

/// Escaped for Slack, but for what already is: its entities, and web links such as `<https://example.com|text>`.
pub(super) fn keeping_links(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let kept = match c {
            '<' => link_length(rest),
            '&' => ["&amp;", "&lt;", "&gt;"].iter().find(|it| rest.starts_with(**it)).map(|it| it.len()),
            _ => None,
        };
        let length = kept.unwrap_or(c.len_utf8());
        let (part, after) = rest.split_at(length);
        if kept.is_some() {
            out.push_str(part);
        } else {
            out.push_str(&Markup::Slack.escape_all(part));
        }
        rest = after;
    }
    out
}

/// The length of the web link that `rest` begins with.
fn link_length(rest: &str) -> Option<usize> {
    let inner = rest.get(1..)?;
    let end = inner.find(['<', '>', '\n'])?;
    let link = inner.starts_with("https://") || inner.starts_with("http://");
    (link && inner.get(end..)?.starts_with('>')).then_some(end + 2)
}

/// An http(s) address in which no character ends a link of any markup; nothing of what is something else or very long.
pub(in crate::receivers) fn address(url: &str) -> Option<String> {
    let url = url.trim();
    let known = url.starts_with("https://") || url.starts_with("http://");
    if !known || url.len() > 2000 {
        return None;
    }
    Some(url.chars().fold(String::with_capacity(url.len()), |mut out, c| {
        match c {
            '<' => out.push_str("%3C"),
            '>' => out.push_str("%3E"),
            '|' => out.push_str("%7C"),
            '"' => out.push_str("%22"),
            '(' => out.push_str("%28"),
            ')' => out.push_str("%29"),
            c if c.is_whitespace() || c.is_control() => out.push_str("%20"),
            c => out.push(c),
        }
        out
    }))
}

/// At most `most` characters; what was cut off is shown as `…`.
pub(in crate::receivers) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{kept}…")
}

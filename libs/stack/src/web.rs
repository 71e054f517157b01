use crate::reader::{At, quoted};
use crate::section::Section;

/// Whether a text is the address of a server that HTTP is spoken with; no user, no password.
pub(crate) fn is_url(text: &str) -> bool {
    text.len() <= 2000
        && url::Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
        })
}

/// Notes if this is not such an address.
pub(crate) fn check(section: &Section<'_, '_>, at: &At<String>) {
    if !is_url(&at.value) {
        // It may hold a password, so it is not shown.
        let fix = "write one such as \"https://metrics.example.com\", without user or password";
        section.reader.wrong(at, "this is not a URL", fix);
    }
}

/// What keeps a text from being `host:port`, or a host alone.
pub(crate) fn check_target(text: &str) -> Result<(), String> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(host);
    let good = !bare.is_empty()
        && bare.len() <= 253
        && bare.chars().all(|it| it.is_ascii_alphanumeric() || ".-_:".contains(it))
        && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    if good { Ok(()) } else { Err(format!("{} is not host:port", quoted(text))) }
}

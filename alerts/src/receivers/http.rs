//! What all kinds that speak HTTP share: `http_config`, `timeout`, `allow_private`, and the request that comes of them.

mod headers;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::settings::{Secret, Settings};
use super::{HttpMessage, Message, Telling, guard};
use headers::{check_value, headers, http_headers, is_token, is_value};

/// Longest time for an exchange when the settings do not say it.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Longest time that can be set: a receiver that takes longer has hung.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(60);
/// Largest body in bytes.
pub(super) const LARGEST: usize = 1 << 20;
/// How a receiver is asked.
#[derive(Debug)]
pub(super) struct Http {
    auth: Auth,
    headers: Vec<(String, Secret)>,
    timeout: Duration,
    allow_private: bool,
}

/// How we say who we are.
#[derive(Debug, Default)]
enum Auth {
    #[default]
    Not,
    /// `Authorization: Bearer …`.
    Scheme(String, Secret),
    Basic(Secret, Secret),
    /// The settings want what we do not do: nothing is sent, rather than something that is refused.
    CannotBe(&'static str),
}

impl Http {
    /// Reads `http_config`, else that of the global section, `timeout` and `allow_private`.
    pub(super) fn read(settings: &Settings<'_>) -> Self {
        let (auth, headers) =
            settings.within_or_global("http_config", "http_config", config).unwrap_or_default();
        let timeout = match settings.duration("timeout") {
            None | Some(Duration::ZERO) => TIMEOUT,
            Some(long) if long > LONGEST_TIMEOUT => {
                settings.remark("timeout: no receiver is waited for longer than 60s".to_owned());
                LONGEST_TIMEOUT
            }
            Some(timeout) => timeout,
        };
        Self { auth, headers, timeout, allow_private: settings.flag("allow_private", false) }
    }

    /// Adds headers that the entry itself has.
    pub(super) fn add_headers(&mut self, settings: &Settings<'_>, key: &str) {
        self.headers.extend(headers(settings, key));
    }

    /// All that must not be shown.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let auth: Vec<&Secret> = match &self.auth {
            Auth::Not | Auth::CannotBe(_) => Vec::new(),
            Auth::Scheme(_, credentials) => vec![credentials],
            Auth::Basic(name, password) => vec![name, password],
        };
        auth.into_iter().chain(self.headers.iter().map(|(_, value)| value))
    }

    /// A request with a JSON body; `own` are headers of the kind, which those of the settings replace.
    pub(super) fn post(
        &self,
        url: &str,
        own: Vec<(String, SecretString)>,
        body: Vec<u8>,
        telling: &Telling<'_>,
    ) -> Result<Message, String> {
        if body.len() > LARGEST {
            return Err(format!("the message has {} bytes, more than {LARGEST}", body.len()));
        }
        let (url, login) = target(url)?;
        let mut headers = vec![
            ("content-type".to_owned(), SecretString::from("application/json")),
            ("user-agent".to_owned(), SecretString::from(format!("insightdesk/{}", telling.version))),
        ];
        if telling.test {
            headers.push(("insightdesk-test".to_owned(), SecretString::from("true")));
        }
        let signed_in = own.iter().any(|(name, _)| name == "authorization");
        headers.extend(own);
        if !signed_in {
            headers.extend(self.authorization(login)?);
        }
        headers.retain(|(own, _)| !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(own)));
        for (name, value) in &self.headers {
            headers.push((name.to_ascii_lowercase(), SecretString::from(value.get()?)));
        }
        if let Some((name, _)) = headers.iter().find(|(_, value)| !is_value(value.expose_secret())) {
            return Err(format!("the header {name} has a line break or another character that none carries"));
        }
        Ok(Message::Http(HttpMessage {
            method: "POST".to_owned(),
            url,
            headers,
            body,
            timeout: self.timeout,
            allow_private: self.allow_private,
        }))
    }

    fn authorization(&self, login: Option<String>) -> Result<Option<(String, SecretString)>, String> {
        let value = match &self.auth {
            Auth::Not => login,
            Auth::Scheme(scheme, credentials) => Some(format!("{scheme} {}", credentials.get()?)),
            Auth::Basic(name, password) => Some(basic(name.get()?, password.get()?)),
            Auth::CannotBe(why) => return Err((*why).to_owned()),
        };
        Ok(value.map(|value| ("authorization".to_owned(), SecretString::from(value))))
    }
}

/// Tells what is wrong with the address under `key`, as far as that can be known before a message is made.
pub(super) fn check_url(settings: &Settings<'_>, key: &str, url: &Secret) {
    let Ok(url) = url.get() else { return };
    if !url.contains("{{")
        && let Err(problem) = target(url)
    {
        settings.wrong(key, problem, "write it like https://hooks.example.com/path");
    }
}

/// The address without name and password, and these as a header.
fn target(url: &str) -> Result<(SecretString, Option<String>), String> {
    let url = url.trim();
    let mut login = None;
    let mut clean = url.to_owned();
    if let Ok(mut parsed) = Url::parse(url)
        && (!parsed.username().is_empty() || parsed.password().is_some())
    {
        login = Some(basic(&unescaped(parsed.username()), &unescaped(parsed.password().unwrap_or_default())));
        if parsed.set_username("").is_ok() && parsed.set_password(None).is_ok() {
            clean = parsed.to_string();
        }
    }
    guard::url_allowed(&clean).map_err(str::to_owned)?;
    Ok((SecretString::from(clean), login))
}

/// The address of something below a base address.
pub(super) fn below(base: &str, parts: &[&str]) -> Result<Url, String> {
    let mut url = Url::parse(base.trim()).map_err(|_| "the address cannot be read".to_owned())?;
    match url.path_segments_mut() {
        Ok(mut path) => drop(path.pop_if_empty().extend(parts)),
        Err(()) => return Err("the address cannot have a path".to_owned()),
    }
    Ok(url)
}

fn unescaped(text: &str) -> String {
    // As the key of a form's only pair; what means something in forms is escaped before.
    let text = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(text.as_bytes()).next().map(|(text, _)| text.into_owned()).unwrap_or_default()
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

type Config = (Auth, Vec<(String, Secret)>);

fn config(settings: &Settings<'_>) -> Config {
    settings.not_used(&[
        "tls_config",
        "proxy_url",
        "no_proxy",
        "proxy_from_environment",
        "proxy_connect_header",
    ]);
    // Redirects are not followed, and the version of HTTP is agreed on: neither changes who is told.
    let _ = (settings.value("follow_redirects"), settings.value("enable_http2"));
    let mut ways: Vec<(&str, Auth)> = Vec::new();
    if let Some(auth) = settings.within("authorization", authorization) {
        ways.push(("authorization", auth));
    }
    if let Some(auth) = settings.within("basic_auth", basic_auth) {
        ways.push(("basic_auth", auth));
    }
    if let Some(token) = settings.secret("bearer_token") {
        check_value(settings, "bearer_token", &token);
        ways.push(("bearer_token", Auth::Scheme("Bearer".to_owned(), token)));
    }
    let not_done = [
        ("bearer_token_file", "bearer_token_file is not read here: write bearer_token: ${NAME}"),
        ("oauth2", "oauth2 is not spoken here: write authorization with credentials: ${NAME}"),
    ];
    for (key, why) in not_done {
        if settings.value(key).is_some() {
            settings.remark(why.to_owned());
            ways.push((key, Auth::CannotBe(why)));
        }
    }
    if ways.len() > 1 {
        let names: Vec<&str> = ways.iter().map(|(name, _)| *name).collect();
        settings.wrong("", format!("{} are both there", names.join(" and ")), "keep one of them");
    }
    let mut all = headers(settings, "headers");
    all.extend(http_headers(settings));
    (ways.into_iter().next().map_or(Auth::Not, |(_, auth)| auth), all)
}

fn authorization(settings: &Settings<'_>) -> Auth {
    let scheme = settings.text("type").unwrap_or_else(|| "Bearer".to_owned());
    if !is_token(&scheme) || scheme.eq_ignore_ascii_case("basic") {
        settings.wrong("type", format!("{scheme:?} cannot stand here"), "write Bearer, or use basic_auth");
    }
    let file = settings.value("credentials_file").is_some();
    match settings.secret("credentials") {
        Some(credentials) => {
            check_value(settings, "credentials", &credentials);
            Auth::Scheme(scheme, credentials)
        }
        None if file => cannot_be(settings, "credentials_file is not read here: write credentials: ${NAME}"),
        None => {
            settings.wrong("credentials", "are missing".to_owned(), "write credentials: ${NAME}");
            Auth::Not
        }
    }
}

fn basic_auth(settings: &Settings<'_>) -> Auth {
    let files = settings.value("username_file").is_some() | settings.value("password_file").is_some();
    let (name, password) = (settings.secret("username"), settings.secret("password"));
    if files && (name.is_none() || password.is_none()) {
        return cannot_be(
            settings,
            "files with a name or password are not read here: write password: ${NAME}",
        );
    }
    let empty = || Secret::new("");
    Auth::Basic(name.unwrap_or_else(empty), password.unwrap_or_else(empty))
}

fn cannot_be(settings: &Settings<'_>, why: &'static str) -> Auth {
    settings.remark(why.to_owned());
    Auth::CannotBe(why)
}

#[cfg(test)]
mod tests;

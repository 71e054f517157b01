//! One message to one receiver. Alone in knowing how HTTP and mail are spoken; what answers mean the integrations know.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::Context;
use lettre::message::{Mailbox, MultiPart, SinglePart, header};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use ops_alerts::receivers::guard;
use ops_alerts::receivers::{HttpMessage, MailMessage, Message};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, Method};
use secrecy::ExposeSecret;

/// Longest part of an answer that is read, in bytes.
const ANSWER: usize = 64 * 1024;
/// Longest pause that a receiver can ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);
/// Longest exchange with a mail server.
pub(super) const MAIL_PATIENCE: Duration = Duration::from_secs(30);

/// What a receiver said.
pub(super) struct Said {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Vec<u8>,
}

/// Why there is no answer.
pub(super) struct NoAnswer {
    pub(super) why: String,
    /// The receiver may have the message all the same.
    pub(super) uncertain: bool,
    /// Another time will be no better.
    pub(super) for_good: bool,
}

/// Sends messages.
pub(super) struct Sender {
    guarded: Client,
    private: Client,
    production: bool,
}

/// Resolves names, and leaves out the addresses to which nothing may be sent.
struct Guard {
    production: bool,
    allow_private: bool,
}

impl Sender {
    pub(super) fn new(production: bool) -> anyhow::Result<Self> {
        let client = |allow_private| {
            Client::builder()
                .no_proxy()
                .redirect(Policy::none())
                .connect_timeout(Duration::from_secs(5))
                .pool_idle_timeout(Duration::from_secs(60))
                .dns_resolver(Arc::new(Guard { production, allow_private }))
                .build()
                .context("could not set up the HTTP client")
        };
        Ok(Self { guarded: client(false)?, private: client(true)?, production })
    }

    pub(super) async fn send(&self, message: Message) -> Result<Said, NoAnswer> {
        match message {
            Message::Http(message) => self.http(message).await,
            Message::Mail(message) => match tokio::time::timeout(MAIL_PATIENCE, mail(*message)).await {
                Ok(said) => said,
                Err(_) => Err(NoAnswer::uncertain("the mail server did not answer in time")),
            },
            Message::Log(text) => {
                tracing::warn!(target: "insightdesk::pages", "{text}");
                Ok(Said { status: 200, retry_after: None, body: Vec::new() })
            }
        }
    }

    async fn http(&self, message: HttpMessage) -> Result<Said, NoAnswer> {
        let url = message.url.expose_secret();
        guard::url_allowed(url).map_err(NoAnswer::for_good)?;
        if let Some(address) = guard::literal(url) {
            guard::address_allowed(address, self.production, message.allow_private)
                .map_err(NoAnswer::for_good)?;
        }
        let client = if message.allow_private { &self.private } else { &self.guarded };
        let method = Method::from_bytes(message.method.as_bytes())
            .map_err(|_| NoAnswer::for_good("the method is none that HTTP knows"))?;
        let mut request = client.request(method, url).timeout(message.timeout).body(message.body);
        for (name, value) in &message.headers {
            let mut value = reqwest::header::HeaderValue::from_str(value.expose_secret()).map_err(|_| {
                NoAnswer::for_good(&format!("the header {name} has characters that cannot be sent"))
            })?;
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        let mut response = request.send().await.map_err(|error| no_answer(&error))?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get("retry-after").and_then(|it| pause(it.to_str().ok()?));
        let mut body = Vec::new();
        // The status counts; a body that breaks off does not change it.
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(chunk.get(..chunk.len().min(ANSWER - body.len())).unwrap_or_default());
            if body.len() >= ANSWER {
                break;
            }
        }
        Ok(Said { status, retry_after, body })
    }
}

impl NoAnswer {
    fn for_good(why: &str) -> Self {
        Self { why: why.to_owned(), uncertain: false, for_good: true }
    }

    fn uncertain(why: &str) -> Self {
        Self { why: why.to_owned(), uncertain: true, for_good: false }
    }
}

/// Without the address: tokens stand in it.
fn no_answer(error: &reqwest::Error) -> NoAnswer {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if error.is_connect() {
        let why = format!("cannot connect: {cause}");
        return NoAnswer { why, uncertain: false, for_good: false };
    }
    if error.is_builder() {
        return NoAnswer::for_good("the address or a header cannot be sent");
    }
    if error.is_timeout() {
        return NoAnswer::uncertain("no answer in time");
    }
    NoAnswer::uncertain(&format!("the connection broke: {cause}"))
}

/// `Retry-After` in seconds or as a date.
fn pause(text: &str) -> Option<Duration> {
    let pause = match text.trim().parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = httpdate::parse_http_date(text.trim()).ok()?.duration_since(UNIX_EPOCH).ok()?;
            let now = Duration::from_micros(u64::try_from(crate::clock::now().0).unwrap_or(0));
            at.saturating_sub(now)
        }
    };
    Some(pause.min(LONGEST_PAUSE))
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (production, allow_private) = (self.production, self.allow_private);
        Box::pin(async move {
            let mut allowed: Vec<SocketAddr> = Vec::new();
            let mut refused = None;
            for address in tokio::net::lookup_host((name.as_str(), 0)).await? {
                match guard::address_allowed(address.ip(), production, allow_private) {
                    Ok(()) => allowed.push(address),
                    Err(why) => refused = Some(why),
                }
            }
            match refused {
                Some(why) if allowed.is_empty() => Err(io::Error::other(why).into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

async fn mail(message: MailMessage) -> Result<Said, NoAnswer> {
    let letter = letter(&message).map_err(|error| NoAnswer::for_good(&format!("{error:#}")))?;
    let transport = transport(&message).map_err(|error| NoAnswer::for_good(&format!("{error:#}")))?;
    match transport.send(letter).await {
        Ok(response) => {
            let body = response.message().collect::<Vec<_>>().join(" ").into_bytes();
            Ok(Said { status: 250, retry_after: None, body })
        }
        Err(error) if error.is_permanent() => Err(NoAnswer::for_good(&error.to_string())),
        Err(error) => {
            // Before the end of the data nothing was taken; what broke off after it is not known.
            let uncertain = !error.is_transient() && !error.is_client() && error.is_response();
            Err(NoAnswer { why: error.to_string(), uncertain, for_good: false })
        }
    }
}

fn transport(message: &MailMessage) -> anyhow::Result<AsyncSmtpTransport<Tokio1Executor>> {
    let (host, port) = message.smarthost.rsplit_once(':').context("smarthost must be HOST:PORT")?;
    let port: u16 = port.parse().context("smarthost must be HOST:PORT")?;
    let parameters = TlsParameters::new(host.to_owned()).context("the smarthost's name cannot be used")?;
    let tls = match (port, message.require_tls) {
        (465, _) => Tls::Wrapper(parameters),
        (_, true) => Tls::Required(parameters),
        (_, false) => Tls::Opportunistic(parameters),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
        .port(port)
        .tls(tls)
        .timeout(Some(Duration::from_secs(15)));
    if !message.hello.is_empty() {
        builder = builder.hello_name(ClientId::Domain(message.hello.clone()));
    }
    if let (Some(name), Some(password)) = (&message.username, &message.password) {
        builder = builder.credentials(Credentials::new(name.clone(), password.expose_secret().to_owned()));
    }
    Ok(builder.build())
}

fn letter(message: &MailMessage) -> anyhow::Result<lettre::Message> {
    let mut builder = lettre::Message::builder().from(
        message.from.parse::<Mailbox>().with_context(|| format!("from: {} is no address", message.from))?,
    );
    for to in message.to.split(',').map(str::trim).filter(|it| !it.is_empty()) {
        builder = builder.to(to.parse::<Mailbox>().with_context(|| format!("to: {to} is no address"))?);
    }
    for (name, value) in &message.headers {
        if name.eq_ignore_ascii_case("subject") {
            builder = builder.subject(value.clone());
            continue;
        }
        let name = header::HeaderName::new_from_ascii(name.clone())
            .with_context(|| format!("headers: {name} cannot be a header"))?;
        builder = builder.raw_header(header::HeaderValue::new(name, value.clone()));
    }
    let letter = match (message.text.is_empty(), message.html.is_empty()) {
        (false, false) => {
            builder.multipart(MultiPart::alternative_plain_html(message.text.clone(), message.html.clone()))
        }
        (_, true) => builder.singlepart(SinglePart::plain(message.text.clone())),
        (true, false) => builder.singlepart(SinglePart::html(message.html.clone())),
    };
    letter.context("the mail cannot be put together")
}

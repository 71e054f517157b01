use std::fmt;
use std::io::{self, IsTerminal, Write};

use opentelemetry::trace::TraceContextExt;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::format::{JsonFields, Writer, debug_fn};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

use crate::scrub::{REDACTED, Scrubber, is_sensitive};
use crate::{Config, LogFormat, LogOutput, level};

/// The layer that writes log lines.
pub(crate) fn layer<S>(config: &Config, scrubber: &Scrubber) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let writer = Output { output: config.log_output, scrubber: scrubber.clone() };
    let filter = level::filter(&config.log_level);
    match config.log_format {
        LogFormat::Json => tracing_subscriber::fmt::layer()
            .fmt_fields(JsonFields::new())
            .event_format(Json { service: config.service_name.clone(), scrubber: scrubber.clone() })
            .with_writer(writer)
            .with_filter(filter)
            .boxed(),
        LogFormat::Pretty => {
            let terminal = match config.log_output {
                LogOutput::Stdout => io::stdout().is_terminal(),
                LogOutput::Stderr => io::stderr().is_terminal(),
            };
            tracing_subscriber::fmt::layer()
                .fmt_fields(debug_fn(pretty_field).delimited(" "))
                .with_ansi(terminal)
                .with_writer(writer)
                .with_filter(filter)
                .boxed()
        }
    }
}

fn pretty_field(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    match field.name() {
        "message" => write!(writer, "{value:?}"),
        name if is_sensitive(name) => write!(writer, "{name}={REDACTED}"),
        name => write!(writer, "{name}={value:?}"),
    }
}

/// Opens standard output or error for one line, without secrets.
struct Output {
    output: LogOutput,
    scrubber: Scrubber,
}

struct Line<'a> {
    output: LogOutput,
    scrubber: &'a Scrubber,
}

impl<'a> MakeWriter<'a> for Output {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { output: self.output, scrubber: &self.scrubber }
    }
}

impl Write for Line<'_> {
    /// The formatter hands over one whole line at a time, so no secret is cut in two.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let scrubbed = self.scrubber.text(&text);
        match self.output {
            LogOutput::Stdout => io::stdout().lock().write_all(scrubbed.as_bytes())?,
            LogOutput::Stderr => io::stderr().lock().write_all(scrubbed.as_bytes())?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.output {
            LogOutput::Stdout => io::stdout().flush(),
            LogOutput::Stderr => io::stderr().flush(),
        }
    }
}

/// One JSON object a line: the event's fields, its spans' fields and the trace it belongs to.
struct Json {
    service: String,
    scrubber: Scrubber,
}

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Map::new();
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        line.insert("timestamp".into(), time.into());
        line.insert("level".into(), event.metadata().level().as_str().to_ascii_lowercase().into());
        line.insert("message".into(), Value::Null);
        line.insert("target".into(), event.metadata().target().into());
        line.insert("service".into(), self.service.clone().into());

        for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<N>>().map(|fields| fields.fields.as_str());
            if let Some(Ok(fields)) = fields.map(serde_json::from_str::<Map<String, Value>>) {
                line.extend(fields.into_iter().filter(|(name, _)| !name.starts_with("otel.")));
            }
        }
        event.record(&mut Fields(&mut line));

        let current = opentelemetry::Context::current();
        let current = current.span().span_context().clone();
        if current.is_valid() {
            line.insert("trace_id".into(), current.trace_id().to_string().into());
            line.insert("span_id".into(), current.span_id().to_string().into());
        }
        // Before the line is written: a secret inside a text inside JSON has too many spellings.
        let mut line = Value::Object(line);
        self.scrubber.value(&mut line);
        writeln!(writer, "{line}")
    }
}

/// Collects an event's fields.
struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn insert(&mut self, field: &Field, value: Value) {
        self.0.insert(field.name().to_owned(), value);
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.insert(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value.into());
    }
}

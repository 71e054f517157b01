use tracing_subscriber::EnvFilter;

/// Libraries whose chatter helps nobody below these levels.
const QUIET: &str = "h2=info,hyper=info,hyper_util=info,opentelemetry=error,opentelemetry_sdk=error,\
    opentelemetry_otlp=error,opentelemetry-otlp=error,reqwest=info,rustls=info,sqlx=warn,tower=info,\
    engineioxide=info,socketioxide=info";

/// The filter of a `LOG_LEVEL`: tracing's words, pino's words and numbers, or whole directives.
pub(crate) fn filter(level: &str) -> EnvFilter {
    let word = level.trim().to_ascii_lowercase();
    let level = match word.as_str() {
        "silent" | "off" => "off",
        "fatal" | "error" | "60" | "50" => "error",
        "warn" | "warning" | "40" => "warn",
        "info" | "30" => "info",
        "debug" | "20" => "debug",
        "trace" | "10" => "trace",
        directives if directives.contains('=') || directives.contains(',') => {
            return EnvFilter::try_new(directives).unwrap_or_else(|_| with_quiet("info"));
        }
        _ => "info",
    };
    with_quiet(level)
}

fn with_quiet(level: &str) -> EnvFilter {
    if matches!(level, "off" | "error" | "warn" | "trace") {
        return EnvFilter::new(level);
    }
    EnvFilter::new(format!("{level},{QUIET}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(level: &str, expected: &str) {
        let shown = filter(level).to_string();
        assert!(shown.split(',').any(|directive| directive == expected), "{level} became {shown}");
    }

    #[test]
    fn pino_words_and_numbers_are_levels() {
        check("fatal", "error");
        check("silent", "off");
        check("30", "info");
        check("WARN", "warn");
        check("debug", "debug");
    }

    #[test]
    fn directives_are_taken_as_they_are() {
        check("info,ops_server=trace", "ops_server=trace");
    }

    #[test]
    fn rubbish_is_info() {
        check("loud", "info");
        check("=,=", "info");
    }
}

//! What the process says of itself: log lines for people or for machines, to the standard error.

use tracing_subscriber::EnvFilter;

/// How a log line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// A line of text, for people.
    #[default]
    Text,
    /// A JSON object, for machines.
    Json,
}

/// Why nothing can be logged.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The filter is not one.
    #[error("--log {filter:?}: {source}; write it as info, or as info,privatelink_operator=debug")]
    Filter {
        /// The filter.
        filter: String,
        /// What is wrong with it.
        source: tracing_subscriber::filter::ParseError,
    },
    /// Another subscriber is there already.
    #[error("the log is set up already")]
    SetUp,
}

/// Sets the log up, once a process. Answers of the API server with status 5xx are ours to judge: its client
/// calls each an error, so what it says of its own is left out unless `filter` asks for it.
///
/// # Errors
/// [`Error`]
pub fn init(format: LogFormat, filter: &str) -> Result<(), Error> {
    let parsed = EnvFilter::try_new(with_quiet_client(filter))
        .map_err(|source| Error::Filter { filter: filter.to_owned(), source })?;
    let lines = tracing_subscriber::fmt().with_env_filter(parsed).with_writer(std::io::stderr).with_ansi(false);
    let set_up = match format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init(),
    };
    set_up.map_err(|_| Error::SetUp)
}

fn with_quiet_client(filter: &str) -> String {
    if filter.contains("kube_client") { filter.to_owned() } else { format!("{filter},kube_client=off") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_is_quiet_unless_it_is_asked() {
        assert_eq!(with_quiet_client("info"), "info,kube_client=off");
        assert_eq!(with_quiet_client("info,kube_client=debug"), "info,kube_client=debug");
    }

    #[test]
    fn a_filter_that_is_none_is_refused_by_name() {
        let error = init(LogFormat::Text, "priv=loud").expect_err("refused").to_string();
        assert!(error.starts_with("--log \"priv=loud\": "), "{error}");
    }
}

//! What turns have come to, counted as they end, and what they have put right.

use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Unit;

/// One label and its value; values are words of closed lists.
type Label = (&'static str, &'static str);

/// Bounds of how long a turn takes, in seconds: from one that finds nothing to do to one that waits for a cloud that
/// does not answer.
const UP_TO: [f64; 8] = [0.01, 0.05, 0.25, 1.0, 5.0, 15.0, 60.0, 300.0];

/// The counters of a process; clones are the same counters.
#[derive(Clone, Debug)]
pub struct Tally {
    turns: Family<[Label; 2], Counter>,
    took: Family<[Label; 1], Histogram>,
    corrected: Family<[Label; 1], Counter>,
}

impl Default for Tally {
    fn default() -> Self {
        let took = Family::new_with_constructor((|| Histogram::new(UP_TO)) as fn() -> Histogram);
        Self { turns: Family::default(), took, corrected: Family::default() }
    }
}

impl Tally {
    /// A turn of this kind is over.
    pub fn turn(&self, kind: &'static str, outcome: &'static str, took: Duration) {
        self.turns.get_or_create(&[("kind", kind), ("outcome", outcome)]).inc();
        self.took.get_or_create(&[("kind", kind)]).observe(took.as_secs_f64());
    }

    /// What somebody has changed of a settled object of this kind was put right by one call.
    pub fn corrected(&self, kind: &'static str) {
        self.corrected.get_or_create(&[("kind", kind)]).inc();
    }
}

impl Collector for Tally {
    /// Also before anything is counted: whoever looks for a family finds it.
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        let help = "Turns of objects by kind and what came of them.";
        self.turns.encode(encoder.encode_descriptor("reconciles", help, None, MetricType::Counter)?)?;
        let (help, unit) =
            ("Time that turns have taken, with the calls that they have waited for.", Some(&Unit::Seconds));
        self.took.encode(encoder.encode_descriptor("reconcile_duration", help, unit, MetricType::Histogram)?)?;
        let help = "Requests that have put right what somebody has changed of an object that was Ready.";
        self.corrected.encode(encoder.encode_descriptor("drift_corrected", help, None, MetricType::Counter)?)
    }
}

//! What those who run the process can measure: each family with its help, its unit and its samples.
//!
//! Nothing is counted here: the numbers are those of [`Meter`], of [`Tally`], of [`Pool`] and of the objects at the
//! moment of the scrape. A label's value is a word of a closed list, a region, or the name of a `CloudAccount`, of which administrators make few;
//! nothing that tenants name is one.

#[cfg(test)]
pub(super) mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use privatelink_core::id::Region;
use privatelink_core::moment::Moment;
use privatelink_core::place::Cloud;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::{Registry, Unit};

use crate::cloud::claim::Claimed;
use crate::cloud::metered::{Meter, Waits};
use crate::cloud::pool::Pool;
use crate::control::tally::Tally;

/// The type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A counter's sample has no example with it.
const NO_EXAMPLE: Option<&Exemplar<NoLabelSet, u64>> = None;

/// All that the process measures; clones are the same.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Registry>);

impl Metrics {
    /// What is counted by `meter` and `tally`, what is ahead of the keys of `pool`, whether this process is the one
    /// that writes, and what the objects say.
    #[must_use]
    pub fn new(meter: Meter, pool: Pool, claimed: Claimed, tally: Tally, objects: Box<dyn Collector>) -> Self {
        let mut registry = Registry::with_prefix("privatelink");
        registry.register_collector(Box::new(tally));
        registry.register_collector(Box::new(Scrape { meter, pool, claimed }));
        registry.register_collector(objects);
        Self(Arc::new(registry))
    }

    /// All families as they are now, in the text format of `OpenMetrics`.
    ///
    /// # Errors
    /// A sample cannot be written.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut written = String::new();
        text::encode(&mut written, &self.0)?;
        Ok(written)
    }
}

/// Where the numbers are.
struct Scrape {
    meter: Meter,
    pool: Pool,
    claimed: Claimed,
}

impl fmt::Debug for Scrape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Scrape").finish_non_exhaustive()
    }
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.process(&mut encoder)?;
        self.requests(&mut encoder)?;
        self.waits(&mut encoder)?;
        self.unshown(&mut encoder)?;
        self.snapshots(&mut encoder)?;
        self.credentials(&mut encoder)
    }
}

impl Scrape {
    fn process(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut family = encoder.encode_descriptor(
            "build",
            "Which version of the operator this replica is.",
            None,
            MetricType::Info,
        )?;
        family.encode_info(&[("version", env!("CARGO_PKG_VERSION"))])?;
        let help = "Whether this replica is the one that writes: 1 if it is, else 0.";
        let mut family = encoder.encode_descriptor("leader", help, None, MetricType::Gauge)?;
        family.encode_gauge(&u32::from(self.claimed.holds()))
    }

    fn requests(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Requests to a cloud by what was asked and what came of it.";
        let mut family = encoder.encode_descriptor("cloud_requests", help, None, MetricType::Counter)?;
        for (call, count) in self.meter.calls() {
            let labels = [("cloud", call.cloud.as_str()), ("action", call.action), ("outcome", call.outcome)];
            family.encode_family(&labels)?.encode_counter(&count, NO_EXAMPLE)?;
        }
        Ok(())
    }

    fn waits(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Time that a request which writes has waited for its turn behind others of its scope.";
        let mut family = encoder.encode_descriptor("gate_waits", help, Some(&Unit::Seconds), MetricType::Histogram)?;
        for ((cloud, lane), waits) in self.meter.waits() {
            let bounds = Waits::UP_TO.iter().map(Duration::as_secs_f64).zip(waits.within);
            let buckets: Vec<(f64, u64)> = bounds.chain([(f64::INFINITY, waits.longer)]).collect();
            let labels = [("cloud", cloud.as_str()), ("lane", lane.as_str())];
            let sum = waits.total.as_secs_f64();
            family.encode_family(&labels)?.encode_histogram::<NoLabelSet>(sum, waits.count(), &buckets, None)?;
        }
        Ok(())
    }

    fn unshown(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Writes that the cloud has accepted and no read has shown for a minute, as of the last read.";
        let mut family = encoder.encode_descriptor("writes_unshown", help, None, MetricType::Gauge)?;
        // Places differ by account too, whose number is no label.
        let mut regions = BTreeMap::<(Cloud, Region), usize>::new();
        for (place, writes) in self.meter.unshown() {
            *regions.entry((place.cloud, place.region)).or_default() += writes;
        }
        for ((cloud, region), writes) in regions {
            let labels = [("cloud", cloud.as_str()), ("region", region.as_str())];
            family.encode_family(&labels)?.encode_gauge(&writes)?;
        }
        Ok(())
    }

    fn snapshots(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "From when the oldest list is by which the objects of a region are judged, in seconds since 1970.";
        let (name, seconds) = ("snapshot_timestamp", Some(&Unit::Seconds));
        let mut family = encoder.encode_descriptor(name, help, seconds, MetricType::Gauge)?;
        let mut regions = BTreeMap::<(Cloud, Region), Moment>::new();
        for (place, from) in self.meter.whole() {
            regions.entry((place.cloud, place.region)).and_modify(|known| *known = from.min(*known)).or_insert(from);
        }
        for ((cloud, region), from) in regions {
            let labels = [("cloud", cloud.as_str()), ("region", region.as_str())];
            family.encode_family(&labels)?.encode_gauge(&from.0.div_euclid(1_000))?;
        }
        Ok(())
    }

    fn credentials(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let outlooks = self.pool.outlooks();
        let help = "When the session ends that a CloudAccount calls with, in seconds since 1970.";
        let (name, seconds) = ("credentials_expiry_timestamp", Some(&Unit::Seconds));
        let mut family = encoder.encode_descriptor(name, help, seconds, MetricType::Gauge)?;
        for (account, outlook) in &outlooks {
            if let Some(ends) = outlook.ends {
                let seconds = ends.0.div_euclid(1_000);
                family.encode_family(&[("account", account)])?.encode_gauge(&seconds)?;
            }
        }
        let help = "Whether the last try to renew the session of a CloudAccount failed: 1 if it did, else 0.";
        let mut family = encoder.encode_descriptor("credentials_renewal_failing", help, None, MetricType::Gauge)?;
        for (account, outlook) in &outlooks {
            let failing = u32::from(outlook.failure.is_some());
            family.encode_family(&[("account", account)])?.encode_gauge(&failing)?;
        }
        Ok(())
    }
}

//! Statuses as the API has them, and as core does: what is read here is what the next turn remembers.

pub mod assignment;
pub mod endpoint;
pub mod entry;
pub mod service;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{self, Time};
use k8s_openapi::jiff::Timestamp;
use privatelink_core::condition::{ConditionType, Reason};
use privatelink_core::id::{AccountId, Region};
use privatelink_core::moment::Moment;
use privatelink_core::plan::{Creating, Truth};
use privatelink_core::status::{Common, Condition, Counts, Creation, LastError};

use super::parse::moment;
use super::shared::{self, CommonStatus, ConnectionCounts, CreationStatus};

/// The time of Kubernetes, in whole seconds, that a moment is in.
#[must_use]
pub fn time(moment: Moment) -> Time {
    Time(Timestamp::from_second(moment.0.div_euclid(1_000)).unwrap_or(Timestamp::UNIX_EPOCH))
}

/// What every status has, as core has it. A condition or reason that this version does not know is left out: it
/// is made anew from what is seen.
#[must_use]
pub fn common(status: &CommonStatus) -> Common {
    Common {
        observed_generation: status.observed_generation,
        conditions: status.conditions.iter().filter_map(condition).collect(),
        last_handled_reconcile_at: status.last_handled_reconcile_at.clone(),
        last_error: status.last_error.as_ref().map(|error| LastError {
            code: error.code.clone(),
            message: error.message.clone(),
            request_id: error.request_id.clone(),
            at: moment(error.at.0),
        }),
        declared_fields: status.declared_fields.iter().cloned().collect(),
    }
}

fn condition(condition: &v1::Condition) -> Option<Condition> {
    Some(Condition {
        condition: condition.type_.parse::<ConditionType>().ok()?,
        truth: match condition.status.as_str() {
            "True" => Truth::True,
            "False" => Truth::False,
            _ => Truth::Unknown,
        },
        reason: condition.reason.parse::<Reason>().ok()?,
        message: condition.message.clone(),
        generation: condition.observed_generation.unwrap_or_default(),
        since: moment(condition.last_transition_time.0),
    })
}

/// What every status has, as the API has it.
#[must_use]
pub fn common_status(common: &Common) -> CommonStatus {
    CommonStatus {
        observed_generation: common.observed_generation,
        conditions: common
            .conditions
            .iter()
            .map(|condition| v1::Condition {
                type_: condition.condition.as_str().to_owned(),
                status: match condition.truth {
                    Truth::True => "True",
                    Truth::False => "False",
                    Truth::Unknown => "Unknown",
                }
                .to_owned(),
                reason: condition.reason.as_str().to_owned(),
                message: condition.message.clone(),
                observed_generation: Some(condition.generation),
                last_transition_time: time(condition.since),
            })
            .collect(),
        last_handled_reconcile_at: common.last_handled_reconcile_at.clone(),
        last_error: common.last_error.as_ref().map(|error| shared::LastError {
            code: error.code.clone(),
            message: error.message.clone(),
            request_id: error.request_id.clone(),
            at: time(error.at),
        }),
        declared_fields: common.declared_fields.iter().cloned().collect(),
    }
}

/// Where something was made, as core has it.
#[must_use]
pub fn creation(status: &CreationStatus) -> Creation {
    let creating = status.creating.as_ref();
    Creation {
        account: status.account_id.as_deref().map(AccountId::from),
        region: status.region.as_deref().map(Region::from),
        incarnation: status.incarnation.unwrap_or_default(),
        creating: creating.map(|creating| Creating { at: moment(creating.at.0), form: creating.form.clone() }),
    }
}

/// Where something was made, as the API has it.
#[must_use]
pub fn creation_status(creation: &Creation) -> CreationStatus {
    let creating = creation.creating.as_ref();
    CreationStatus {
        account_id: creation.account.as_ref().map(ToString::to_string),
        region: creation.region.as_ref().map(ToString::to_string),
        incarnation: (creation.incarnation > 0).then_some(creation.incarnation),
        creating: creating.map(|creating| shared::Creating { at: time(creating.at), form: creating.form.clone() }),
    }
}

/// Numbers of connections, as core has them.
#[must_use]
pub const fn counts(status: ConnectionCounts) -> Counts {
    let ConnectionCounts { total, connected, awaiting, held, other } = status;
    Counts { total, connected, awaiting, held, other }
}

/// Numbers of connections, as the API has them.
#[must_use]
pub const fn counts_status(counts: Counts) -> ConnectionCounts {
    let Counts { total, connected, awaiting, held, other } = counts;
    ConnectionCounts { total, connected, awaiting, held, other }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_whole_seconds() {
        assert_eq!(moment(time(Moment(1_999)).0), Moment(1_000));
        assert_eq!(moment(time(Moment(-1)).0), Moment(-1_000));
    }
}

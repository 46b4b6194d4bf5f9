//! `ZoneResourceAssignment`: from a manifest to what core calls desired.

use kube::ResourceExt as _;
use privatelink_core::desired::{DesiredAssignment, MigrationRules, Parent, Served};
use privatelink_core::id::{ResourceId, Zone};
use privatelink_core::moment::Moment;
use privatelink_core::step;

use super::{annotations, drain, moment};
use crate::api::shared::Approval;
use crate::api::zone::{Migration, MigrationMode, ZoneResourceAssignment};

/// A `ZoneResourceAssignment` as core takes it, of the service `parent`, for a zone of the connection of `endpoint`.
/// None is refused here: what its cloud cannot do is known of the service, and the planner says it.
#[must_use]
pub fn parse(object: &ZoneResourceAssignment, parent: Parent, endpoint: Served) -> DesiredAssignment {
    let (spec, said) = (&object.spec, annotations(object.annotations()));
    DesiredAssignment {
        uid: object.uid().unwrap_or_default(),
        name: object.name_any(),
        generation: object.metadata.generation.unwrap_or_default(),
        created: object.creation_timestamp().map_or(Moment::default(), |time| moment(time.0)),
        deleting: object.metadata.deletion_timestamp.is_some(),
        paused: said.paused,
        drain_approved: said.drain_approved,
        parent,
        endpoint,
        zone: Zone::from(spec.zone.as_str()),
        resource: ResourceId::from(spec.resource_id.as_str()),
        connected: spec.connected.unwrap_or(true),
        migration: spec.migration.map_or_else(MigrationRules::default, rules),
    }
}

fn rules(given: Migration) -> MigrationRules {
    let unset = MigrationRules::default();
    MigrationRules {
        mode: match given.mode {
            None => unset.mode,
            Some(MigrationMode::Smooth) => step::MigrationMode::Smooth,
            Some(MigrationMode::Forced) => step::MigrationMode::Forced,
        },
        drain: drain(given.drain_seconds),
        approval: given.approval == Some(Approval::Required),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;

    fn parsed(spec: &Value, annotations: &Value) -> DesiredAssignment {
        let mut object = json!({
            "apiVersion": "privatelink.dev/v1alpha1", "kind": "ZoneResourceAssignment",
            "metadata": {
                "name": "pin", "namespace": "team", "uid": "u1", "generation": 3,
                "creationTimestamp": "2026-01-02T03:04:05Z", "annotations": annotations,
            },
            "spec": {
                "serviceRef": {"name": "gateway"}, "endpoint": {"id": "ep-1"}, "zone": "cn-hangzhou-f",
                "resourceId": "lb-1",
            },
        });
        object["spec"].as_object_mut().expect("an object").extend(spec.as_object().expect("fields").clone());
        let object: ZoneResourceAssignment = serde_json::from_value(object).expect("a manifest");
        parse(&object, Parent::Awaited("soon".to_owned()), Served::Known("ep-1".into()))
    }

    #[test]
    fn every_field_reaches_the_planner() {
        let desired = parsed(
            &json!({
                "connected": false,
                "migration": {"mode": "Smooth", "drainSeconds": 30, "approval": "Required"},
            }),
            &json!({"privatelink.dev/paused": "true", "privatelink.dev/drain-approved": "lb-0-lb-1-1"}),
        );
        assert_eq!((desired.uid.as_str(), desired.name.as_str(), desired.generation), ("u1", "pin", 3));
        assert_eq!((desired.created, desired.deleting, desired.paused), (Moment(1_767_323_045_000), false, true));
        assert_eq!(desired.drain_approved.as_deref(), Some("lb-0-lb-1-1"));
        assert_eq!((desired.zone.as_str(), desired.resource.as_str()), ("cn-hangzhou-f", "lb-1"));
        assert!(!desired.connected);
        let rules = MigrationRules { drain: Duration::from_secs(30), approval: true, ..MigrationRules::default() };
        assert_eq!(desired.migration, rules);
        let forced = parsed(&json!({"migration": {"mode": "Forced"}}), &json!({}));
        assert_eq!(forced.migration.mode, step::MigrationMode::Forced);
    }

    #[test]
    fn what_is_not_said_is_as_the_documentation_says() {
        let desired = parsed(&json!({}), &json!({"privatelink.dev/drain-approved": ""}));
        assert!(desired.connected && !desired.paused);
        assert_eq!((desired.migration, desired.drain_approved), (MigrationRules::default(), None));
        assert_eq!(MigrationRules::default().drain, Duration::from_mins(10));
    }
}

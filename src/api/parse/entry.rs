//! `WhitelistEntry`: from a manifest to what core calls desired.

use kube::ResourceExt as _;
use privatelink_core::desired::{
    Acceptance, Allocation, Deletion, DesiredEntry, Parent, Policy, Revocation as Revoked,
};
use privatelink_core::id::{EndpointId, VpcId};
use privatelink_core::moment::Moment;
use privatelink_core::principal::Principal;

use super::{RECONCILE_REQUESTED_AT, annotations, moment};
use crate::api::shared::DeletionPolicy;
use crate::api::whitelist::{Assignment, ConnectionAction, ConnectionPolicy, Revocation, WhitelistEntry};

/// A `WhitelistEntry` as core takes it, on the service `parent`; `everybody_permitted` says whether the account lets
/// it name everybody. None is refused here: what its cloud cannot do is known of the service, and the planner says it.
#[must_use]
pub fn parse(object: &WhitelistEntry, parent: Parent, everybody_permitted: bool) -> DesiredEntry {
    let spec = &object.spec;
    DesiredEntry {
        uid: object.uid().unwrap_or_default(),
        name: object.name_any(),
        generation: object.metadata.generation.unwrap_or_default(),
        created: object.creation_timestamp().map_or(Moment::default(), |time| moment(time.0)),
        deleting: object.metadata.deletion_timestamp.is_some(),
        paused: annotations(object.annotations()).paused,
        asked: is_asked(object),
        parent,
        principal: Principal::from(spec.principal.as_str()),
        everybody_permitted,
        policy: spec.connections.as_ref().map_or(Policy::Leave, policy),
        expires_at: spec.expires_at.as_ref().map(|end| moment(end.0)),
        revocation: match spec.revocation {
            None | Some(Revocation::KeepConnections) => Revoked::KeepConnections,
            Some(Revocation::Disconnect) => Revoked::Disconnect,
        },
        deletion: deletion(object),
    }
}

/// What happens on the service's list when the entry is deleted.
#[must_use]
pub fn deletion(object: &WhitelistEntry) -> Deletion {
    match object.spec.deletion_policy {
        None | Some(DeletionPolicy::Delete) => Deletion::Delete,
        Some(DeletionPolicy::Retain) => Deletion::Retain,
    }
}

/// A person has asked for a look that was not had yet.
fn is_asked(object: &WhitelistEntry) -> bool {
    let requested = object.annotations().get(RECONCILE_REQUESTED_AT);
    let handled = object.status.as_ref().and_then(|status| status.common.last_handled_reconcile_at.as_ref());
    requested.is_some() && requested != handled
}

fn policy(given: &ConnectionPolicy) -> Policy {
    match given.action {
        ConnectionAction::Leave => Policy::Leave,
        ConnectionAction::Reject => Policy::Reject,
        ConnectionAction::Accept => Policy::Accept(Acceptance {
            allocation: match given.assignment {
                None | Some(Assignment::Automatic) => Allocation::Automatic,
                Some(Assignment::Manual) => Allocation::Manual,
            },
            bandwidth_mbps: given.bandwidth_mbps,
            endpoints: given
                .endpoint_ids
                .as_ref()
                .map(|ids| ids.iter().map(|id| EndpointId::from(id.as_str())).collect()),
            vpcs: given.vpc_ids.as_ref().map(|ids| ids.iter().map(|id| VpcId::from(id.as_str())).collect()),
            max: given.max,
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn entry(spec: Value) -> Value {
        let mut object = json!({
            "apiVersion": "privatelink.dev/v1alpha1", "kind": "WhitelistEntry",
            "metadata": {
                "name": "tenant", "namespace": "team", "uid": "u1", "generation": 3,
                "creationTimestamp": "2026-01-02T03:04:05Z",
            },
            "spec": {"serviceRef": {"name": "gateway"}, "principal": "acs:ram:*:1234567890123456"},
        });
        object["spec"].as_object_mut().expect("an object").extend(fields(spec));
        object
    }

    fn fields(of: Value) -> serde_json::Map<String, Value> {
        serde_json::from_value(of).expect("an object")
    }

    fn awaited() -> Parent {
        Parent::Awaited("not yet".to_owned())
    }

    fn parsed(object: Value) -> DesiredEntry {
        parse(&serde_json::from_value(object).expect("a manifest"), awaited(), false)
    }

    #[test]
    fn every_field_reaches_the_planner() {
        let mut object = entry(json!({
            "description": "a tenant",
            "connections": {
                "action": "Accept", "assignment": "Manual", "bandwidthMbps": 200,
                "endpointIds": ["ep-2", "ep-1"], "vpcIds": ["vpc-1"], "max": 7,
            },
            "expiresAt": "2026-01-02T03:04:07Z", "revocation": "Disconnect", "deletionPolicy": "Retain",
        }));
        object["metadata"]["deletionTimestamp"] = json!("2026-01-02T03:04:06Z");
        object["metadata"]["annotations"] = json!({
            "privatelink.dev/paused": "true", "privatelink.dev/reconcile-requested-at": "now",
        });
        let object = serde_json::from_value(object).expect("a manifest");
        assert_eq!(
            parse(&object, awaited(), true),
            DesiredEntry {
                uid: "u1".to_owned(),
                name: "tenant".to_owned(),
                generation: 3,
                created: Moment(1_767_323_045_000),
                deleting: true,
                paused: true,
                asked: true,
                parent: awaited(),
                principal: "acs:ram:*:1234567890123456".into(),
                everybody_permitted: true,
                policy: Policy::Accept(Acceptance {
                    allocation: Allocation::Manual,
                    bandwidth_mbps: Some(200),
                    endpoints: Some(["ep-1".into(), "ep-2".into()].into()),
                    vpcs: Some(["vpc-1".into()].into()),
                    max: Some(7),
                }),
                expires_at: Some(Moment(1_767_323_047_000)),
                revocation: Revoked::Disconnect,
                deletion: Deletion::Retain,
            }
        );
    }

    #[test]
    fn what_is_not_set_asks_for_nothing() {
        assert_eq!(
            parsed(entry(json!({}))),
            DesiredEntry {
                uid: "u1".to_owned(),
                name: "tenant".to_owned(),
                generation: 3,
                created: Moment(1_767_323_045_000),
                deleting: false,
                paused: false,
                asked: false,
                parent: awaited(),
                principal: "acs:ram:*:1234567890123456".into(),
                everybody_permitted: false,
                policy: Policy::Leave,
                expires_at: None,
                revocation: Revoked::KeepConnections,
                deletion: Deletion::Delete,
            }
        );
    }

    #[test]
    fn what_happens_to_connections_is_what_the_action_says() {
        let any = Policy::Accept(Acceptance {
            allocation: Allocation::Automatic,
            bandwidth_mbps: None,
            endpoints: None,
            vpcs: None,
            max: None,
        });
        for (connections, expected) in [
            (json!({}), Policy::Leave),
            (json!({"action": "Leave"}), Policy::Leave),
            (json!({"action": "Reject"}), Policy::Reject),
            (json!({"action": "Accept"}), any.clone()),
            (json!({"action": "Accept", "assignment": "Automatic"}), any),
        ] {
            assert_eq!(parsed(entry(json!({"connections": connections}))).policy, expected, "{connections}");
        }
        let kept = parsed(entry(json!({"revocation": "KeepConnections", "deletionPolicy": "Delete"})));
        assert_eq!((kept.revocation, kept.deletion), (Revoked::KeepConnections, Deletion::Delete));
    }

    #[test]
    fn a_person_asks_until_the_request_was_handled() {
        for (requested, status, expected) in [
            (Value::Null, json!({}), false),
            (Value::Null, json!({"lastHandledReconcileAt": "1"}), false),
            (json!("1"), Value::Null, true),
            (json!("1"), json!({}), true),
            (json!("1"), json!({"lastHandledReconcileAt": "1"}), false),
            (json!("2"), json!({"lastHandledReconcileAt": "1"}), true),
        ] {
            let mut object = entry(json!({}));
            if requested.is_string() {
                object["metadata"]["annotations"] = json!({"privatelink.dev/reconcile-requested-at": requested});
            }
            object["status"] = status.clone();
            assert_eq!(parsed(object).asked, expected, "{requested} {status}");
        }
    }
}

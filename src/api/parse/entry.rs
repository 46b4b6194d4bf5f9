//! `WhitelistEntry`: from a manifest to what core calls desired, and the service that it is for.

use kube::ResourceExt as _;
use privatelink_core::condition::{ConditionType, Reason};
use privatelink_core::desired::{
    Acceptance, Allocation, Deletion, DesiredEntry, Parent, ParentService, Policy, Revocation as Revoked,
};
use privatelink_core::id::{AccountId, EndpointId, Region, ServiceId, VpcId};
use privatelink_core::moment::Moment;
use privatelink_core::principal::Principal;

use super::{RECONCILE_REQUESTED_AT, annotations, moment};
use crate::api::service::EndpointService;
use crate::api::shared::{DeletionPolicy, ManagementPolicy};
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

/// The service that an entry is for, as far as its own object says.
#[must_use]
pub fn parent(service: &EndpointService) -> Parent {
    match known(service) {
        Some(known) => Parent::Service(known),
        None => Parent::Awaited(format!(
            "EndpointService {}/{} has no service in the cloud yet: its own Ready condition says why",
            service.namespace().unwrap_or_default(),
            service.name_any()
        )),
    }
}

fn known(service: &EndpointService) -> Option<ParentService> {
    let status = service.status.as_ref()?;
    Some(ParentService {
        id: ServiceId::from(status.service_id.as_deref()?),
        account: AccountId::from(status.creation.account_id.as_deref()?),
        region: Region::from(status.creation.region.as_deref()?),
        observed: service.spec.placement.management_policy == ManagementPolicy::Observe,
        paused: annotations(service.annotations()).paused,
        deleting: service.metadata.deletion_timestamp.is_some(),
        disowned: disowned(service),
    })
}

/// Why the object does not take the id in its status for its own. An account that leads elsewhere is no such reason:
/// the service is still its own there, and an entry that goes meanwhile must not leave its principal on the list.
fn disowned(service: &EndpointService) -> Option<String> {
    let conditions = &service.status.as_ref()?.common.conditions;
    let ready = conditions.iter().find(|one| one.type_ == ConditionType::Ready.as_str() && one.status != "True")?;
    let foreign = matches!(
        ready.reason.parse(),
        Ok(Reason::OwnershipConflict | Reason::AmbiguousMatch | Reason::ExternallyDeleted)
    );
    foreign.then(|| ready.message.clone())
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

    fn service(spec: Value, status: Value) -> Value {
        let mut object = json!({
            "apiVersion": "privatelink.dev/v1alpha1", "kind": "EndpointService",
            "metadata": {"name": "gateway", "namespace": "team"},
            "spec": {"resources": [{"id": "lb-1", "type": "CLB", "zone": "cn-hangzhou-f"}]},
            "status": {"serviceId": "epsrv-1", "accountId": "1", "region": "cn-hangzhou"},
        });
        object["spec"].as_object_mut().expect("an object").extend(fields(spec));
        object["status"].as_object_mut().expect("an object").extend(fields(status));
        object
    }

    fn parent_of(object: Value) -> Parent {
        parent(&serde_json::from_value(object).expect("a manifest"))
    }

    fn known_of(object: Value) -> ParentService {
        match parent_of(object) {
            Parent::Service(known) => known,
            Parent::Absent(why) | Parent::Awaited(why) => panic!("{why}"),
        }
    }

    /// The service in the cloud, and nothing in its way.
    fn plain() -> ParentService {
        ParentService {
            id: "epsrv-1".into(),
            account: "1".into(),
            region: "cn-hangzhou".into(),
            observed: false,
            paused: false,
            deleting: false,
            disowned: None,
        }
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
            parse(&object, Parent::Service(plain()), true),
            DesiredEntry {
                uid: "u1".to_owned(),
                name: "tenant".to_owned(),
                generation: 3,
                created: Moment(1_767_323_045_000),
                deleting: true,
                paused: true,
                asked: true,
                parent: Parent::Service(plain()),
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

    #[test]
    fn a_service_is_awaited_until_it_is_somewhere() {
        let sentence = "EndpointService team/gateway has no service in the cloud yet: its own Ready condition says why";
        for missing in ["serviceId", "accountId", "region"] {
            let mut object = service(json!({}), json!({}));
            object["status"].as_object_mut().expect("an object").remove(missing);
            assert_eq!(parent_of(object), Parent::Awaited(sentence.to_owned()), "{missing}");
        }
        let mut new = service(json!({}), json!({}));
        new["status"] = Value::Null;
        assert_eq!(parent_of(new), Parent::Awaited(sentence.to_owned()));
    }

    #[test]
    fn a_service_is_what_its_own_object_says() {
        let plainly = || service(json!({}), json!({}));
        assert_eq!(known_of(plainly()), plain());
        let observed = service(json!({"managementPolicy": "Observe", "adopt": {"id": "epsrv-1"}}), json!({}));
        assert_eq!(known_of(observed), ParentService { observed: true, ..plain() });
        let mut paused = plainly();
        paused["metadata"]["annotations"] = json!({"privatelink.dev/paused": "true"});
        assert_eq!(known_of(paused), ParentService { paused: true, ..plain() });
        let mut deleting = plainly();
        deleting["metadata"]["deletionTimestamp"] = json!("2026-01-02T03:04:06Z");
        assert_eq!(known_of(deleting), ParentService { deleting: true, ..plain() });
    }

    #[test]
    fn a_service_is_disowned_where_its_object_is_not_ready_for_that_reason() {
        let condition = |kind: &str, truth: &str, reason: &str| {
            json!({
                "type": kind, "status": truth, "reason": reason, "message": "epsrv-1 belongs to another",
                "lastTransitionTime": "2026-01-02T03:04:05Z",
            })
        };
        for (kind, truth, reason, disowned) in [
            ("Ready", "False", "OwnershipConflict", true),
            ("Ready", "Unknown", "AmbiguousMatch", true),
            ("Ready", "False", "ExternallyDeleted", true),
            ("Ready", "True", "OwnershipConflict", false),
            ("Stalled", "False", "OwnershipConflict", false),
            ("Ready", "False", "AccountMismatch", false),
            ("Ready", "False", "Provisioning", false),
            ("Ready", "False", "Sparkling", false),
        ] {
            // Another condition before it hides nothing.
            let conditions = json!([condition("Valid", "False", "Provisioning"), condition(kind, truth, reason)]);
            let known = known_of(service(json!({}), json!({"conditions": conditions})));
            let why = disowned.then(|| "epsrv-1 belongs to another".to_owned());
            assert_eq!(known, ParentService { disowned: why, ..plain() }, "{kind} {truth} {reason}");
        }
    }
}

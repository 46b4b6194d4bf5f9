//! `EndpointService`: from its own object to what an entry or an assignment under it takes it for.

use kube::ResourceExt as _;
use privatelink_core::condition::{ConditionType, Reason};
use privatelink_core::desired::{Parent, ParentService};
use privatelink_core::id::{AccountId, Region, ServiceId};

use super::annotations;
use crate::api::service::EndpointService;
use crate::api::shared::ManagementPolicy;

/// A service as those take it that stand under it, as far as its own object says.
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
        unapproved: unapproved(service),
    })
}

/// The object's uid, where it adopts and no person has approved of what that takes away.
fn unapproved(service: &EndpointService) -> Option<String> {
    let adopted = service.spec.placement.adopt.as_ref()?.id.as_str();
    let approved = annotations(service.annotations()).adoption_approved;
    (approved.as_deref() != Some(adopted)).then(|| service.uid().unwrap_or_default())
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

    fn fields(of: Value) -> serde_json::Map<String, Value> {
        serde_json::from_value(of).expect("an object")
    }

    fn service(spec: Value, status: Value) -> Value {
        let mut object = json!({
            "apiVersion": "privatelink.dev/v1alpha1", "kind": "EndpointService",
            "metadata": {"name": "gateway", "namespace": "team", "uid": "uid-1"},
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
            unapproved: None,
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
        let unapproved = Some("uid-1".to_owned());
        let observed = service(json!({"managementPolicy": "Observe", "adopt": {"id": "epsrv-1"}}), json!({}));
        assert_eq!(known_of(observed), ParentService { observed: true, unapproved: unapproved.clone(), ..plain() });
        for (approved, unapproved) in [("epsrv-another", unapproved), ("epsrv-1", None)] {
            let mut adopted = service(json!({"adopt": {"id": "epsrv-1"}}), json!({}));
            adopted["metadata"]["annotations"] = json!({"privatelink.dev/adoption-approved": approved});
            assert_eq!(known_of(adopted), ParentService { unapproved, ..plain() }, "{approved}");
        }
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

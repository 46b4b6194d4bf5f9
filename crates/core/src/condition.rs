//! What a status may say: every condition type and every reason, with its meaning and its remedy.
//!
//! The lists are closed: a condition or reason that is not here is never written, so that alerts,
//! dashboards and people can rely on the words. The reference page `conditions.md` is generated
//! from this file.

use crate::vocabulary::closed_vocabulary;

/// The error of reading a condition type or reason that is in none of the lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownWord(
    /// The text that was read.
    pub String,
);

impl std::fmt::Display for UnknownWord {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{:?} is not a known condition type or reason: use one that docs/reference/conditions.md lists",
            self.0
        )
    }
}

impl std::error::Error for UnknownWord {}

closed_vocabulary! {
    /// The type of a condition in `status.conditions`.
    pub enum ConditionType {
        Ready: "The object is as declared, for traffic: what exactly that means is said for each kind below.",
            "While it is False, read its reason and message: they name what is missing and who must act.";
        Reconciling: "A write of ours is in flight, or its effect is awaited. Present only while True; a drain and a wait on others are not reconciling.",
            "Wait; nothing is asked of you.";
        Stalled: "Nothing will move until a person acts. Present only while True.",
            "Do what its message says; the reason is the same as Ready's.";
        Valid: "The spec fits the account's cloud, and the objects it refers to exist and permit it.",
            "Change the field that the message names.";
        Provisioned: "The object exists in the cloud and its own attributes are as declared.",
            "Wait, or read the reason.";
        ResourcesAttached: "All of spec.resources are attached to the service, with their autoAllocate.",
            "Read the message: it names the load balancer that is missing.";
        Evacuating: "Connections are leaving a load balancer that was taken off spec.resources. Present only while True.",
            "Wait, or give the approval that status.evacuation asks for.";
        Allowed: "The principal is on the service's whitelist.",
            "Read the reason: most often the service does not exist yet.";
        ConnectionsSettled: "Every connection that this entry decides on is as the entry declares it.",
            "Read status.connections: each that is not settled says why.";
        Connected: "The connection, or for an assignment its zone, carries traffic.",
            "Read the reason: it says whether the provider must accept or a zone lacks a load balancer.";
        ZonesReady: "Every declared zone has an interface and is connected.",
            "Read status.zones for the zone that is not, or ask the provider for a load balancer in it.";
        DnsReady: "The declared records exist and point to the endpoint.",
            "Read the reason: the account may not allow the zone, or another owner holds the record.";
        Assigned: "The declared load balancer is assigned to this zone of the connection.",
            "Check that spec.resourceId is one of the service's load balancers in that zone.";
        Migrated: "No migration is open: the zone is served by the declared load balancer, and the replaced side is cleaned up.",
            "Wait for the drain, or approve it where migration.approval is Required.";
    }
}

closed_vocabulary! {
    /// Why a condition has its status.
    pub enum Reason {
        Ready: "Everything declared is in place.",
            "Nothing.";
        Provisioning: "The object is being created or changed in the cloud.",
            "Wait; if it lasts for more than some minutes, read status.lastError.";
        WaitingForService: "The service that this object refers to does not exist yet, or is not ready.",
            "Create the EndpointService, or look at its own Ready condition.";
        WaitingForAcceptance: "The endpoint exists and asks for a connection; the provider has not accepted it.",
            "Ask the service's owner to accept the endpoint id in status.endpointId.";
        WaitingForAssignment: "A zone has no load balancer assigned yet, and assignment is Manual.",
            "Create a ZoneResourceAssignment for each zone that the message names.";
        WaitingForConsumer: "The principal is allowed, and has not connected yet.",
            "Give the service id or name to the consumer, who creates an endpoint.";
        NotWhitelisted: "The service does not know the account that asks for the endpoint.",
            "Ask the service's owner to put the account in status.accountId on the whitelist.";
        NeedsManualAcceptance: "The entry filters connections or assigns zones by hand, but the service accepts by itself.",
            "Set acceptance: Manual on the EndpointService, or remove the filters and assignment: Manual.";
        NoResourceInZone: "The service has no load balancer in a zone of the endpoint.",
            "Add one to spec.resources of the EndpointService, or take the zone off the Endpoint.";
        Migrating: "A zone is moving to another load balancer.",
            "Wait; nothing is asked of you.";
        Draining: "A zone has moved, and the replaced side is kept open until drainSeconds have passed.",
            "Wait, or shorten it with the annotation privatelink.dev/drain-approved.";
        DrainApprovalNeeded: "A zone has moved, and the replaced side stays open until a person agrees to close it.",
            "Set the annotation privatelink.dev/drain-approved to what the message names: the migration, or on an EndpointService the load balancer and the time until which connections have left it.";
        SwapApprovalNeeded: "Another backend is declared while connections are live, and this cloud can only swap it under them.",
            "Set the annotation privatelink.dev/swap-approved to the new backend's id, or put the old one back.";
        AdoptionApprovalNeeded: "The adopted cloud object differs from the spec in something that would cut traffic.",
            "Change the spec to what the message lists, or set privatelink.dev/adoption-approved to the adopted id.";
        DisconnectedOutside: "A connection that was connected has been cut by someone else's hand; it is not connected again by itself.",
            "Change the entry, or set privatelink.dev/reconcile-requested-at to a new value, to connect it again.";
        RejectedByProvider: "The provider refused or cut the connection.",
            "Ask the service's owner; on AWS the endpoint must be created again after a refusal.";
        ServiceReplaced: "The service that the reference names now has another id; the endpoint belongs to the old one.",
            "Delete the Endpoint and create it again, so that it joins the new service.";
        BlockedByConnections: "The service cannot be deleted while connections are live.",
            "Ask the consumers in status.deletion.blockedBy to delete their endpoints, or set connectionsOnDelete: Reject.";
        BlockedByDependents: "The cloud or other objects still use this object.",
            "Delete or change the objects that the message names.";
        ReferenceNotFound: "An object that the spec refers to does not exist, or may not be seen from here.",
            "Create it, or correct the name and namespace in the field that the message names.";
        ReferenceNotPermitted: "The object exists, and its owner does not let this namespace refer to it.",
            "Ask its owner to list this namespace in consumerNamespaces.";
        AccountNotPermitted: "The CloudAccount does not let this namespace use it, or not for this.",
            "Ask the administrator to list this namespace in allowedNamespaces or adoption of the CloudAccount.";
        AccountMismatch: "The credentials belong to another account or region than the one that was pinned; nothing is read or written with them.",
            "Give the CloudAccount credentials of the account that the message names.";
        ParentNotManaged: "The EndpointService is only observed, so nothing is written for the objects under it.",
            "Set managementPolicy: Manage on the EndpointService.";
        UnsupportedByCloud: "The spec uses a field that the account's cloud does not have.",
            "Remove the field that the message names, or use an account on a cloud that has it.";
        InvalidSpec: "The cloud refused a value of the spec, or two fields contradict each other.",
            "Correct the field that the message names.";
        OwnershipConflict: "The cloud object, or the claim on it, belongs to another object or cluster.",
            "Remove one of the two; the message names the holder.";
        AmbiguousMatch: "Two or more cloud objects carry this object's ownership tags; none is touched.",
            "Remove the tags from, or delete, all but one of the ids that the message lists.";
        DnsConflict: "A zone or record of that name exists and belongs to someone else; it is not replaced.",
            "Remove it, or declare another name in spec.dns.";
        ResourceStillAutoAllocated: "A load balancer that is to be replaced is still handed to new connections.",
            "Set autoAllocate: false on it in spec.resources of the EndpointService.";
        LastAutoAllocatedInZone: "Each zone must keep one load balancer that allows automatic allocation.",
            "Add another to the zone with autoAllocate: true before this one is changed or removed.";
        FeatureNotEnabled: "The cloud has not enabled this feature for the account.",
            "Ask the cloud's support to enable what the message names for the account.";
        QuotaExceeded: "A quota of the account or the object is used up.",
            "Ask the cloud for a larger quota, or delete what is no longer used.";
        PermissionDenied: "The credentials may not make the call that the message names.",
            "Allow that action to the role or user of the CloudAccount.";
        CredentialsExpiring: "The account's keys last for a while yet, and cannot be renewed.",
            "Mend what the message of the CloudAccount names before the time that it gives: nothing works after it.";
        CredentialsInvalid: "The cloud does not accept the credentials, or they cannot be read.",
            "Correct the Secret, role or environment that spec.credentials of the CloudAccount names.";
        ClockSkew: "The clock of this machine is more than 15 minutes away from the cloud's.",
            "Synchronise the clock of the node.";
        Throttled: "The cloud asks to be called less often.",
            "Wait; if it stays, lower limits.requestsPerSecond or find the other callers of the account.";
        CloudUnavailable: "The cloud has not answered for longer than the grace period.",
            "Check the network, proxy and endpoints of the CloudAccount, and the cloud's own status page.";
        BillingLocked: "The account, or the other side's, is overdue and the cloud has locked the object.",
            "Pay the bill; it is tried again every hour.";
        ExternallyDeleted: "The cloud object was deleted by someone else; it is not created again by itself.",
            "Set privatelink.dev/allow-recreate to the lost id, or delete this object.";
        Degraded: "Traffic flows, but not through every zone, address and consumer region that is declared.",
            "Read the message; ZonesReady and status.zones have the zone that is down or has another address.";
        Expired: "spec.expiresAt has passed.",
            "Set a later expiresAt, or delete the entry.";
        Paused: "The annotation privatelink.dev/paused stops all writes, deletion too.",
            "Remove the annotation.";
        Deleting: "The object is being deleted.",
            "Wait, or read the message for what is still in the way.";
        UnexpectedError: "The cloud answered something that is in none of our tables.",
            "Read status.lastError and report it with its code; it is tried again.";
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// A Kubernetes condition type or reason is `CamelCase`; reasons are at most 1,024 characters.
    fn is_camel_case(word: &str) -> bool {
        word.starts_with(|c: char| c.is_ascii_uppercase()) && word.chars().all(|c| c.is_ascii_alphanumeric())
    }

    #[test]
    fn every_reason_reads_back_as_itself() {
        for reason in Reason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(*reason));
            assert_eq!(reason.to_string(), reason.as_str());
        }
    }

    #[test]
    fn every_condition_type_reads_back_as_itself() {
        for condition in ConditionType::ALL {
            assert_eq!(condition.as_str().parse(), Ok(*condition));
        }
    }

    #[test]
    fn a_word_of_no_list_is_refused_with_the_place_to_look() {
        let error = "Fine".parse::<Reason>().expect_err("no such reason");
        assert!(error.to_string().contains("\"Fine\""), "{error}");
        assert!(error.to_string().contains("conditions.md"), "{error}");
    }

    #[test]
    fn words_are_distinct_and_camel_case() {
        let reasons: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        assert_eq!(reasons.len(), Reason::ALL.len());
        let types: BTreeSet<_> = ConditionType::ALL.iter().map(|t| t.as_str()).collect();
        assert_eq!(types.len(), ConditionType::ALL.len());
        for word in reasons.into_iter().chain(types) {
            assert!(is_camel_case(word), "{word}");
        }
    }

    #[test]
    fn every_word_has_a_meaning_and_a_remedy_in_sentences() {
        let texts = Reason::ALL
            .iter()
            .flat_map(|reason| [(reason.as_str(), reason.meaning()), (reason.as_str(), reason.remedy())])
            .chain(ConditionType::ALL.iter().flat_map(|condition| {
                [(condition.as_str(), condition.meaning()), (condition.as_str(), condition.remedy())]
            }));
        for (word, text) in texts {
            assert!(text.ends_with('.'), "{word}: {text}");
            assert!(text.len() <= 240, "{word}: {} characters", text.len());
        }
    }
}

//! How a principal is let out, handed over to another entry, or left where it is.

use std::time::Duration;

use privatelink_core::condition::{ConditionType, Reason};
use privatelink_core::desired::{Adoption, Deletion, Management, OnDelete, Policy, Revocation};
use privatelink_core::plan::{Next, Truth};
use privatelink_core::read::FacetKey;
use privatelink_core::state::{ClaimState, Decision};
use privatelink_core::status::ServiceStatus;
use privatelink_sim::world::call::{ConnectionKey, ResourceForm, ServiceForm};
use privatelink_sim::world::object::{ConnectionStatus, Principal};
use privatelink_sim::world::{AccountId, Call};

use crate::stage::{PROVIDER, Tenants, Trouble, entry, wire_id};

fn is_connected(tenants: &Tenants, key: ConnectionKey) -> bool {
    tenants.connection(key).connection.status == ConnectionStatus::Connected
}

/// A tenant that is connected, with an entry that ends so.
fn connected(revocation: Revocation) -> (Tenants, ConnectionKey) {
    let mut tenants = Tenants::at_rest({
        let mut one = entry("2");
        one.revocation = revocation;
        one
    });
    let (key, _) = tenants.join(0, &[0]);
    tenants.sweep_and_rest();
    assert!(is_connected(&tenants, key));
    tenants.stage.calls.clear();
    (tenants, key)
}

fn delete(tenants: &mut Tenants) {
    tenants.touch("tenant", |entry| entry.deleting = true);
}

#[test]
fn a_principal_goes_off_the_list_before_its_connections_are_cut() {
    let (mut tenants, key) = connected(Revocation::Disconnect);
    delete(&mut tenants);
    tenants.rest();
    assert!(tenants.entries.is_empty());
    assert_eq!(tenants.stage.calls, ["DisallowPrincipal", "RejectConnection"]);
    assert_eq!(tenants.listed(), ["1"]);
    assert_eq!(tenants.connection(key).connection.status, ConnectionStatus::Disconnected);
}

#[test]
fn connections_are_kept_where_the_entry_does_not_ask_for_more() {
    let (mut tenants, key) = connected(Revocation::KeepConnections);
    delete(&mut tenants);
    tenants.rest();
    assert!(tenants.entries.is_empty() && is_connected(&tenants, key));
    assert_eq!(tenants.stage.calls, ["DisallowPrincipal"]);
}

#[test]
fn what_is_retained_stays_on_the_list() {
    let (mut tenants, key) = connected(Revocation::Disconnect);
    tenants.edit("tenant", |entry| entry.deletion = Deletion::Retain);
    delete(&mut tenants);
    tenants.rest();
    assert!(tenants.entries.is_empty() && is_connected(&tenants, key));
    assert_eq!((tenants.stage.calls.len(), tenants.listed()), (0, vec!["1".to_owned(), "2".to_owned()]));
}

/// Nothing has to be read or written for that, so an account that leads elsewhere is not in the way.
#[test]
fn what_is_retained_goes_although_the_account_leads_elsewhere() {
    let (mut tenants, key) = connected(Revocation::Disconnect);
    tenants.service.status.service.creation.account = Some("999".into());
    delete(&mut tenants);
    tenants.rest();
    assert_eq!(tenants.ready("tenant").1, Reason::AccountMismatch);
    tenants.edit("tenant", |entry| entry.deletion = Deletion::Retain);
    tenants.rest();
    assert!(tenants.entries.is_empty() && is_connected(&tenants, key));
    assert!(tenants.stage.calls.is_empty());
}

/// Whoever comes in while the principal still stands on the list is cut, too.
#[test]
fn the_entry_stays_until_nothing_is_connected() {
    let (mut tenants, first) = connected(Revocation::Disconnect);
    // It is made, but shows itself only once the principal is off the list.
    let second = tenants.try_join(1, &[0]).expect("let in");
    delete(&mut tenants);
    let plan = tenants.turn("tenant");
    assert!(!plan.released);
    assert_eq!(tenants.listed(), ["1"]);
    tenants.rest();
    assert!(tenants.entries.is_empty());
    for key in [first, second] {
        assert_eq!(tenants.connection(key).connection.status, ConnectionStatus::Disconnected);
    }
    assert_eq!(tenants.stage.calls, ["DisallowPrincipal", "RejectConnection", "RejectConnection"]);
}

#[test]
fn a_cut_that_waits_for_the_cloud_is_made_when_it_has_settled() {
    let (mut tenants, key) = connected(Revocation::Disconnect);
    tenants.add_zone(0, key, 1);
    delete(&mut tenants);
    tenants.turn("tenant");
    assert_eq!((tenants.stage.calls.as_slice(), tenants.stage.refusals), (&["DisallowPrincipal"][..], 0));
    let (truth, reason, message) = tenants.ready("tenant");
    assert_eq!((truth, reason), (Truth::False, Reason::Deleting));
    assert_eq!(message, "2 is off the list of epsrv-1-1; 1 of its connections are being cut");
    tenants.rest();
    assert!(tenants.entries.is_empty() && !is_connected(&tenants, key));
}

#[test]
fn a_principal_is_let_out_on_time() {
    for revocation in [Revocation::KeepConnections, Revocation::Disconnect] {
        let (mut tenants, key) = connected(revocation);
        let end = tenants.stage.now + Duration::from_hours(10);
        tenants.edit("tenant", |entry| entry.expires_at = Some(end));
        let plan = tenants.turn("tenant");
        assert_eq!(plan.next, Next::At(end), "a timer, not a poll");
        tenants.stage.now = end;
        tenants.rest();
        assert_eq!(tenants.listed(), ["1"]);
        assert_eq!(is_connected(&tenants, key), revocation == Revocation::KeepConnections);
        let (truth, reason, message) = tenants.ready("tenant");
        assert_eq!((truth, reason), (Truth::False, Reason::Expired));
        assert!(message.contains("set a later one, or delete this object"), "{message}");
        assert!(tenants.said("tenant", ConditionType::Stalled).is_some());
        assert_eq!(tenants.status("tenant").allowed, Some(false));
        // Somebody lets it in again by hand.
        let service = *tenants.stage.world.services.keys().next().expect("made");
        tenants.by_hand(Call::AllowPrincipal(service, Principal::Account(AccountId(2))));
        tenants.sweep_and_rest();
        assert_eq!(tenants.listed(), ["1"]);
        // And the tenant is given more time.
        tenants.edit("tenant", |entry| entry.expires_at = None);
        tenants.rest();
        assert_eq!(tenants.listed(), ["1", "2"]);
        assert!(is_connected(&tenants, key), "cut by ourselves, under an earlier spec");
    }
}

#[test]
fn expiry_comes_before_whatever_else_is_awaited() {
    let mut tenants = Tenants::at_rest(entry("2"));
    let end = tenants.stage.now + Duration::from_mins(1);
    tenants.edit("tenant", |entry| entry.expires_at = Some(end));
    let (key, _) = tenants.join(0, &[0]);
    tenants.stage.sweep();
    // The sweep took longer than it had.
    tenants.rest();
    assert!(!is_connected(&tenants, key));
    assert_eq!(tenants.listed(), ["1"]);
}

#[test]
fn a_claim_is_handed_over_without_any_call() {
    let (mut tenants, key) = connected(Revocation::Disconnect);
    tenants.add("heir", entry("acs:ram:*:2"));
    tenants.rest();
    let (truth, reason, message) = tenants.ready("heir");
    assert_eq!((truth, reason), (Truth::False, Reason::OwnershipConflict));
    assert!(message.contains("WhitelistEntry tenant decides on acs:ram:*:2"), "{message}");
    assert_eq!(tenants.status("heir").claim, Some(ClaimState::Waiting));
    delete(&mut tenants);
    tenants.rest();
    assert!(!tenants.entries.contains_key("tenant"));
    assert_eq!(tenants.stage.calls, Vec::<&str>::new());
    assert_eq!(tenants.status("heir").claim, Some(ClaimState::Held));
    assert_eq!(tenants.ready("heir").1, Reason::Ready);
    assert!(is_connected(&tenants, key));
    assert_eq!(tenants.listed(), ["1", "2"], "as it was written first");
}

#[test]
fn an_entry_that_expires_hands_over_as_one_that_goes() {
    let (mut tenants, key) = connected(Revocation::Disconnect);
    tenants.add("heir", entry("2"));
    tenants.rest();
    let end = tenants.stage.now + Duration::from_secs(100);
    tenants.edit("tenant", |entry| entry.expires_at = Some(end));
    tenants.rest();
    tenants.stage.now = end;
    tenants.rest();
    assert_eq!(tenants.stage.calls, Vec::<&str>::new());
    assert!(is_connected(&tenants, key));
    let (_, reason, message) = tenants.ready("tenant");
    assert_eq!((reason, message.as_str()), (Reason::Expired, "expiresAt has passed; WhitelistEntry heir decides now"));
    assert_eq!(tenants.ready("heir").1, Reason::Ready);
}

/// Nothing of the service is followed by itself: whoever waits for it looks at it.
#[test]
fn a_removal_that_waits_for_the_service_is_made_once_a_look_shows_it_active() {
    let (mut tenants, _) = connected(Revocation::KeepConnections);
    let service = *tenants.stage.world.services.keys().next().expect("made");
    let balancer = tenants.stage.world.land.balancer_named("lb-g");
    let detach = Call::DetachResource(service, ResourceForm { balancer, kind: None, zone: None });
    tenants.stage.elsewhere(PROVIDER, detach).expect("begun");
    tenants.stage.sweep();
    delete(&mut tenants);
    tenants.stage.reads.clear();
    tenants.turn("tenant");
    assert_eq!(tenants.stage.reads.iter().filter(|facet| **facet == FacetKey::Services).count(), 1);
    assert_eq!((tenants.stage.calls.len(), tenants.listed().len()), (0, 2));
    tenants.stage.settle_world();
    assert!(tenants.turn("tenant").released);
    assert_eq!((tenants.stage.calls.as_slice(), tenants.listed().len()), (&["DisallowPrincipal"][..], 1));
}

/// Another that came while the call was on its way has read a list on which the principal still stands: what the first
/// reads before it goes tells it otherwise. A long list is not read again at once.
#[test]
fn an_entry_that_hands_over_in_the_middle_of_a_removal_shows_it_before_it_goes() {
    for expires in [false, true] {
        let (mut tenants, _) = connected(Revocation::KeepConnections);
        let service = *tenants.stage.world.services.keys().next().expect("made");
        for account in 1_000..1_260 {
            tenants.by_hand(Call::AllowPrincipal(service, Principal::Account(AccountId(account))));
        }
        tenants.stage.sweep();
        let now = tenants.stage.now;
        tenants.touch("tenant", |entry| {
            entry.deleting = !expires;
            entry.expires_at = expires.then_some(now);
        });
        tenants.turn("tenant");
        assert_eq!(tenants.stage.calls, ["DisallowPrincipal"]);
        tenants.add("heir", entry("2"));
        tenants.stage.reads.clear();
        let plan = tenants.turn("tenant");
        assert_eq!((plan.released, plan.next), (false, Next::Moving { since: None }));
        assert_eq!(tenants.stage.reads, []);
        assert_eq!(tenants.turn("tenant").released, !expires);
        assert!(matches!(tenants.stage.reads.as_slice(), [FacetKey::Principals(_)]), "{:?}", tenants.stage.reads);
        tenants.rest();
        assert!(tenants.listed().contains(&"2".to_owned()));
    }
}

/// The first is let go, because the second is there; before anybody knows that it is gone, the second goes as well.
#[test]
fn of_two_entries_that_go_one_lets_the_principal_out() {
    let (mut tenants, key) = connected(Revocation::Disconnect);
    tenants.add("heir", {
        let mut one = entry("2");
        one.revocation = Revocation::Disconnect;
        one
    });
    tenants.rest();
    delete(&mut tenants);
    let first = tenants.entries["tenant"].clone();
    assert!(tenants.turn("tenant").released);
    tenants.entries.insert("tenant".to_owned(), first);
    tenants.touch("heir", |entry| entry.deleting = true);
    let plan = tenants.turn("heir");
    assert_eq!((plan.released, plan.next), (false, Next::Others));
    let (_, reason, message) = tenants.ready("heir");
    assert_eq!(reason, Reason::Deleting);
    assert_eq!(message, "WhitelistEntry tenant decides on 2 and is being deleted, too: this one goes after it");
    tenants.entries.remove("tenant");
    tenants.rest();
    assert!(tenants.entries.is_empty() && !is_connected(&tenants, key));
    assert_eq!(tenants.listed(), ["1"]);
}

/// One that has expired stays, and lets the principal out itself.
#[test]
fn an_entry_goes_without_a_call_where_one_that_has_expired_decides() {
    let (mut tenants, key) = connected(Revocation::Disconnect);
    tenants.add("heir", entry("2"));
    tenants.rest();
    let end = tenants.stage.now;
    tenants.edit("tenant", |entry| entry.expires_at = Some(end));
    tenants.touch("heir", |entry| entry.deleting = true);
    assert!(tenants.turn("heir").released);
    assert_eq!(tenants.stage.calls, Vec::<&str>::new());
    tenants.rest();
    assert_eq!(tenants.listed(), ["1"]);
    assert!(!is_connected(&tenants, key));
}

/// The first look at an adopted service takes nobody away, whatever its entries say.
#[test]
fn nobody_is_cut_or_taken_off_the_list_of_an_adopted_service_before_a_person_agrees() {
    let mut tenants = Tenants::new();
    let resources = ["lb-hot", "lb-g", "lb-cool"].map(|name| ResourceForm {
        balancer: tenants.stage.world.land.balancer_named(name),
        kind: None,
        zone: None,
    });
    tenants.by_hand(Call::CreateService(ServiceForm { resources: resources.into(), ..ServiceForm::default() }));
    let service = *tenants.stage.world.services.keys().next().expect("made");
    let id = wire_id(service);
    for account in [2, 3] {
        tenants.by_hand(Call::AllowPrincipal(service, Principal::Account(AccountId(account))));
    }
    let (refused, _) = tenants.join(0, &[0]);
    let (leaving, _) = tenants.join(2, &[0]);
    for key in [refused, leaving] {
        tenants.accepted_by_hand(key);
    }
    tenants.edit_service(|one| one.common.adoption = Adoption::Yes(id.clone().into()));
    tenants.add("tenant", entry("2"));
    tenants.edit("tenant", |entry| entry.policy = Policy::Reject);
    tenants.add("leaving", entry("3"));
    tenants.rest();
    tenants.edit("leaving", |entry| entry.revocation = Revocation::Disconnect);
    tenants.touch("leaving", |entry| entry.deleting = true);
    tenants.rest();
    assert_eq!(tenants.stage.calls, Vec::<&str>::new());
    let why = format!(
        "{id} is being adopted: nobody is cut or taken off its list before its EndpointService has taken it over, and its Ready condition says what that waits for"
    );
    for (name, told) in [("tenant", format!("ep-1: {why}")), ("leaving", why)] {
        assert_eq!(tenants.ready(name), (Truth::False, Reason::AdoptionApprovalNeeded, told), "{name}");
    }
    tenants.edit_service(|one| one.common.annotations.adoption_approved = Some(id.as_str().into()));
    tenants.rest();
    assert!(!tenants.entries.contains_key("leaving"));
    assert_eq!(tenants.ready("tenant").0, Truth::True);
    assert_eq!(tenants.listed(), ["1", "2"]);
    assert!(!is_connected(&tenants, refused) && !is_connected(&tenants, leaving));
}

#[test]
fn a_paused_entry_changes_nothing_and_gives_nothing_away() {
    let (mut tenants, key) = connected(Revocation::Disconnect);
    tenants.touch("tenant", |entry| entry.paused = true);
    delete(&mut tenants);
    tenants.add("heir", entry("2"));
    tenants.rest();
    let (truth, reason, message) = tenants.ready("tenant");
    assert_eq!((truth, reason), (Truth::Unknown, Reason::Paused));
    assert!(message.contains("deletion waits"), "{message}");
    assert_eq!(tenants.ready("heir").1, Reason::OwnershipConflict);
    assert!(is_connected(&tenants, key) && tenants.stage.calls.is_empty());
    tenants.touch("tenant", |entry| entry.paused = false);
    tenants.rest();
    assert_eq!(tenants.entries.keys().collect::<Vec<_>>(), ["heir"]);
    assert!(is_connected(&tenants, key) && tenants.stage.calls.is_empty());
}

#[test]
fn an_entry_goes_without_a_call_where_its_service_is_not_to_be_changed() {
    for case in ["observed", "deleted", "gone"] {
        let (mut tenants, key) = connected(Revocation::Disconnect);
        match case {
            "observed" => tenants.edit_service(|one| one.common.management = Management::Observe),
            "deleted" => tenants.edit_service(|one| one.common.deleting = true),
            _ => tenants.service.released = true,
        }
        delete(&mut tenants);
        tenants.turn_of(Some("tenant"), (0, Trouble::None));
        assert!(tenants.entries.is_empty(), "{case}");
        assert!(is_connected(&tenants, key) && tenants.stage.calls.is_empty(), "{case}");
    }
}

/// A status is lost where objects are restored from a copy: the principal must not stay on the list for that.
#[test]
fn an_entry_that_has_acted_waits_with_its_deletion_for_a_service_that_has_lost_its_status() {
    let (mut tenants, key) = connected(Revocation::Disconnect);
    tenants.service.status.service = ServiceStatus::default();
    delete(&mut tenants);
    tenants.turn_of(Some("tenant"), (0, Trouble::None));
    assert_eq!(tenants.ready("tenant").1, Reason::WaitingForService);
    assert!(is_connected(&tenants, key) && tenants.stage.calls.is_empty());
    tenants.rest();
    assert!(tenants.entries.is_empty() && !is_connected(&tenants, key));
}

#[test]
fn an_entry_waits_with_its_deletion_while_its_service_is_paused() {
    let (mut tenants, key) = connected(Revocation::Disconnect);
    tenants.edit_service(|one| one.common.annotations.paused = true);
    delete(&mut tenants);
    tenants.rest();
    let (truth, reason, message) = tenants.ready("tenant");
    assert_eq!((truth, reason), (Truth::Unknown, Reason::Paused));
    assert_eq!(message, "the EndpointService of epsrv-1-1 is paused: deletion waits until it is not");
    assert!(is_connected(&tenants, key) && tenants.stage.calls.is_empty());
}

/// Time that is over ends what is open on a service that goes, too; only nothing is opened on it any more.
#[test]
fn an_entry_of_a_service_that_waits_to_go_still_lets_out() {
    let (mut tenants, key) = connected(Revocation::Disconnect);
    let end = tenants.stage.now + Duration::from_hours(1);
    tenants.edit("tenant", |entry| entry.expires_at = Some(end));
    tenants.edit_service(|one| one.common.deleting = true);
    tenants.rest();
    assert!(is_connected(&tenants, key), "connectionsOnDelete: Wait");
    let blocked = tenants.service.status.service.blocked_by.clone().expect("blocked");
    assert_eq!(blocked, (vec!["ep-1".into()], 1));
    tenants.stage.now = end;
    tenants.rest();
    assert!(tenants.stage.world.services.is_empty(), "nothing is in the way any more");
    assert!(tenants.service.released);
}

#[test]
fn a_service_that_rejects_when_it_goes_cuts_and_no_entry_accepts_again() {
    let (mut tenants, key) = connected(Revocation::KeepConnections);
    tenants.edit_service(|one| {
        one.on_delete = OnDelete::Reject;
        one.common.deleting = true;
    });
    tenants.rest();
    assert!(tenants.service.released && tenants.stage.world.services.is_empty());
    assert!(!is_connected(&tenants, key));
    assert_eq!(tenants.stage.calls.iter().filter(|call| **call == "AcceptConnection").count(), 0);
    assert_eq!(tenants.ready("tenant").1, Reason::WaitingForService);
    delete(&mut tenants);
    tenants.rest();
    assert!(tenants.entries.is_empty());
}

/// The process may die between any two calls: the next one goes on where the world stands.
#[test]
fn a_crash_in_the_middle_of_letting_out_changes_nothing_of_the_end() {
    for call in 0..2 {
        for trouble in [Trouble::CrashBefore, Trouble::CrashAfter, Trouble::LostAnswer] {
            let (mut tenants, key) = connected(Revocation::Disconnect);
            delete(&mut tenants);
            tenants.turn_of(Some("tenant"), (call, trouble));
            tenants.rest();
            assert!(tenants.entries.is_empty() && !is_connected(&tenants, key), "{call} {trouble:?}");
            assert_eq!(tenants.listed(), ["1"]);
        }
    }
}

/// That we decide on connections is written down before the first is cut: when the spec changes after a crash, it is
/// known whose hand it was.
#[test]
fn whose_hand_it_was_is_known_after_a_crash() {
    let mut tenants = Tenants::new();
    tenants.rest();
    let service = *tenants.stage.world.services.keys().next().expect("made");
    tenants.by_hand(Call::AllowPrincipal(service, Principal::Account(AccountId(2))));
    let (key, _) = tenants.join(0, &[0]);
    tenants.accepted_by_hand(key);
    tenants.add("tenant", entry("2"));
    let accept = tenants.desired("tenant").policy.clone();
    tenants.touch("tenant", |entry| entry.policy = Policy::Reject);
    assert!(tenants.turn_of(Some("tenant"), (0, Trouble::CrashAfter)).is_none());
    assert_eq!(tenants.connection(key).connection.status, ConnectionStatus::Disconnecting);
    assert_eq!(tenants.status("tenant").common.conditions.len(), 5, "{:?}", tenants.status("tenant").common.conditions);
    tenants.edit("tenant", |entry| entry.policy = accept);
    tenants.rest();
    assert!(is_connected(&tenants, key));
    assert_eq!(tenants.decision("tenant").0, Decision::Accept);
}

/// Ready needs a list that left after our last word.
#[test]
fn what_was_refused_counts_once_a_read_has_shown_it() {
    let mut tenants = Tenants::at_rest(entry("2"));
    tenants.edit("tenant", |entry| entry.policy = Policy::Reject);
    tenants.join(0, &[0]);
    tenants.stage.sweep();
    tenants.stage.reads.clear();
    tenants.turn("tenant");
    assert_eq!(tenants.stage.calls, ["RejectConnection"]);
    let connections = |facet: &&FacetKey| matches!(facet, FacetKey::Connections(_));
    assert_eq!(tenants.stage.reads.iter().filter(connections).count(), 1, "{:?}", tenants.stage.reads);
    assert_eq!(tenants.ready("tenant").0, Truth::True);
}

/// A stranger waits: nobody decides, and after an hour that is news.
#[test]
fn a_connection_that_nobody_decides_on_is_told_once_it_has_waited_for_long() {
    use privatelink_core::report::service::{LONG_WAIT, newly_long, next_long};
    let mut tenants = Tenants::new();
    tenants.rest();
    let service = *tenants.stage.world.services.keys().next().expect("made");
    tenants.by_hand(Call::AllowPrincipal(service, Principal::Account(AccountId(2))));
    tenants.join(0, &[0]);
    tenants.sweep_and_rest();
    let before = tenants.service.status.service.clone();
    assert_eq!(before.unclaimed[0].reason, "no WhitelistEntry of this service names account 2");
    let due = next_long(&before, tenants.stage.now).expect("it waits");
    assert_eq!(due, before.unclaimed[0].since + LONG_WAIT);
    tenants.stage.now = due;
    tenants.turn_of(None, (0, Trouble::None));
    let after = tenants.service.status.service.clone();
    assert_eq!(newly_long(&before, &after).map(|one| one.endpoint.as_str()).collect::<Vec<_>>(), ["ep-1"]);
    assert_eq!((newly_long(&after, &after).count(), next_long(&after, tenants.stage.now)), (0, None));
    assert!(after.unclaimed[0].reason.ends_with("it has waited for more than an hour"));
    tenants.add("tenant", entry("2"));
    tenants.rest();
    assert!(tenants.service.status.service.unclaimed.is_empty());
}

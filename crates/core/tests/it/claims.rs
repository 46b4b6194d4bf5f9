//! Who decides where several objects speak of one thing: the table of kinds and states.

use std::collections::BTreeSet;
use std::time::Duration;

use privatelink_core::claims::{Assignment, Claims, Entry, settle};
use privatelink_core::desired::{Policy, Revocation};
use privatelink_core::moment::Moment;

use crate::stage::entry;

const NOW: Moment = Moment(1_000_000);

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Live,
    Paused,
    Deleting,
    Expired,
    /// Deleted while paused: its deletion waits.
    Stopped,
}

use State::{Deleting, Expired, Live, Paused, Stopped};

const STATES: [State; 5] = [Live, Paused, Deleting, Expired, Stopped];

fn claimant(name: &str, principal: &str, age: u64, state: State, holds: bool) -> Entry {
    let mut one = entry(principal);
    one.uid = format!("uid-{name}");
    name.clone_into(&mut one.name);
    one.created = NOW - Duration::from_secs(age);
    one.paused = matches!(state, Paused | Stopped);
    one.deleting = matches!(state, Deleting | Stopped);
    one.expires_at = (state == Expired).then_some(NOW);
    one.claim(holds, NOW)
}

fn holder(entries: &[Entry]) -> String {
    let claims = settle(entries, &[]);
    claims.holder(&entries[0].whom).expect("one holds").name.clone()
}

/// One that is written down as the holder keeps what it holds, else the older one has it; one whose say ends yields to
/// any that is live, and one that is paused keeps what it has.
#[test]
fn the_holder_of_a_principal_for_each_pair_of_states() {
    // Rows: the state of the older one. Columns: that of the younger one, in the same order.
    for (who_is_written, table) in [
        ("neither", ["ooooo", "ooooo", "yyooy", "yyooy", "ooooo"]),
        ("older", ["ooooo", "ooooo", "yyooy", "yyooy", "ooooo"]),
        ("younger", ["yyooy", "yyooy", "yyyyy", "yyyyy", "yyooy"]),
    ] {
        for (older, row) in STATES.into_iter().zip(table) {
            for (younger, expected) in STATES.into_iter().zip(row.chars()) {
                let old = claimant("old", "2", 20, older, who_is_written == "older");
                // The same account in another form is the same principal.
                let young = claimant("young", "acs:ram:*:2", 10, younger, who_is_written == "younger");
                let expected = if expected == 'o' { "old" } else { "young" };
                let told = format!("{older:?} {younger:?}, written: {who_is_written}");
                assert_eq!(holder(&[old.clone(), young.clone()]), expected, "{told}");
                assert_eq!(holder(&[young, old]), expected, "{told}: whatever the order");
            }
        }
    }
}

#[test]
fn of_the_same_age_the_first_uid_decides() {
    let entries = [claimant("b", "2", 5, Live, false), claimant("a", "2", 5, Live, false)];
    assert_eq!(holder(&entries), "a");
}

/// The first that holds, of those that are not being deleted: one that is paused pins all the same.
#[test]
fn the_pin_of_a_leg_for_each_pair_of_states() {
    let assignment = |name: &str, age: u64, deleting: bool, holds: bool| Assignment {
        uid: format!("uid-{name}"),
        name: name.to_owned(),
        created: NOW - Duration::from_secs(age),
        endpoint: "ep-1".into(),
        zone: "z".into(),
        resource: format!("lb-{name}").into(),
        holds,
        deleting,
    };
    let pin = |all: &[Assignment]| settle(&[], all).pin(&"ep-1".into(), &"z".into()).map(|pin| pin.name.clone());
    for ((older, younger), written, expected) in [
        ((false, false), None, Some("old")),
        ((false, false), Some("old"), Some("old")),
        ((false, false), Some("young"), Some("young")),
        ((true, false), None, Some("young")),
        ((true, false), Some("old"), Some("young")),
        ((false, true), Some("young"), Some("old")),
        ((true, true), Some("old"), None),
    ] {
        let old = assignment("old", 20, older, written == Some("old"));
        let young = assignment("young", 10, younger, written == Some("young"));
        let told = format!("{older} {younger} {written:?}");
        assert_eq!(pin(&[old.clone(), young.clone()]).as_deref(), expected, "{told}");
        assert_eq!(pin(&[young, old]).as_deref(), expected, "{told}: whatever the order");
    }
    assert_eq!(settle(&[], &[assignment("old", 1, false, true)]).pin(&"ep-1".into(), &"other".into()), None);
}

fn named(name: &str, principal: &str) -> Entry {
    claimant(name, principal, 5, Live, false)
}

/// An entry for the account comes before one for everybody, and one for a part of it decides on no connection.
#[test]
fn who_decides_on_the_connections_of_an_account() {
    let (account, everybody, part) = (named("a", "2"), named("e", "acs:ram:*:*"), named("p", "acs:ram:*:2:user/x"));
    let decider = |entries: &[Entry], owner: Option<&str>| {
        let owner = owner.map(Into::into);
        settle(entries, &[]).decider(owner.as_ref()).map(|holder| holder.name.clone())
    };
    for (entries, owner, expected) in [
        (vec![account.clone(), everybody.clone(), part.clone()], Some("2"), Some("a")),
        (vec![account.clone(), everybody.clone(), part.clone()], Some("3"), Some("e")),
        (vec![account.clone(), everybody.clone()], None, Some("e")),
        (vec![account, part.clone()], Some("3"), None),
        (vec![part.clone()], Some("2"), None),
        (vec![everybody, part], Some("2"), Some("e")),
    ] {
        assert_eq!(decider(&entries, owner).as_deref(), expected, "{owner:?} {entries:?}");
    }
}

/// Why nobody decides, in words that tell what to do.
#[test]
fn a_connection_on_which_nobody_decides_says_why() {
    let why = |edit: &dyn Fn(&mut privatelink_core::desired::DesiredEntry)| {
        let mut one = entry("2");
        one.name = "tenant".into();
        edit(&mut one);
        settle(&[one.claim(false, NOW)], &[]).undecided(Some(&"2".into()))
    };
    assert_eq!(why(&|_| {}), None);
    assert_eq!(why(&|one| one.policy = Policy::Reject), None);
    assert_eq!(
        why(&|one| {
            one.deleting = true;
            one.revocation = Revocation::Disconnect;
        }),
        None
    );
    for (text, told) in [
        (
            why(&|one| one.policy = Policy::Leave),
            "WhitelistEntry tenant leaves its connections to others: set connections.action",
        ),
        (why(&|one| one.paused = true), "WhitelistEntry tenant is paused"),
        (
            why(&|one| one.expires_at = Some(NOW)),
            "WhitelistEntry tenant has expired and keeps its connections as they are",
        ),
        (
            why(&|one| one.deleting = true),
            "WhitelistEntry tenant is being deleted and keeps its connections as they are",
        ),
        (why(&|one| one.principal = "3".into()), "no WhitelistEntry of this service names account 2"),
    ] {
        assert_eq!(text.as_deref(), Some(told));
    }
    let unknown = settle(&[], &[]).undecided(None);
    assert_eq!(unknown.as_deref(), Some("the cloud does not say whose it is"));
}

/// Exactly those are woken whose own row has changed.
#[test]
fn a_change_of_claims_concerns_those_whose_row_it_changes() {
    let uids = |claims: (&Claims, &Claims)| claims.0.concerned(claims.1).entries;
    let expect = |names: &[&str]| names.iter().map(|name| format!("uid-{name}")).collect::<BTreeSet<_>>();
    let (a, b) = (claimant("a", "2", 20, Live, true), claimant("b", "2", 10, Live, false));
    let (other, everybody) = (named("o", "3"), named("e", "*"));
    let before = settle(&[a.clone(), b.clone(), other.clone(), everybody.clone()], &[]);
    assert_eq!(uids((&before, &before)), BTreeSet::new());
    // The holder begins to go: both of its principal, and nobody else.
    let going = claimant("a", "2", 20, Deleting, true);
    let after = settle(&[going, b.clone(), other.clone(), everybody.clone()], &[]);
    assert_eq!(uids((&before, &after)), expect(&["a", "b"]));
    // It is gone.
    let gone = settle(&[b.clone(), other.clone(), everybody.clone()], &[]);
    assert_eq!(uids((&after, &gone)), expect(&["a"]));
    // An account is no longer named: everybody's entry decides on it now.
    let less = settle(&[b, everybody], &[]);
    assert_eq!(uids((&gone, &less)), expect(&["o", "e"]));
    let pin = Assignment {
        uid: "p".into(),
        name: "p".into(),
        created: NOW,
        endpoint: "ep-1".into(),
        zone: "z".into(),
        resource: "lb".into(),
        holds: false,
        deleting: false,
    };
    let pinned = settle(&[a], &[pin]);
    let unpinned = settle(&[claimant("a", "2", 20, Live, true)], &[]);
    let concerned = unpinned.concerned(&pinned);
    assert_eq!((concerned.entries, concerned.endpoints), (BTreeSet::new(), ["ep-1".into()].into()));
}

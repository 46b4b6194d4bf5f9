//! What docs/zones.md says of moves that are not made: each row of its two tables is brought about in the planners, and
//! reads there as it does on the page.

use std::collections::BTreeMap;

use privatelink_core::condition::{ConditionType, Reason};
use privatelink_core::desired::{Departure, Removal};
use privatelink_core::moment::Moment;
use privatelink_core::observed::ResourceKind;
use privatelink_core::plan::Truth;
use privatelink_core::state::{ConnectionState, ZoneState};
use privatelink_core::step::MigrationMode;
use privatelink_sim::world::call::ConnectionKey;
use privatelink_sim::world::land::Land;
use privatelink_sim::world::object::BalancerKind;

use crate::assignment_table::{Row, at, both, row, up};
use crate::stage::{Tenants, ZONES, assignment, endpoint_id, entry, key};

const PAGE: &str = include_str!("../../../../docs/zones.md");

/// The names of the planner's table, and of the stage, and those that stand on the page for them.
const NAMES: [(&str, &str); 8] = [
    ("lb-a", "lb-old"),
    ("lb-b", "lb-new"),
    ("lb-c", "lb-other"),
    ("z", "cn-hangzhou-f"),
    ("y", "cn-hangzhou-g"),
    ("x", "cn-hangzhou-h"),
    ("ep-1", "ep-tenant"),
    ("epsrv-1", "epsrv-gateway"),
];

/// What is said of one case: conditions and reason as the page writes them, and the message.
type Told = (String, String);

/// The rows of the page under one heading: the case, what is said, and the message.
fn rows(heading: &str) -> BTreeMap<String, Told> {
    let (_, part) = PAGE.split_once(&format!("\n## {heading}\n")).expect("a heading of the page");
    let lines = part.lines().take_while(|line| !line.starts_with("## "));
    let cells = lines.filter(|line| line.starts_with("| ")).skip(2).map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [case, said, message, to_do] = cells[..] else { panic!("four cells: {line}") };
        assert!(!to_do.is_empty(), "a person is told what to do: {line}");
        (case.to_owned(), (said.to_owned(), message.to_owned()))
    });
    cells.collect()
}

/// The page and the planner say the same, and the page has each case.
fn compare(heading: &str, provoked: Vec<(&str, Told)>) {
    let provoked: BTreeMap<String, Told> = provoked.into_iter().map(|(case, told)| (case.to_owned(), told)).collect();
    let page = rows(heading);
    let line = |(case, (said, message)): (&String, &Told)| format!("| {case} | {said} | {message} |");
    let differing: Vec<String> =
        provoked.iter().filter(|(case, told)| page.get(*case) != Some(*told)).map(line).collect();
    assert!(differing.is_empty(), "the page does not say:\n{}", differing.join("\n"));
    let unprovoked: Vec<&String> = page.keys().filter(|case| !provoked.contains_key(*case)).collect();
    assert!(unprovoked.is_empty(), "nobody brings about: {unprovoked:?}");
}

fn renamed(message: &str) -> String {
    let part = |word: &str| {
        let name = word.trim_end_matches([',', ':', ';', '.']);
        let shown = NAMES.iter().find(|(ours, _)| *ours == name).map_or(name, |(_, shown)| *shown);
        format!("{shown}{}", &word[name.len()..])
    };
    message.split(' ').map(part).collect::<Vec<_>>().join(" ")
}

fn conditions(ready: Truth, stalled: bool, reason: Reason) -> String {
    let stalled = if stalled { ", `Stalled=True`" } else { "" };
    format!("`Ready={ready:?}`{stalled}: `{reason:?}`")
}

fn said(row: &Row) -> Told {
    let (plan, _) = row.turn();
    assert_eq!(plan.steps, [], "nothing is called");
    let ready = plan.sayings.iter().find(|one| one.condition == ConditionType::Ready).expect("said");
    let stalled = plan.says(ConditionType::Stalled, Truth::True);
    (conditions(ready.truth, stalled, ready.reason), renamed(&ready.message))
}

#[test]
fn each_row_of_an_assignment_that_is_not_as_declared_reads_as_on_the_page() {
    use ConnectionState::{AwaitingAcceptance, Connected, Deleting, Disconnected, Failed, Unknown};
    let auto = |id: &'static str, on: bool| {
        move |one: &mut Row| one.resources.get_mut(&at(id, "z")).expect("held").auto_allocate = on
    };
    let to = |id: &'static str| move |one: &mut Row| one.desired.resource = id.into();
    let served = |one: &mut Row| one.leg().resource = Some("lb-b".into());
    let alone = |one: &mut Row| {
        one.leg().resource = None;
        one.resources.retain(|key, _| key.zone != "z".into());
    };
    let goes = |one: &mut Row| one.parent().deleting = true;
    let waiting = || row(AwaitingAcceptance, ZoneState::Waiting);
    let rival = |one: &mut Row| {
        let mut rival = one.desired.clone();
        (rival.uid, rival.name) = ("uid-rival".to_owned(), "tenant-f-by-team-b".to_owned());
        one.desired.created = Moment(5);
        one.rival = Some(rival);
    };
    let ended = |one: &mut Row| {
        one.status = both().status;
        one.status.state = Some(ZoneState::Migrating);
        one.status.migration.as_mut().expect("open").migrated_at = None;
    };
    let open = |one: &mut Row| {
        let id = "lb-old-lb-new-20261123T100000Z";
        id.clone_into(&mut one.status.migration.as_mut().expect("open").id);
    };
    let told = vec![
        ("The load balancer is none of the service's", up().with(to("lb-none"))),
        ("It is in another zone", up().with(to("lb-far"))),
        ("The service has none in the zone", waiting().with(to("lb-far")).with(alone)),
        ("The old one is still given to new connections", up().with(auto("lb-a", true))),
        ("And it is the last one of the zone that is", up().with(auto("lb-a", true)).with(auto("lb-b", false))),
        ("Load balancers of another type", up().with(|one| one.service.kind = Some(ResourceKind::Nlb))),
        ("The account may not assign", up().written().answered("QuotaMisMatched")),
        ("Its credentials may not assign", up().written().answered("NoPermission")),
        ("Another assignment decides on the zone", up().with(rival)),
        ("The cloud has ended a smooth migration on the old one", up().with(ended)),
        ("The old side drains", both().with(open)),
        ("The old side waits for an approval", both().with(open).with(|one| one.desired.migration.approval = true)),
        ("The connection has not been accepted", waiting().with(served)),
        ("The connection is cut", row(Disconnected, ZoneState::Disconnected).with(served)),
        ("The endpoint joins another service, or none", up().with(|one| one.connection = None)),
        ("The endpoint is not in the zone", up().with(|one| one.desired.zone = "x".into())),
        ("The consumer deletes its endpoint", row(Deleting, ZoneState::Connected)),
        ("The connection has failed", row(Failed, ZoneState::Disconnected)),
        ("The cloud has a new word for a connection", row(Unknown("Odd".into()), ZoneState::Connected)),
        ("The cloud has a new word for a zone", row(Connected, ZoneState::Unknown("Odd".into()))),
        ("The service is being deleted", up().with(goes)),
        ("And the zone is not connected", row(Connected, ZoneState::Disconnected).with(served).with(goes)),
        (
            "The service is being adopted",
            up().with(|one| {
                one.desired.connected = false;
                one.parent().unapproved = Some("uid-service".to_owned());
            }),
        ),
        ("The service is observed only", up().with(|one| one.parent().observed = true)),
        ("The service is paused", up().with(|one| one.parent().paused = true)),
        ("The assignment is paused", up().with(|one| one.desired.paused = true)),
        ("The account owes money", up().written().with(|one| one.service.locked = true)),
    ];
    compare("When a zone does not move", told.iter().map(|(case, row)| (*case, said(row))).collect());
}

/// A service whose one load balancer in zone f serves the connection of a tenant.
fn hot() -> (Tenants, ConnectionKey) {
    let mut tenants = Tenants::new();
    tenants.add("two", entry("2"));
    tenants.edit_service(|one| {
        one.removal = Removal { departure: Some(Departure::Move(MigrationMode::Smooth)), ..Removal::WAIT };
    });
    tenants.rest();
    let (of, _) = tenants.join(0, &[0]);
    tenants.sweep_and_rest();
    assert_eq!(tenants.leg(of, ZONES[0]).1, Some("lb-hot"));
    (tenants, of)
}

/// What is said once `lb-hot` is off the list, and these are on it.
fn leaving(change: impl FnOnce(&mut Tenants, ConnectionKey), instead: &[&str]) -> Told {
    let (mut tenants, of) = hot();
    change(&mut tenants, of);
    tenants.edit_service(|one| {
        one.resources.retain(|key, _| key.zone != ZONES[0].into());
        one.resources.extend(instead.iter().map(|balancer| (key(balancer), true)));
    });
    tenants.rest();
    let conditions = &tenants.service.status.service.common.conditions;
    let said = conditions.iter().find(|one| one.condition == ConditionType::Evacuating).expect("connections leave");
    let (endpoint, zone) = (endpoint_id(of.endpoint), ZONES[0]);
    let message = said.message.replace(endpoint.as_str(), "ep-tenant").replace(zone, "cn-hangzhou-f");
    // The stage has a word of its own for what the cloud says.
    let message = message.replace("AssignmentNotGranted: AssignmentNotGranted", "…");
    // Nor is its time that of the page.
    let message = match message.split_once("lb-hot-") {
        Some((before, after)) => format!("{before}lb-hot-20261123T100000Z{}", &after["20261123T100000Z".len()..]),
        None => message,
    };
    (format!("`Evacuating={:?}`: `{:?}`", said.truth, said.reason), message)
}

#[test]
fn each_row_of_a_load_balancer_that_is_not_left_reads_as_on_the_page() {
    let nothing = |_: &mut Tenants, _: ConnectionKey| {};
    let pinned = |tenants: &mut Tenants, of: ConnectionKey| {
        tenants.assign("tenant-f", assignment(&endpoint_id(of.endpoint), "lb-hot"));
    };
    let moves = |tenants: &mut Tenants, of: ConnectionKey| {
        tenants.edit_service(|one| {
            one.resources.insert(key("lb-cool"), true);
            one.resources.insert(key("lb-hot"), false);
        });
        tenants.rest();
        tenants.assign("tenant-f", assignment(&endpoint_id(of.endpoint), "lb-cool"));
        tenants.touch_zone("tenant-f", |one| one.migration.approval = true);
        tenants.rest();
    };
    let refused = |tenants: &mut Tenants, _: ConnectionKey| {
        let mut land = Land::clone(&tenants.stage.world.land);
        let cool = land.balancers.iter_mut().find(|one| one.name == "lb-cool").expect("it is there");
        cool.supports_private_link = false;
        tenants.stage.world.land = land.into();
    };
    let beside = |auto: bool| {
        move |tenants: &mut Tenants, _: ConnectionKey| {
            tenants.edit_service(|one| {
                one.resources.insert(key("lb-cool"), true);
                one.resources.insert(key("lb-hot"), auto);
            });
            tenants.rest();
        }
    };
    let denied = |tenants: &mut Tenants, of: ConnectionKey| {
        let owner = of.service.maker;
        tenants.stage.world.accounts.get_mut(&owner).expect("the provider's").may_assign_resources = false;
    };
    let waits = |tenants: &mut Tenants, _: ConnectionKey| tenants.edit_service(|one| one.removal = Removal::WAIT);
    let approved = |tenants: &mut Tenants, _: ConnectionKey| tenants.edit_service(|one| one.removal.approval = true);
    let other = |tenants: &mut Tenants, of: ConnectionKey| {
        let mut land = Land::clone(&tenants.stage.world.land);
        land.balancers.iter_mut().for_each(|one| one.kind = BalancerKind::Nlb);
        tenants.stage.world.land = land.into();
        tenants.stage.world.services.get_mut(&of.service).expect("the service").kind = BalancerKind::Nlb;
        tenants.edit_service(|one| one.kind = ResourceKind::Nlb);
        tenants.sweep_and_rest();
    };
    let told = vec![
        ("An assignment keeps a connection on it", leaving(pinned, &["lb-cool"])),
        ("An assignment is moving one away from it", leaving(moves, &["lb-cool"])),
        ("It is the last one that is given to new connections", leaving(beside(true), &[])),
        ("The next one is not there yet", leaving(refused, &["lb-cool"])),
        ("No other one may take the zone", leaving(beside(false), &[])),
        ("It is of another type", leaving(other, &[])),
        ("The account may not assign", leaving(denied, &["lb-cool"])),
        ("Consumers are waited for", leaving(waits, &["lb-cool"])),
        ("The old sides drain", leaving(nothing, &["lb-cool"])),
        ("The old sides wait for an approval", leaving(approved, &["lb-cool"])),
    ];
    compare("When a load balancer is not left", told);
}

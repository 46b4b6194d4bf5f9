//! Random sequences of edits, crashes, lost answers, the world's own moves and other people's hands: at the end
//! the world holds what the manifest says, and on the way no object ever has two services.

use proptest::prelude::*;

use privatelink_core::desired::{Deletion, OnDelete};
use privatelink_core::plan::Truth;
use privatelink_sim::world::call::{AcceptForm, ResourceForm, ServiceChange};
use privatelink_sim::world::{Call, advance, invariant, progress};

use crate::stage::{BALANCERS, PROVIDER, Stage, Trouble, desired, key, variants};

#[derive(Clone, Debug)]
enum Event {
    Turn(usize, Trouble),
    Restart,
    Due(usize),
    Resources(Vec<(usize, bool)>),
    Affinity(Option<bool>),
    Bandwidth(Option<u32>),
    AutoAccept(bool),
    Tag(Option<String>),
    Sweep,
    DriftAutoAccept(bool),
    DriftDetach(usize),
    DriftAttach(usize),
    Endpoint,
    Accept,
    Reject,
}

fn events() -> impl Strategy<Value = Event> {
    let trouble = prop_oneof![
        6 => Just(Trouble::None),
        1 => Just(Trouble::LostAnswer),
        1 => Just(Trouble::CrashAfter),
        1 => Just(Trouble::CrashBefore),
    ];
    let balancer = 0..BALANCERS.len();
    prop_oneof![
        10 => (0_usize..3, trouble).prop_map(|(call, trouble)| Event::Turn(call, trouble)),
        1 => Just(Event::Restart),
        6 => (0_usize..6).prop_map(Event::Due),
        3 => prop::collection::vec((balancer.clone(), any::<bool>()), 1..4).prop_map(Event::Resources),
        1 => any::<Option<bool>>().prop_map(Event::Affinity),
        1 => prop::option::of(100_u32..10_240).prop_map(Event::Bandwidth),
        1 => any::<bool>().prop_map(Event::AutoAccept),
        1 => prop::option::of("[a-c]").prop_map(Event::Tag),
        2 => Just(Event::Sweep),
        1 => any::<bool>().prop_map(Event::DriftAutoAccept),
        1 => balancer.clone().prop_map(Event::DriftDetach),
        1 => balancer.prop_map(Event::DriftAttach),
        1 => Just(Event::Endpoint),
        1 => Just(Event::Accept),
        1 => Just(Event::Reject),
    ]
}

/// Each zone keeps one load balancer that allows automatic allocation, as the kind's own rule demands.
fn keeps_the_rule(resources: &mut std::collections::BTreeMap<privatelink_core::observed::ResourceKey, bool>) {
    let zones: Vec<_> = resources.keys().map(|key| key.zone.clone()).collect();
    for zone in zones {
        let mut of_zone = resources.iter_mut().filter(|(key, _)| key.zone == zone);
        let Some((_, first)) = of_zone.next() else { continue };
        let any = *first || of_zone.any(|(_, auto)| *auto);
        if !any {
            *first_of(resources, &zone) = true;
        }
    }
}

fn first_of<'a>(
    resources: &'a mut std::collections::BTreeMap<privatelink_core::observed::ResourceKey, bool>,
    zone: &privatelink_core::id::Zone,
) -> &'a mut bool {
    resources.iter_mut().find(|(key, _)| key.zone == *zone).map(|(_, auto)| auto).expect("the zone has one")
}

fn happen(stage: &mut Stage, event: &Event) {
    let service = stage.world.services.keys().next().copied();
    let endpoint = stage.world.endpoints.keys().next().copied();
    let connection = service
        .zip(endpoint)
        .map(|(service, endpoint)| privatelink_sim::world::call::ConnectionKey { service, endpoint });
    let form = |stage: &Stage, place: usize| ResourceForm {
        balancer: stage.world.land.balancer_named(BALANCERS[place]),
        kind: None,
        zone: None,
    };
    // What other hands do may be refused by the cloud: then nothing has happened.
    match event {
        Event::Turn(call, trouble) => {
            stage.turn_with((*call, *trouble));
        }
        Event::Restart => stage.restart(),
        Event::Due(place) => {
            let open = progress(&stage.world);
            if !open.is_empty() {
                stage.world = advance(&stage.world, open[place % open.len()]);
            }
        }
        Event::Resources(list) => stage.edit(|desired| {
            desired.resources = list.iter().map(|(place, auto)| (key(BALANCERS[*place]), *auto)).collect();
            keeps_the_rule(&mut desired.resources);
        }),
        Event::Affinity(value) => stage.edit(|desired| desired.zone_affinity = *value),
        Event::Bandwidth(value) => stage.edit(|desired| desired.default_bandwidth_mbps = *value),
        Event::AutoAccept(value) => stage.edit(|desired| desired.auto_accept = *value),
        Event::Tag(value) => stage.edit(|desired| {
            desired.common.tags = value.iter().map(|value| ("team".to_owned(), value.clone())).collect();
        }),
        Event::Sweep => stage.sweep(),
        Event::DriftAutoAccept(on) => {
            if let Some(id) = service {
                let change = ServiceChange { auto_accept: Some(*on), ..ServiceChange::default() };
                let _ = stage.elsewhere(PROVIDER, Call::UpdateService(id, change));
            }
        }
        Event::DriftDetach(place) => {
            if let Some(id) = service {
                let call = Call::DetachResource(id, form(stage, *place));
                let _ = stage.elsewhere(PROVIDER, call);
            }
        }
        Event::DriftAttach(place) => {
            if let Some(id) = service {
                let call = Call::AttachResource(id, form(stage, *place));
                let _ = stage.elsewhere(PROVIDER, call);
            }
        }
        Event::Endpoint => {
            let active = stage
                .world
                .services
                .values()
                .any(|one| one.status == privatelink_sim::world::object::ServiceStatus::Active);
            let served = stage.world.services.values().any(|one| one.resources.keys().any(|(_, zone)| zone.0 == 0));
            if active
                && served
                && stage.world.endpoints.is_empty()
                && !stage.world.variants.is_on(privatelink_sim::world::Variant::GroupsRequired)
            {
                stage.endpoint();
            }
        }
        Event::Accept => {
            if let Some(key) = connection {
                let _ = stage.elsewhere(PROVIDER, Call::AcceptConnection(key, AcceptForm::default()));
            }
        }
        Event::Reject => {
            if let Some(key) = connection {
                let _ = stage.elsewhere(PROVIDER, Call::RejectConnection(key));
            }
        }
    }
}

fn check(stage: &Stage) -> Result<(), TestCaseError> {
    prop_assert!(stage.world.services.len() <= 1, "two services: {:?}", stage.world.services.keys());
    let broken = invariant::broken(&stage.world);
    prop_assert!(broken.is_empty(), "{broken:?}");
    Ok(())
}

/// The world is as the manifest says, apart from load balancers that connections still use.
fn as_declared(stage: &Stage) -> Result<(), TestCaseError> {
    let service = stage.the_service();
    let desired = &stage.desired;
    prop_assert_eq!(service.auto_accept, desired.auto_accept);
    prop_assert_eq!(service.zone_affinity, desired.zone_affinity.unwrap_or_default());
    prop_assert_eq!(service.connect_bandwidth_mbps.unwrap_or(3_072), desired.default_bandwidth_mbps.unwrap_or(3_072));
    let team = service.tags.get("team").map(ToString::to_string);
    prop_assert_eq!(team.as_ref(), desired.common.tags.get("team"));
    let name = |id: privatelink_sim::world::BalancerId| {
        stage.world.land.balancer(id).map(|one| key(&one.name)).expect("on the land")
    };
    for (wanted, auto) in &desired.resources {
        let held = service.resources.iter().find(|((id, _), _)| name(*id) == *wanted);
        prop_assert_eq!(held.map(|(_, resource)| resource.auto_allocate), Some(*auto), "{:?}", wanted);
    }
    // One that is used stays, and so does the one that the cloud wants beside it in its zone.
    let used = |zone| {
        service.resources.keys().filter(|at| at.1 == zone).any(|at| {
            let load = stage.world.load_of(service.id, *at);
            load.current + load.replaced > 0
        })
    };
    for at in service.resources.keys() {
        prop_assert!(
            desired.resources.contains_key(&name(at.0)) || used(at.1),
            "{:?} is attached, its zone unused and not declared",
            name(at.0)
        );
    }
    let ready = stage.ready().map(|(truth, ..)| truth);
    prop_assert_eq!(ready, Some(Truth::True), "{:?}", stage.ready());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_end_is_as_declared(
        variants in variants(), events in prop::collection::vec(events(), 1..40)
    ) {
        let mut stage = Stage::with(desired(&["lb-hot"]), variants);
        for event in &events {
            happen(&mut stage, event);
            check(&stage)?;
        }
        stage.settle_world();
        stage.restart();
        stage.rest();
        check(&stage)?;
        as_declared(&stage)?;
    }

    #[test]
    fn whatever_happened_a_deletion_leaves_nothing(
        variants in variants(),
        events in prop::collection::vec(events(), 1..30),
        after in prop::collection::vec(events(), 0..15),
    ) {
        let mut stage = Stage::with(desired(&["lb-hot"]), variants);
        stage.desired.on_delete = OnDelete::Reject;
        for event in &events {
            happen(&mut stage, event);
        }
        stage.desired.common.deleting = true;
        for event in after.iter().filter(|event| matches!(event, Event::Turn(..) | Event::Due(_) | Event::Restart | Event::Sweep)) {
            if stage.released {
                break;
            }
            happen(&mut stage, event);
            check(&stage)?;
        }
        if !stage.released {
            stage.settle_world();
            stage.restart();
            stage.rest_until_released();
        }
        // With this variant the cloud keeps a service as long as a consumer keeps its endpoint.
        let kept = stage.world.variants.is_on(privatelink_sim::world::Variant::EndpointBlocksServiceDelete)
            && !stage.world.endpoints.is_empty();
        prop_assert!(stage.released || kept, "{:?}", stage.ready());
        stage.settle_world();
        prop_assert!(stage.world.services.is_empty() || kept, "{:?}", stage.world.services);
    }

    #[test]
    fn whatever_happened_a_retained_service_stays_without_our_tags(
        events in prop::collection::vec(events(), 1..30)
    ) {
        let mut stage = Stage::new(desired(&["lb-hot"]));
        for event in &events {
            happen(&mut stage, event);
        }
        stage.settle_world();
        stage.rest();
        stage.desired.common.deletion = Deletion::Retain;
        stage.desired.common.deleting = true;
        stage.rest();
        prop_assert!(stage.released);
        let tags: Vec<String> = stage.the_service().tags.keys().map(ToString::to_string).collect();
        prop_assert!(tags.contains(&"privatelink.dev/retained".to_owned()) && !tags.contains(&"privatelink.dev/uid".to_owned()));
    }
}

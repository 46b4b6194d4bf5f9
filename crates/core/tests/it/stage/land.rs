//! What is there before the first call: networks, load balancers and accounts.

use std::net::Ipv4Addr;

use proptest::prelude::*;

use privatelink_core::observed::ResourceKey;
use privatelink_sim::world::land::{Balancer, Group, Region, Switch, Vpc, Zone};
use privatelink_sim::world::object::BalancerKind;
use privatelink_sim::world::variant::TABLE;
use privatelink_sim::world::{Account, Land, RegionId, Variants, VpcId, ZoneId};

use super::consumer::{CONSUMER, GROUPS, SUBNETS, ZONES, zone_of_subnet};
use super::provider::PROVIDER;

/// The region of all that is played.
pub(super) const HERE: RegionId = RegionId(0);
/// The consumer's VPC.
pub(super) const CONSUMERS: VpcId = VpcId(1);

/// Names of the load balancers on the land; the first three serve zone f, the last zone g.
pub const BALANCERS: [&str; 4] = ["lb-hot", "lb-cool", "lb-spare", "lb-g"];

fn zone_of(balancer: &str) -> &'static str {
    if balancer == "lb-g" { ZONES[1] } else { ZONES[0] }
}

pub fn key(balancer: &str) -> ResourceKey {
    ResourceKey { id: balancer.into(), zone: zone_of(balancer).into() }
}

fn zone_named(name: &str) -> ZoneId {
    let place = ZONES.iter().position(|zone| *zone == name).expect("a zone of the land");
    ZoneId(u16::try_from(place).expect("few zones"))
}

pub(super) fn land() -> Land {
    let zone = |name: &&str| Zone { name: (*name).into(), region: HERE };
    let vpc = |name: &str, account| Vpc { name: name.into(), account, region: HERE };
    let balancer = |name: &&str| Balancer {
        name: (*name).into(),
        account: PROVIDER.account,
        vpc: VpcId(0),
        kind: BalancerKind::Clb,
        zones: vec![zone_named(zone_of(name))],
        supports_private_link: true,
        ipv6: false,
        address: Ipv4Addr::new(172, 16, 0, 1),
    };
    let switch = |(place, name): (u8, &&str)| Switch {
        name: (*name).into(),
        vpc: CONSUMERS,
        zone: zone_named(zone_of_subnet(name)),
        base: Ipv4Addr::new(10, 0, place + 1, 0),
        prefix: 24,
        base_v6: None,
        free: 200,
        available: true,
    };
    let group = |name: &&str| Group { name: (*name).into(), vpc: CONSUMERS, enterprise: false, managed: false };
    Land {
        regions: vec![Region { name: "cn-hangzhou".into() }, Region { name: "cn-shanghai".into() }],
        zones: ZONES.iter().map(zone).collect(),
        vpcs: vec![vpc("vpc-provider", PROVIDER.account), vpc("vpc-consumer", CONSUMER.account)],
        switches: (0_u8..).zip(&SUBNETS).map(switch).collect(),
        groups: GROUPS.iter().map(group).collect(),
        balancers: BALANCERS.iter().map(balancer).collect(),
    }
}

pub(super) fn account() -> Account {
    Account {
        product_open: true,
        may_not_open: None,
        locked: false,
        vendor: false,
        may_assign_resources: true,
        may_pay_for_consumers: true,
        resource_groups: vec!["rg-default".into(), "rg-other".into()],
        max_services: 20,
        max_resources: 10,
        max_resources_per_zone: 10,
        max_endpoints_per_vpc: 10,
        services_made: 0,
        endpoints_made: 0,
    }
}

/// Any world: each statement that the vendor leaves open is settled by chance.
pub fn variants() -> impl Strategy<Value = Variants> {
    prop::collection::vec(any::<prop::sample::Index>(), TABLE.len()).prop_map(|choices| {
        TABLE.iter().zip(choices).fold(Variants::default(), |world, (row, choice)| {
            world.with(row.name, row.values[choice.index(row.values.len())]).expect("a value of the table")
        })
    })
}

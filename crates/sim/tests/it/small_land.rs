//! A land small enough to exhaust: a provider and a consumer in one region with two zones.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use privatelink_sim::world::call::{ConnectionKey, EndpointForm, ResourceForm, ServiceChange, ServiceForm, ZoneForm};
use privatelink_sim::world::land::{Balancer, Group, Region, Switch, Vpc, Zone};
use privatelink_sim::world::object::{BalancerKind, IpVersion, Principal};
use privatelink_sim::world::{
    Account, AccountId, Actor, Answer, BalancerId, Call, EndpointId, GroupId, Land, Refusal, RegionId, Request,
    ServiceId, State, SwitchId, Variants, VpcId, ZoneId, advance, apply, progress,
};

pub const PROVIDER: Actor = Actor { account: AccountId(1), identity: 0, session: false };
pub const CONSUMER: Actor = Actor { account: AccountId(2), identity: 0, session: true };
pub const CONSUMERS_COLLEAGUE: Actor = Actor { account: AccountId(2), identity: 1, session: true };
pub const STRANGER: Actor = Actor { account: AccountId(3), identity: 0, session: true };

pub const HERE: RegionId = RegionId(0);
pub const ABROAD: RegionId = RegionId(1);
pub const F: ZoneId = ZoneId(0);
pub const G: ZoneId = ZoneId(1);
pub const ZONE_ABROAD: ZoneId = ZoneId(2);

pub const PROVIDER_VPC: VpcId = VpcId(0);
pub const CONSUMER_VPC: VpcId = VpcId(1);
pub const SECOND_VPC: VpcId = VpcId(2);
pub const VPC_ABROAD: VpcId = VpcId(3);
pub const SWITCH_F: SwitchId = SwitchId(0);
pub const SWITCH_G: SwitchId = SwitchId(1);
pub const TIGHT_SWITCH: SwitchId = SwitchId(2);
pub const UNMADE_SWITCH: SwitchId = SwitchId(3);
pub const SWITCH_ABROAD: SwitchId = SwitchId(4);
pub const V6_OF_SWITCH_F: Ipv6Addr = Ipv6Addr::new(0x2408, 0x4005, 1, 1, 0, 0, 0, 0);
pub const BASIC: GroupId = GroupId(0);
pub const BASIC_TOO: GroupId = GroupId(1);
pub const ENTERPRISE: GroupId = GroupId(2);
pub const MANAGED: GroupId = GroupId(3);
pub const GROUP_ABROAD: GroupId = GroupId(4);

pub const HOT: BalancerId = BalancerId(0);
pub const COOL: BalancerId = BalancerId(1);
pub const IN_G: BalancerId = BalancerId(2);
pub const NLB: BalancerId = BalancerId(3);
pub const UNFIT: BalancerId = BalancerId(4);
pub const STRANGERS: BalancerId = BalancerId(5);
pub const NLB_TOO: BalancerId = BalancerId(6);
pub const GWLB: BalancerId = BalancerId(7);

/// An account that may do everything.
pub fn account() -> Account {
    Account {
        product_open: true,
        may_not_open: None,
        locked: false,
        vendor: false,
        may_assign_resources: true,
        may_pay_for_consumers: true,
        resource_groups: vec!["rg-default".into(), "rg-other".into()],
        max_services: 4,
        max_resources: 4,
        max_resources_per_zone: 3,
        max_endpoints_per_vpc: 4,
        services_made: 0,
        endpoints_made: 0,
    }
}

fn land() -> Land {
    let vpc = |name: &str, account| Vpc { name: name.to_owned(), account, region: HERE };
    let switch = |name: &str, zone, third, free, available| Switch {
        name: name.to_owned(),
        vpc: CONSUMER_VPC,
        zone,
        base: Ipv4Addr::new(10, 0, third, 0),
        prefix: 24,
        base_v6: None,
        free,
        available,
    };
    let group =
        |name: &str, enterprise, managed| Group { name: name.to_owned(), vpc: CONSUMER_VPC, enterprise, managed };
    let balancer = |name: &str, account, kind, zones: &[ZoneId], supports| Balancer {
        name: name.to_owned(),
        account,
        vpc: PROVIDER_VPC,
        kind,
        zones: zones.to_vec(),
        supports_private_link: supports,
        ipv6: false,
        address: Ipv4Addr::new(172, 16, 0, 1),
    };
    let ours = PROVIDER.account;
    Land {
        regions: vec![Region { name: "cn-hangzhou".into() }, Region { name: "cn-shanghai".into() }],
        zones: vec![
            Zone { name: "cn-hangzhou-f".into(), region: HERE },
            Zone { name: "cn-hangzhou-g".into(), region: HERE },
            Zone { name: "cn-shanghai-b".into(), region: ABROAD },
        ],
        vpcs: vec![
            vpc("vpc-provider", ours),
            vpc("vpc-consumer", CONSUMER.account),
            vpc("vpc-second", CONSUMER.account),
            Vpc { region: ABROAD, ..vpc("vpc-abroad", CONSUMER.account) },
        ],
        switches: vec![
            Switch { base_v6: Some(V6_OF_SWITCH_F), ..switch("vsw-f", F, 1, 200, true) },
            switch("vsw-g", G, 2, 200, true),
            switch("vsw-tight", F, 3, 1, true),
            switch("vsw-unmade", G, 4, 200, false),
            Switch { vpc: VPC_ABROAD, ..switch("vsw-abroad", ZONE_ABROAD, 5, 200, true) },
        ],
        groups: vec![
            group("sg-basic", false, false),
            group("sg-basic-too", false, false),
            group("sg-enterprise", true, false),
            group("sg-managed", false, true),
            Group { vpc: VPC_ABROAD, ..group("sg-abroad", false, false) },
        ],
        balancers: vec![
            balancer("lb-hot", ours, BalancerKind::Clb, &[F], true),
            balancer("lb-cool", ours, BalancerKind::Clb, &[F], true),
            balancer("lb-g", ours, BalancerKind::Clb, &[G], true),
            Balancer { ipv6: true, ..balancer("nlb-a", ours, BalancerKind::Nlb, &[F, G], true) },
            balancer("lb-unfit", ours, BalancerKind::Clb, &[F], false),
            balancer("lb-strangers", STRANGER.account, BalancerKind::Clb, &[F], true),
            balancer("nlb-b", ours, BalancerKind::Nlb, &[F], true),
            balancer("gwlb-a", ours, BalancerKind::Gwlb, &[F], true),
        ],
    }
}

/// The world before the first call.
pub fn empty(variants: Variants) -> State {
    let accounts: BTreeMap<AccountId, Account> =
        [PROVIDER, CONSUMER, STRANGER].into_iter().map(|actor| (actor.account, account())).collect();
    State::new(land(), accounts, variants)
}

/// A world and what was made in it, driven by calls that succeed or are refused.
#[derive(Clone, Debug)]
pub struct Stage {
    pub state: State,
}

impl Stage {
    pub fn new() -> Self {
        Self::with(Variants::default())
    }

    pub fn with(variants: Variants) -> Self {
        Self { state: empty(variants) }
    }

    /// A world in which one variant has another value.
    pub fn flipped(name: &str, value: &str) -> Self {
        Self::with(Variants::default().with(name, value).expect("a variant of the table"))
    }

    pub fn call(&mut self, actor: Actor, call: Call) -> Result<Answer, Refusal> {
        self.call_in(HERE, actor, call)
    }

    pub fn call_in(&mut self, region: RegionId, actor: Actor, call: Call) -> Result<Answer, Refusal> {
        let (next, answer) = apply(&self.state, actor, &Request { region, token: None, call })?;
        self.state = next;
        Ok(answer)
    }

    /// A call that must succeed.
    pub fn done(&mut self, actor: Actor, call: Call) -> Answer {
        let said = format!("{call:?}");
        self.call(actor, call).unwrap_or_else(|refusal| panic!("{said} was refused: {refusal:?}"))
    }

    /// A call that must be refused; gives the refusal.
    pub fn refused(&mut self, actor: Actor, call: Call) -> Refusal {
        let said = format!("{call:?}");
        self.call(actor, call).map_or_else(|refusal| refusal, |answer| panic!("{said} was carried out: {answer:?}"))
    }

    /// Lets everything that moves by itself come to rest.
    pub fn settle(&mut self) {
        for _ in 0..1_000 {
            let Some(first) = progress(&self.state).first().copied() else { return };
            self.state = advance(&self.state, first);
        }
        panic!("the world does not come to rest: {:?}", progress(&self.state));
    }

    /// An active CLB service with these resources, on whose list the consumer is.
    pub fn service(&mut self, resources: &[BalancerId]) -> ServiceId {
        self.service_of(BalancerKind::Clb, resources)
    }

    pub fn service_of(&mut self, kind: BalancerKind, resources: &[BalancerId]) -> ServiceId {
        let form = ServiceForm {
            kind: Some(kind),
            resources: resources.iter().map(|one| resource_of(kind, *one)).collect(),
            ..ServiceForm::default()
        };
        let Answer::Service(id) = self.done(PROVIDER, Call::CreateService(form)) else { panic!("no service") };
        self.settle();
        self.done(PROVIDER, Call::AllowPrincipal(id, Principal::Account(CONSUMER.account)));
        id
    }

    /// An active endpoint of the consumer with an interface in each of these vSwitches, not accepted.
    pub fn endpoint(&mut self, service: ServiceId, switches: &[SwitchId]) -> ConnectionKey {
        let form = endpoint_form(service, switches);
        let Answer::Endpoint(endpoint) = self.done(CONSUMER, Call::CreateEndpoint(form)) else { panic!("no endpoint") };
        self.settle();
        ConnectionKey { service, endpoint }
    }

    /// An active NLB service that speaks IPv6 too, on whose list the consumer is.
    pub fn service_v6(&mut self) -> ServiceId {
        let id = self.service_of(BalancerKind::Nlb, &[NLB]);
        let speaks = ServiceChange { ip_version: Some(IpVersion::DualStack), ..ServiceChange::default() };
        self.done(PROVIDER, Call::UpdateService(id, speaks));
        self.settle();
        id
    }

    /// Opens `service` abroad and makes an endpoint of the consumer there, in the one zone there is.
    pub fn endpoint_abroad(&mut self, service: ServiceId) -> ConnectionKey {
        let open = ServiceChange { open_regions: vec![ABROAD], ..ServiceChange::default() };
        self.done(PROVIDER, Call::UpdateService(service, open));
        self.settle();
        let made = self.call_in(ABROAD, CONSUMER, Call::CreateEndpoint(form_abroad(service)));
        let Ok(Answer::Endpoint(endpoint)) = made else { panic!("no endpoint: {made:?}") };
        self.settle();
        ConnectionKey { service, endpoint }
    }

    /// The same, accepted and connected.
    pub fn connected(&mut self, service: ServiceId, switches: &[SwitchId]) -> ConnectionKey {
        let key = self.endpoint(service, switches);
        self.done(PROVIDER, Call::AcceptConnection(key, privatelink_sim::world::call::AcceptForm::default()));
        self.settle();
        key
    }

    pub fn leg(&self, endpoint: EndpointId, zone: ZoneId) -> privatelink_sim::world::Leg {
        self.state.endpoints[&endpoint].zones[&zone]
    }
}

/// `balancer` as a call names it; zonal kinds are named in zone F.
pub fn resource_of(kind: BalancerKind, balancer: BalancerId) -> ResourceForm {
    ResourceForm { balancer, kind: Some(kind), zone: (kind != BalancerKind::Clb).then_some(F) }
}

/// A CLB as a call names it.
pub fn clb(balancer: BalancerId) -> ResourceForm {
    resource_of(BalancerKind::Clb, balancer)
}

pub fn zone_form(switch: SwitchId) -> ZoneForm {
    ZoneForm { zone: None, switch, ip: None, ipv6: None }
}

/// An endpoint abroad of a service here.
pub fn form_abroad(service: ServiceId) -> EndpointForm {
    let zones = vec![zone_form(SWITCH_ABROAD)];
    EndpointForm {
        service_region: Some(HERE),
        vpc: VPC_ABROAD,
        groups: vec![GROUP_ABROAD],
        zones,
        ..endpoint_form(service, &[])
    }
}

pub fn endpoint_form(service: ServiceId, switches: &[SwitchId]) -> EndpointForm {
    EndpointForm {
        service,
        service_region: None,
        kind: None,
        vpc: CONSUMER_VPC,
        zones: switches.iter().copied().map(zone_form).collect(),
        groups: vec![BASIC],
        name: None,
        description: None,
        policy: None,
        protected: false,
        ip_version: None,
        zone_affinity: false,
        cross_region_bandwidth_mbps: None,
        resource_group: None,
        tags: BTreeMap::new(),
    }
}

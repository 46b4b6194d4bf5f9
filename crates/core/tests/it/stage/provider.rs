//! The provider's part: one service object, and consumers who come to it.

use std::collections::BTreeMap;

use privatelink_core::claims::Claims;
use privatelink_core::desired::{
    Adoption, Annotations, Common, Deletion, DesiredService, Management, OnDelete, Removal,
};
use privatelink_core::id::CloudId;
use privatelink_core::moment::Moment;
use privatelink_core::observed::{ResourceKind, Snapshot};
use privatelink_core::owner::Owner;
use privatelink_core::plan::service::{Input, plan};
use privatelink_core::plan::{Ground, Plan};
use privatelink_core::read::FacetKey;
use privatelink_core::report::service::report;
use privatelink_core::status::{self, ServiceStatus};
use privatelink_sim::world::call::{AcceptForm, ConnectionKey, EndpointForm, ZoneForm};
use privatelink_sim::world::object::Principal;
use privatelink_sim::world::{self, AccountId, Actor, Call, SwitchId};

use super::consumer::CONSUMER;
use super::land::{CONSUMERS, key};
use super::{Role, Stage};

pub const PROVIDER: Actor = Actor { account: AccountId(1), identity: 0, session: false };

/// What every spec of the stage says when it says little.
pub(super) fn common(kind: &str, name: &str) -> Common {
    Common {
        owner: Owner {
            cluster: "test".into(),
            kind: kind.into(),
            namespace: "team".into(),
            name: name.into(),
            uid: "uid-1".into(),
        },
        generation: 1,
        created: Moment(0),
        deleting: false,
        management: Management::Manage,
        deletion: Deletion::Delete,
        adoption: Adoption::No,
        annotations: Annotations::default(),
        resource_group: None,
        tags: BTreeMap::new(),
    }
}

/// What a spec asks for when it says little: these load balancers, by hand accepted.
pub fn desired(balancers: &[&str]) -> DesiredService {
    DesiredService {
        common: common("EndpointService", "gateway"),
        kind: ResourceKind::Clb,
        resources: balancers.iter().map(|name| (key(name), true)).collect(),
        description: None,
        auto_accept: false,
        default_bandwidth_mbps: None,
        zone_affinity: None,
        payer: None,
        family: None,
        regions: None,
        on_delete: OnDelete::Wait,
        removal: Removal::WAIT,
    }
}

impl Role for DesiredService {
    type Status = ServiceStatus;
    const ACTOR: Actor = PROVIDER;

    fn uid(&self) -> &str {
        &self.common.owner.uid
    }

    fn deleting(&self) -> bool {
        self.common.deleting
    }

    fn generation(&self) -> i64 {
        self.common.generation
    }

    fn generation_mut(&mut self) -> &mut i64 {
        &mut self.common.generation
    }

    fn said(status: &ServiceStatus) -> &status::Common {
        &status.common
    }

    fn id(status: &ServiceStatus) -> Option<CloudId> {
        status.service_id.clone().map(CloudId::from)
    }

    fn plan(&self, status: &ServiceStatus, ground: Ground<'_>) -> (Plan, ServiceStatus) {
        let claims = Claims::default();
        let input = Input { ground, desired: self, status, claims: &claims };
        let plan = plan(&input);
        let next = report(&input, &plan);
        (plan, next)
    }

    fn swept(snapshot: &Snapshot) -> Vec<FacetKey> {
        let parts = snapshot
            .present_services()
            .flat_map(|service| [FacetKey::Resources(service.id.clone()), FacetKey::Connections(service.id.clone())]);
        std::iter::once(FacetKey::Services).chain(parts).collect()
    }
}

impl Stage<DesiredService> {
    /// An endpoint of the consumer on the service, in zone f.
    pub fn endpoint(&mut self) -> ConnectionKey {
        let service = self.the_service().id;
        self.elsewhere(PROVIDER, Call::AllowPrincipal(service, Principal::Account(CONSUMER.account))).expect("allowed");
        let form = EndpointForm {
            service,
            service_region: None,
            kind: None,
            vpc: CONSUMERS,
            zones: vec![ZoneForm { zone: None, switch: SwitchId(0), ip: None, ipv6: None }],
            groups: Vec::new(),
            name: None,
            description: None,
            policy: None,
            protected: false,
            ip_version: None,
            zone_affinity: false,
            cross_region_bandwidth_mbps: None,
            resource_group: None,
            tags: BTreeMap::new(),
        };
        let Ok(world::Answer::Endpoint(endpoint)) = self.elsewhere(CONSUMER, Call::CreateEndpoint(form)) else {
            panic!("no endpoint")
        };
        self.settle_world();
        ConnectionKey { service, endpoint }
    }

    pub fn connected(&mut self) -> ConnectionKey {
        let key = self.endpoint();
        self.elsewhere(PROVIDER, Call::AcceptConnection(key, AcceptForm::default())).expect("accepted");
        self.settle_world();
        key
    }
}

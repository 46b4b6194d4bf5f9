//! The stage of a provider's stories: an operator with one account, a tenant who applies services to it, and
//! the people who call the cloud past both.

use std::collections::BTreeMap;

use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams},
};
use privatelink_operator::api::EndpointService;
use privatelink_sim::{
    alibaba::name,
    fixture::Fixture,
    world::{
        self, Answer, Call, Request, State,
        call::{AcceptForm, ConnectionKey, EndpointForm, ZoneForm},
        object::Principal,
    },
};
use serde_json::{Value, json};

use crate::operator::{Operator, apply};

/// The annotation that asks for a look at once.
pub const RECONCILE: &str = "privatelink.dev/reconcile-requested-at";
/// The tag of what was retained.
pub const RETAINED: &str = "privatelink.dev/retained";
/// Keys of the provider and of the consumer in the built-in world.
const PROVIDER: &str = "provider-key";
const CONSUMER: &str = "consumer-key";
/// Where endpoints of the consumer are, one of a service in each VPC: VPC, vSwitch and security group.
const CONSUMERS: [(&str, &str, &str); 2] =
    [("vpc-tenant", "vsw-tenant-f", "sg-tenant"), ("vpc-tenant-second", "vsw-tenant-second-f", "sg-tenant-other")];

/// A provider's story.
pub struct Story {
    /// The operator, its cluster and its cloud.
    pub operator: Operator,
    /// The tenant's namespace.
    pub namespace: String,
    /// The account's name.
    pub account: String,
    /// The tenant's services.
    pub services: Api<EndpointService>,
    told: BTreeMap<String, usize>,
}

impl Story {
    /// An operator before the built-in world, and an account that is ready.
    pub async fn start(what: &str) -> Self {
        Self::start_with(what, Fixture::built_in()).await
    }

    /// The same before a world of its own.
    pub async fn start_with(what: &str, world: Fixture) -> Self {
        let mut operator = Operator::start_with(what, world).await;
        let account = what.replace(' ', "-");
        let namespace = operator.cluster.namespace(&account).await;
        operator.account(&account, &[&namespace]).await;
        let tenant = operator.cluster.tenant_client(&namespace).await;
        let services = Api::namespaced(tenant, &namespace);
        Self { operator, namespace, account, services, told: BTreeMap::new() }
    }

    /// Applies a service with this whole spec; what the last apply had and this one has not is removed.
    pub async fn apply(&self, name: &str, spec: &Value) {
        let mut spec = spec.clone();
        spec["accountRef"] = json!({"name": self.account});
        let service = json!({
            "apiVersion": "privatelink.dev/v1alpha1",
            "kind": "EndpointService",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": spec,
        });
        apply(&self.services, name, &service).await;
    }

    /// Applies a service and waits until it is settled.
    pub async fn settled(&self, name: &str, spec: &Value) -> EndpointService {
        self.apply(name, spec).await;
        self.becomes(name, "settled", is_settled).await
    }

    /// Sets an annotation, or removes it.
    pub async fn annotate(&self, name: &str, key: &str, value: Option<&str>) {
        let patch = Patch::Merge(json!({"metadata": {"annotations": {key: value}}}));
        self.services.patch(name, &PatchParams::default(), &patch).await.expect("it is annotated");
    }

    /// Changes one field of a spec by a patch, as a person does to an object that is being deleted.
    pub async fn patch(&self, name: &str, spec: &Value) {
        let patch = Patch::Merge(json!({"spec": spec}));
        self.services.patch(name, &PatchParams::default(), &patch).await.expect("it is patched");
    }

    /// Waits until `test` holds for a service that is there.
    pub async fn becomes(&self, name: &str, what: &str, test: fn(&EndpointService) -> bool) -> EndpointService {
        let held = self.operator.becomes(self.services.clone(), name, what, |service| service.is_some_and(test));
        held.await.expect("it is there")
    }

    /// Waits until its Ready condition says this; gives the message.
    pub async fn says(&self, name: &str, reason: &str) -> String {
        self.says_of(name, "Ready", reason).await
    }

    /// Waits until a condition says this of the spec of now; gives the message.
    pub async fn says_of(&self, name: &str, condition: &str, reason: &str) -> String {
        let test = |service: Option<&EndpointService>| {
            service.is_some_and(|one| looked_at(one) && said(one, condition).is_some_and(|(_, why, _)| why == reason))
        };
        let held = self.operator.becomes(self.services.clone(), name, reason, test).await.expect("it is there");
        said(&held, condition).expect("it says so").2.to_owned()
    }

    /// Asks for a look at once, and waits until what came of it is settled.
    pub async fn looks_again(&self, name: &str, when: &str) -> EndpointService {
        self.annotate(name, RECONCILE, Some(when)).await;
        let test = |service: Option<&EndpointService>| {
            service.is_some_and(|one| handled(one) == Some(when) && is_settled(one))
        };
        let held = self.operator.becomes(self.services.clone(), name, "looked at again", test);
        held.await.expect("it is there")
    }

    /// Asks for a look at once, and waits until it was made, whatever came of it.
    pub async fn is_looked_at(&self, name: &str, when: &str) -> EndpointService {
        self.annotate(name, RECONCILE, Some(when)).await;
        let test = |service: Option<&EndpointService>| service.is_some_and(|one| handled(one) == Some(when));
        self.operator.becomes(self.services.clone(), name, "looked at", test).await.expect("it is there")
    }

    /// Deletes a service, without waiting for its end.
    pub async fn delete(&self, name: &str) {
        self.services.delete(name, &DeleteParams::default()).await.expect("it is deleted");
    }

    /// Waits until a service is gone.
    pub async fn is_gone(&self, name: &str) {
        self.operator.becomes(self.services.clone(), name, "gone", |service| service.is_none()).await;
    }

    /// Asks for a look at once at a service that is being deleted, and waits until it is gone.
    pub async fn is_gone_soon(&self, name: &str) {
        self.annotate(name, RECONCILE, Some("the last has left")).await;
        self.is_gone(name).await;
    }

    /// Deletes a service and waits until it is gone.
    pub async fn goes(&self, name: &str) {
        self.delete(name).await;
        self.is_gone(name).await;
    }

    /// The calls that have changed the world since this was asked the last time.
    pub fn spent(&mut self) -> BTreeMap<String, usize> {
        let now = self.operator.writes();
        let mut spent = now.clone();
        for (action, before) in std::mem::replace(&mut self.told, now) {
            if let Some(count) = spent.get_mut(&action) {
                *count -= before;
            }
        }
        spent.retain(|_, count| *count > 0);
        spent
    }

    /// The only service of the world.
    pub fn the_service(&self) -> Value {
        let world = self.operator.world();
        let services = world["services"].as_array().expect("services");
        assert_eq!(services.len(), 1, "{services:#?}");
        services[0].clone()
    }

    /// How many services there are in the world.
    pub fn services_in_the_cloud(&self) -> usize {
        self.operator.world()["services"].as_array().expect("services").len()
    }

    /// A call of the provider, past the operator; it stands in no journal.
    pub fn provider(&self, call: impl FnOnce(&State) -> Call) -> Answer {
        self.call(PROVIDER, call)
    }

    /// A call of the consumer.
    pub fn consumer(&self, call: impl FnOnce(&State) -> Call) -> Answer {
        self.call(CONSUMER, call)
    }

    fn call(&self, key: &str, call: impl FnOnce(&State) -> Call) -> Answer {
        self.operator.sim.with(|cloud| {
            cloud.catch_up();
            let actor = cloud.keys[key].actor;
            let state = cloud.state();
            let request = Request { region: state.land.region_named("cn-hangzhou"), token: None, call: call(state) };
            let (state, answer) = world::apply(state, actor, &request)
                .unwrap_or_else(|refusal| panic!("{:?} is refused: {refusal:?}", request.call));
            cloud.set_state(state);
            // What begins with it is over before anybody looks.
            cloud.settle();
            answer
        })
    }

    /// A connection of the consumer that waits for acceptance, on the service with this id; each comes from
    /// another of its VPCs.
    pub fn awaiting(&self, service: &str) -> ConnectionKey {
        let service = name::service(service);
        self.provider(|state| {
            let owner = state.land.vpc(state.land.vpc_named("vpc-tenant")).expect("it is built in").account;
            Call::AllowPrincipal(service, Principal::Account(owner))
        });
        let made = self.consumer(|state| {
            let (vpc, switch, group) = CONSUMERS[state.endpoints_of(service).count()];
            let switch = state.land.switch_named(switch);
            Call::CreateEndpoint(EndpointForm {
                service,
                service_region: None,
                kind: None,
                vpc: state.land.vpc_named(vpc),
                zones: vec![ZoneForm { zone: None, switch, ip: None, ipv6: None }],
                groups: vec![state.land.group_named(group)],
                name: None,
                description: None,
                policy: None,
                protected: false,
                ip_version: None,
                zone_affinity: false,
                cross_region_bandwidth_mbps: None,
                resource_group: None,
                tags: BTreeMap::new(),
            })
        });
        let Answer::Endpoint(endpoint) = made else { panic!("{made:?} is no endpoint") };
        ConnectionKey { service, endpoint }
    }

    /// A connection of the consumer that serves.
    pub fn connected(&self, service: &str) -> ConnectionKey {
        let key = self.awaiting(service);
        self.provider(|_| Call::AcceptConnection(key, AcceptForm::default()));
        key
    }

    /// The consumer takes its endpoint away.
    pub fn leaves(&self, key: ConnectionKey) {
        let zone = |state: &State| *state.endpoints[&key.endpoint].zones.keys().next().expect("it has a zone");
        self.consumer(|state| Call::RemoveZone(key.endpoint, zone(state)));
        self.consumer(|_| Call::DeleteEndpoint(key.endpoint));
    }

    /// Ends the operator, after all services are gone.
    pub async fn stop(self) {
        self.operator.stop().await;
    }
}

/// The id of a connection's endpoint, as people read it.
pub fn endpoint_id(key: ConnectionKey) -> String {
    name::of_endpoint(key.endpoint)
}

/// These actions, so often each.
pub fn calls<const N: usize>(pairs: [(&str, usize); N]) -> BTreeMap<String, usize> {
    pairs.into_iter().map(|(action, count)| (action.to_owned(), count)).collect()
}

/// The id that a status holds.
pub fn id(service: &EndpointService) -> &str {
    service.status.as_ref().and_then(|status| status.service_id.as_deref()).expect("it has an id")
}

/// What a condition says: its status, reason and message.
pub fn said<'a>(service: &'a EndpointService, condition: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let conditions = &service.status.as_ref()?.common.conditions;
    let found = conditions.iter().find(|one| one.type_ == condition)?;
    Some((&found.status, &found.reason, &found.message))
}

/// The last request for a look that was acted on.
pub fn handled(service: &EndpointService) -> Option<&str> {
    service.status.as_ref()?.common.last_handled_reconcile_at.as_deref()
}

/// The status speaks of the spec of now.
fn looked_at(service: &EndpointService) -> bool {
    let observed = service.status.as_ref().map(|status| status.common.observed_generation);
    observed == service.metadata.generation
}

/// Ready for the spec of now, with nothing under way.
pub fn is_settled(service: &EndpointService) -> bool {
    let ready = said(service, "Ready").is_some_and(|(status, ..)| status == "True");
    looked_at(service) && ready && said(service, "Reconciling").is_none()
}

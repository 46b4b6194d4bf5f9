//! The codec against the simulated cloud, which was written without it: every step and every read of a provider goes
//! through, and what comes back says what was asked for.

use std::collections::BTreeMap;

use privatelink_core::condition::Reason;
use privatelink_core::error::{Failure, Meaning};
use privatelink_core::id::{AccountId, EndpointId, Region, ServiceId};
use privatelink_core::moment::Moment;
use privatelink_core::observed::{Connection, Payer, RegionState, Resource, ResourceKey, ResourceKind, Service};
use privatelink_core::read::{Answer, Done, Read};
use privatelink_core::state::{ConnectionState, LifeState, ZoneState};
use privatelink_core::step::{ServiceChange, ServiceForm, Step};
use privatelink_core::wire::Response;
use privatelink_core::wire::alibaba::sign::{Key, sign};
use privatelink_core::wire::alibaba::{Product, Unsigned, decode, encode};
use privatelink_sim::alibaba::answer_call;
use privatelink_sim::cloud::{Cloud, Options};
use privatelink_sim::fixture::Fixture;
use privatelink_sim::inbound::Inbound;

use super::{key, region};

const START: Moment = Moment(1_767_323_045_000);
pub const PROVIDER: Key<'static> = Key { id: "provider-key", secret: "provider-secret", token: None };

/// A simulated cloud, the region that calls go to, and how many it has had: the nonce and the client token of the
/// next.
pub struct Stage {
    pub cloud: Cloud,
    pub region: Region,
    calls: u32,
}

impl Stage {
    pub fn new() -> Self {
        let start = "2026-01-02T03:04:05Z".parse().expect("a time");
        Self { cloud: Cloud::new(Fixture::built_in(), Options::standing(start)), region: region(), calls: 0 }
    }

    pub fn send(&mut self, call: &Unsigned, key: &Key<'_>) -> Response {
        self.calls += 1;
        let date = START + std::time::Duration::from_millis(self.cloud_ahead());
        let request = sign(call, key, date, &format!("{:032x}", self.calls));
        let mut headers = request.headers;
        headers.push(("host".to_owned(), request.host));
        let inbound = Inbound {
            method: request.method.to_owned(),
            path: request.path.into_owned(),
            query: request.query,
            headers,
            body: request.body.into(),
        };
        let outcome = answer_call(&mut self.cloud, &inbound);
        self.cloud.leave(&outcome.held);
        self.cloud.settle();
        let reply = outcome.reply.expect("an answer");
        Response { status: reply.status, headers: Vec::new(), body: reply.body.to_string().into_bytes() }
    }

    fn cloud_ahead(&self) -> u64 {
        let since = self.cloud.clock.now().as_millisecond() - START.0;
        u64::try_from(since).expect("clocks run forward")
    }

    pub fn execute_with(&mut self, step: &Step, key: &Key<'_>) -> Result<Done, Failure> {
        let token = format!("token-{}", self.calls);
        let call = encode::step(step, &self.region, &token);
        let response = self.send(&call, key);
        if response.is_success() {
            Ok(decode::step(step, &response.body).expect("understood"))
        } else {
            Err(decode::failure(call.action, &response))
        }
    }

    pub fn execute(&mut self, step: &Step) -> Done {
        self.execute_with(step, &PROVIDER).unwrap_or_else(|failure| panic!("{step:?}: {failure}"))
    }

    pub fn read_with(&mut self, read: &Read, key: &Key<'_>) -> Result<Answer, Failure> {
        let call = encode::read(read, &self.region);
        let response = self.send(&call, key);
        if response.is_success() {
            Ok(decode::read(read, &response.body).expect("understood"))
        } else {
            Err(decode::failure(call.action, &response))
        }
    }

    fn read(&mut self, read: &Read) -> Answer {
        self.read_with(read, &PROVIDER).unwrap_or_else(|failure| panic!("{read:?}: {failure}"))
    }

    /// The service as the list shows it, which must be as the read by id shows it but for its tags.
    fn service(&mut self, id: &ServiceId) -> Service {
        let Answer::Services(all, None) = self.read(&Read::Services(None)) else { panic!("one page") };
        let listed = all.into_iter().find(|service| service.id == *id).expect("listed");
        let Answer::Service(read) = self.read(&Read::Service(id.clone())) else { panic!("a service") };
        assert_eq!(*read, Service { tags: None, ..listed.clone() });
        listed
    }

    fn resources(&mut self, id: &ServiceId) -> BTreeMap<ResourceKey, Resource> {
        let Answer::Resources(all, None) = self.read(&Read::Resources(id.clone(), None)) else { panic!("one page") };
        all
    }

    pub fn connection(&mut self, id: &ServiceId) -> Connection {
        let Answer::Connections(mut all, None) = self.read(&Read::Connections(id.clone(), None)) else {
            panic!("one page")
        };
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    pub fn create(&mut self, form: &ServiceForm) -> ServiceId {
        let Done::CreatedService(made) = self.execute(&Step::CreateService(form.clone())) else { panic!("a service") };
        made.id
    }

    /// A call of the other side, or of a kind that is no step.
    pub fn by_hand(&mut self, action: &'static str, key: &Key<'_>, parameters: &[(&str, &str)]) -> serde_json::Value {
        let region = self.region.to_string();
        let own = [("RegionId", region.as_str())];
        let all = parameters.iter().chain(&own).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let call = Unsigned { action, parameters: all.collect(), ..encode::read(&Read::Services(None), &self.region) };
        assert_eq!(call.product, Product::PrivateLink);
        let response = self.send(&call, key);
        assert!(response.is_success(), "{action}: {}", String::from_utf8_lossy(&response.body));
        serde_json::from_slice(&response.body).expect("JSON")
    }
}

fn form() -> ServiceForm {
    ServiceForm {
        kind: ResourceKind::Nlb,
        resources: [key("nlb-hot", "cn-hangzhou-f"), key("nlb-hot", "cn-hangzhou-g")].into(),
        description: Some("a b+c*d~e/f&g=h 中".into()),
        auto_accept: false,
        payer: Some(Payer::Provider),
        zone_affinity: Some(true),
        family: None,
        regions: ["cn-shanghai".into()].into(),
        resource_group: Some("rg-provider".into()),
        tags: [("owner".to_owned(), "team a".to_owned()), ("empty".to_owned(), String::new())].into(),
    }
}

#[test]
fn the_caller_is_known() {
    assert_eq!(Stage::new().read(&Read::CallerIdentity), Answer::CallerIdentity(AccountId::from("1001000000000001")));
}

#[test]
fn a_service_is_made_as_its_form_says_and_changed_as_each_step_says() {
    let mut stage = Stage::new();
    let id = stage.create(&form());
    let made = stage.service(&id);
    assert_eq!((made.state.clone(), made.kind), (LifeState::Active, Some(ResourceKind::Nlb)));
    assert_eq!((&made.description, made.auto_accept), (&form().description, false));
    assert_eq!((made.payer, made.zone_affinity), (Payer::Provider, true));
    assert_eq!(made.regions, [("cn-shanghai".into(), RegionState::Open)].into());
    assert_eq!(made.resource_group, form().resource_group);
    assert_eq!(made.tags.as_ref(), Some(&form().tags));
    let keys: Vec<_> = stage.resources(&id).into_keys().collect();
    assert_eq!(keys, Vec::from_iter(form().resources));

    let change = ServiceChange {
        description: Some("other".into()),
        auto_accept: Some(true),
        zone_affinity: Some(false),
        close_regions: ["cn-shanghai".into()].into(),
        ..ServiceChange::default()
    };
    stage.execute(&Step::UpdateService(id.clone(), change));
    stage.execute(&Step::Move(id.clone().into(), "rg-provider-second".into()));
    stage.execute(&Step::Tag(id.clone().into(), [("new".to_owned(), "ü+ %&=".to_owned())].into()));
    stage.execute(&Step::Untag(id.clone().into(), ["owner".to_owned(), "empty".to_owned()].into()));
    let changed = stage.service(&id);
    assert_eq!((changed.description.as_deref(), changed.auto_accept), (Some("other"), true));
    assert_eq!((changed.zone_affinity, changed.regions.len()), (false, 0));
    assert_eq!(changed.resource_group.as_deref(), Some("rg-provider-second"));
    assert_eq!(changed.tags, Some([("new".to_owned(), "ü+ %&=".to_owned())].into()));
}

#[test]
fn resources_of_each_kind_come_and_go() {
    let kinds = [
        (ResourceKind::Clb, "lb-hot", "lb-spare"),
        (ResourceKind::Alb, "alb-hot", "alb-spare"),
        (ResourceKind::Nlb, "nlb-hot", "nlb-spare"),
    ];
    for (kind, first, second) in kinds {
        let mut stage = Stage::new();
        let (first, second) = (key(first, "cn-hangzhou-f"), key(second, "cn-hangzhou-f"));
        let id = stage.create(&ServiceForm { resources: [first.clone()].into(), ..super::bare_form(kind) });
        stage.execute(&Step::AttachResource(id.clone(), second.clone(), kind));
        stage.execute(&Step::SetAutoAllocate(id.clone(), first.clone(), false));
        let shown = stage.resources(&id);
        assert_eq!(
            (shown[&first].kind, shown[&first].auto_allocate, shown[&second].auto_allocate),
            (kind, false, true)
        );
        for key in [first, second] {
            stage.execute(&Step::DetachResource(id.clone(), key, kind));
        }
        assert_eq!(stage.resources(&id).len(), 0);
        stage.execute(&Step::DeleteService(id.clone()));
        let gone = stage.read_with(&Read::Service(id), &PROVIDER).expect_err("no such service");
        assert_eq!(gone.meaning, Meaning::Gone);
    }
}

#[test]
fn a_bandwidth_is_the_classic_and_application_load_balancers() {
    let mut stage = Stage::new();
    let resources = [key("lb-hot", "cn-hangzhou-f")].into();
    let id = stage.create(&ServiceForm { resources, ..super::bare_form(ResourceKind::Clb) });
    let change = ServiceChange { default_bandwidth_mbps: Some(2048), ..ServiceChange::default() };
    stage.execute(&Step::UpdateService(id.clone(), change));
    assert_eq!(stage.service(&id).default_bandwidth_mbps, Some(2048));
}

#[test]
fn a_connection_is_seen_and_refused() {
    let tenant = Key { id: "consumer-key", secret: "consumer-secret", token: None };
    let mut stage = Stage::new();
    let resources = [key("lb-hot", "cn-hangzhou-f")].into();
    let id = stage.create(&ServiceForm { resources, ..super::bare_form(ResourceKind::Clb) });
    let service = ("ServiceId", id.as_str());
    stage.by_hand("AddUserToVpcEndpointService", &PROVIDER, &[service, ("UserId", "1002000000000002")]);
    let made = stage.by_hand(
        "CreateVpcEndpoint",
        &tenant,
        &[
            service,
            ("VpcId", "vpc-tenant"),
            ("SecurityGroupId.1", "sg-tenant"),
            ("Zone.1.ZoneId", "cn-hangzhou-f"),
            ("Zone.1.VSwitchId", "vsw-tenant-f"),
        ],
    );
    let endpoint = EndpointId::from(made["EndpointId"].as_str().expect("an id"));
    let waiting = stage.connection(&id);
    assert_eq!((&waiting.endpoint, &waiting.state), (&endpoint, &ConnectionState::AwaitingAcceptance));
    assert_eq!(waiting.owner, Some(AccountId::from("1002000000000002")));
    assert_eq!(waiting.zones.values().map(|leg| leg.state.clone()).collect::<Vec<_>>(), [ZoneState::Waiting]);

    stage.by_hand("EnableVpcEndpointConnection", &PROVIDER, &[service, ("EndpointId", endpoint.as_str())]);
    assert_eq!(stage.connection(&id).state, ConnectionState::Connected);
    assert_eq!(stage.resources(&id)[&key("lb-hot", "cn-hangzhou-f")].connections, 1);
    let blocked = stage
        .execute_with(&Step::DetachResource(id.clone(), key("lb-hot", "cn-hangzhou-f"), ResourceKind::Clb), &PROVIDER)
        .expect_err("a connection depends on it");
    assert_eq!(blocked.meaning, Meaning::Waiting(Reason::BlockedByConnections));

    stage.execute(&Step::RejectConnection(id.clone(), endpoint));
    assert_eq!(stage.connection(&id).state, ConnectionState::Disconnected);
}

#[test]
fn pages_follow_each_other() {
    let mut stage = Stage::new();
    for _ in 0..3 {
        stage.create(&super::bare_form(ResourceKind::Nlb));
    }
    let mut call = encode::read(&Read::Services(None), &region());
    call.parameters.insert("MaxResults".into(), "2".into());
    let first = stage.send(&call, &PROVIDER);
    let Ok(Answer::Services(two, Some(next))) = decode::read(&Read::Services(None), &first.body) else {
        panic!("a first page")
    };
    let Answer::Services(last, None) = stage.read(&Read::Services(Some(next))) else { panic!("the last page") };
    assert_eq!((two.len(), last.len()), (2, 1));
}

#[test]
fn refusals_mean_what_a_person_must_know() {
    let mut stage = Stage::new();
    let whoami =
        |stage: &mut Stage, key: Key<'_>| stage.read_with(&Read::CallerIdentity, &key).expect_err("refused").meaning;
    let invalid = Meaning::Credentials(Reason::CredentialsInvalid);
    assert_eq!(whoami(&mut stage, Key { id: "nobodys", ..PROVIDER }), invalid);
    assert_eq!(whoami(&mut stage, Key { secret: "wrong", ..PROVIDER }), invalid);
    let role = Key { id: "provider-role-key", secret: "provider-role-secret", token: Some("wrong") };
    assert_eq!(whoami(&mut stage, role), invalid);
    let role = Key { token: Some("provider-role-token"), ..role };
    assert!(stage.read_with(&Read::CallerIdentity, &role).is_ok(), "a session token is signed as the cloud wants it");

    let create = |stage: &mut Stage, key: &Key<'_>, kind, balancer: &str| {
        let form = ServiceForm { resources: [super::key(balancer, "cn-hangzhou-f")].into(), ..super::bare_form(kind) };
        stage.execute_with(&Step::CreateService(form), key).expect_err("refused")
    };
    let must = Meaning::UserMustAct;
    let missing = create(&mut stage, &PROVIDER, ResourceKind::Clb, "lb-nowhere");
    assert_eq!(missing.meaning, must(Reason::ReferenceNotFound), "{missing}");
    let public = create(&mut stage, &PROVIDER, ResourceKind::Clb, "lb-public");
    assert_eq!(public.meaning, must(Reason::InvalidSpec), "{public}");
    let other = create(&mut stage, &PROVIDER, ResourceKind::Alb, "lb-hot");
    assert!(matches!(other.meaning, Meaning::UserMustAct(_)), "{other}");
    let closed_key = Key { id: "restricted-key", secret: "restricted-secret", token: None };
    let closed = create(&mut stage, &closed_key, ResourceKind::Clb, "lb-restricted");
    assert_eq!(closed.meaning, must(Reason::FeatureNotEnabled), "{closed}");
    assert_eq!(stage.execute_with(&Step::OpenProduct, &closed_key), Ok(Done::Accepted));
    let open = stage.execute_with(&Step::OpenProduct, &closed_key).expect_err("open already");
    assert_eq!(open.meaning, Meaning::Done);
    let reader = Key { id: "provider-read-key", secret: "provider-read-secret", token: None };
    let denied = create(&mut stage, &reader, ResourceKind::Clb, "lb-hot");
    assert_eq!(denied.meaning, must(Reason::PermissionDenied), "{denied}");
    assert!(denied.message.contains("CreateVpcEndpointService"), "{denied}");
}

//! `EndpointService` in the loop: what it refers to, and the way to core and back.

use std::collections::BTreeSet;

use kube::{Resource, ResourceExt as _};
use privatelink_core::claims::Claimant;
use privatelink_core::condition::Reason;
use privatelink_core::desired::{Adoption, Deletion, DesiredService};
use privatelink_core::id::ServiceId;
use privatelink_core::overlay::Laid;
use privatelink_core::place::Place;
use privatelink_core::plan::{self, Plan};
use privatelink_core::read::FacetKey;
use privatelink_core::report;
use privatelink_core::status::{Common, ServiceStatus};

use crate::api::parse::{self, Invalid, Surroundings};
use crate::api::service::EndpointServiceStatus;
use crate::api::{CloudAccount, EndpointService, memory};

use super::context::Context;
use super::kind::{Fault, Kind, Turn, Unmet};
use super::own::Own;
use super::publish::{self, Unpublished};
use super::relate;
use super::watch::Stores;

/// The kind.
#[derive(Debug)]
pub struct Service;

/// What a service refers to.
#[derive(Debug)]
pub struct Around {
    place: Place,
    epoch: u64,
    parsed: Surroundings,
    living: BTreeSet<String>,
    principals: BTreeSet<String>,
}

impl Kind for Service {
    type Object = EndpointService;
    type Around = Around;
    type Desired = DesiredService;
    type Memory = ServiceStatus;
    type Status = EndpointServiceStatus;

    const NAME: &'static str = "EndpointService";

    fn own(context: &Context) -> &Own<EndpointService> {
        &context.own.services
    }

    fn dereference(context: &Context, object: &EndpointService, memory: &ServiceStatus) -> Result<Around, Unmet> {
        let account = account(context, object, memory)?;
        let name = account.name_any();
        let standing = context.standings.of(&name).ok_or_else(|| Unmet::soon("its CloudAccount is being looked at"))?;
        let deleting = object.meta().deletion_timestamp.is_some();
        let (place, trouble) = (standing.place, standing.trouble);
        let troubled = |(reason, _): (Reason, String)| Unmet {
            reason,
            // The account says it once for all its objects, and to those who may mend it.
            message: format!("CloudAccount {name} is not usable: its own Ready condition says why"),
            fault: Fault::Others,
        };
        let place = match (place, trouble) {
            (Some(place), None) => place,
            // What is being deleted is served wherever the account still leads.
            (Some(place), Some(_)) if deleting => place,
            (_, Some(trouble)) => return Err(troubled(trouble)),
            (None, None) => return Err(Unmet::soon("its CloudAccount is being looked at")),
        };
        let adoption = if object.spec.placement.adopt.is_some() {
            let labels = context.labels(&object.namespace().unwrap_or_default());
            relate::adoption(object, &account, &labels, &claimants(context))
        } else {
            Adoption::No
        };
        Ok(Around {
            parsed: Surroundings {
                cluster: context.cluster.clone(),
                cloud: place.cloud,
                region: place.region.clone(),
                adoption,
            },
            place,
            epoch: standing.epoch,
            living: context.stores.services.state().iter().filter_map(|service| service.uid()).collect(),
            principals: Stores::each(&context.stores.entries, |entry| relate::principal(object, entry))
                .into_iter()
                .collect(),
        })
    }

    fn place(around: &Around) -> &Place {
        &around.place
    }

    fn account(object: &EndpointService) -> &str {
        relate::account_of(&object.spec.placement)
    }

    fn epoch(around: &Around) -> u64 {
        around.epoch
    }

    fn parse(object: &EndpointService, around: &Around) -> Result<DesiredService, Invalid> {
        parse::service(object, around.parsed.clone())
    }

    fn memory(object: &EndpointService) -> ServiceStatus {
        match &object.status {
            Some(status) => memory::service(status),
            None => memory::service(&EndpointServiceStatus::default()),
        }
    }

    fn common(memory: &mut ServiceStatus) -> &mut Common {
        &mut memory.common
    }

    fn id(memory: &ServiceStatus) -> Option<&ServiceId> {
        memory.service_id.as_ref()
    }

    fn may_exist(memory: &ServiceStatus) -> bool {
        memory.service_id.is_some() || memory.creating.is_some() || memory.account.is_some()
    }

    fn deletion(object: &EndpointService) -> Deletion {
        parse::deletion(&object.spec.placement)
    }

    fn plan(turn: &Turn<'_, Self>) -> Plan {
        plan::service::plan(&input(turn))
    }

    fn report(turn: &Turn<'_, Self>, plan: &Plan) -> ServiceStatus {
        report::service::report(&input(turn), plan)
    }

    fn untold(memory: &ServiceStatus, laid: &Laid) -> Vec<FacetKey> {
        let unseen = |id: &&ServiceId| {
            laid.snapshot.service(id).is_some_and(|view| {
                view.connections.at().is_none() && view.service.value().is_some_and(Option::is_some)
            })
        };
        memory.service_id.iter().filter(unseen).map(|id| FacetKey::Connections(id.clone())).collect()
    }

    fn parts(memory: &ServiceStatus) -> Vec<FacetKey> {
        let of = |id: &ServiceId| {
            [FacetKey::Service(id.clone()), FacetKey::Resources(id.clone()), FacetKey::Connections(id.clone())]
        };
        memory.service_id.iter().flat_map(of).chain([FacetKey::Services]).collect()
    }

    fn status(memory: &ServiceStatus, object: &EndpointService) -> EndpointServiceStatus {
        memory::service_status(memory, object.status.as_ref())
    }

    fn current(object: &EndpointService) -> Option<&EndpointServiceStatus> {
        object.status.as_ref()
    }

    fn without_counts(status: &EndpointServiceStatus) -> EndpointServiceStatus {
        let mut status = status.clone();
        status.connection_counts = None;
        status.unclaimed.clear();
        for resource in &mut status.resources {
            resource.connections = None;
            resource.deprecated_connections = None;
        }
        for evacuation in &mut status.evacuation {
            evacuation.remaining = 0;
        }
        if let Some(deletion) = &mut status.deletion {
            deletion.total = 0;
            deletion.blocked_by.clear();
        }
        status
    }

    async fn publish(context: &Context, object: &EndpointService, memory: &ServiceStatus) -> Result<(), Unpublished> {
        let name = object.spec.publish.as_ref().map(|publish| publish.config_map.name.as_str());
        let cloud = context.standings.of(Self::account(object)).and_then(|standing| standing.place);
        let data = cloud.map(|place| publish::handover(place.cloud, &object.spec, memory)).unwrap_or_default();
        publish::config_map(context, Self::NAME, object, name, data).await
    }
}

fn input<'t>(turn: &'t Turn<'_, Service>) -> plan::service::Input<'t> {
    plan::service::Input {
        desired: turn.desired,
        status: turn.memory,
        place: &turn.around.place,
        laid: turn.laid,
        tries: turn.tries,
        living: &turn.around.living,
        principals: &turn.around.principals,
        started: turn.started,
        now: turn.now,
    }
}

/// What all services claim, of the accounts that their `CloudAccounts` lead to.
fn claimants(context: &Context) -> Vec<Claimant> {
    Stores::each(&context.stores.services, |service| {
        let place = context.standings.of(relate::account_of(&service.spec.placement))?.place?;
        relate::claimant(&context.own.services.latest(service.clone()), place.account)
    })
}

/// The account that the object refers to, if it may use it: a namespace that is not let in has its objects
/// frozen, and an account that is being deleted takes no new one; both serve deletions.
fn account(context: &Context, object: &EndpointService, memory: &ServiceStatus) -> Result<CloudAccount, Unmet> {
    let name = relate::account_of(&object.spec.placement);
    let own = |reason, message| Unmet { reason, message, fault: Fault::Own };
    let account = Stores::get(&context.stores.accounts, "", name).ok_or_else(|| {
        let message = format!("accountRef: there is no CloudAccount {name}: create it, or correct the name");
        own(Reason::ReferenceNotFound, message)
    })?;
    if object.meta().deletion_timestamp.is_some() {
        return Ok(account);
    }
    let namespace = object.namespace().unwrap_or_default();
    if !relate::is_let_in(account.spec.allowed_namespaces.as_ref(), &namespace, &context.labels(&namespace)) {
        let message = format!(
            "accountRef: CloudAccount {name} does not let namespace {namespace} use it: ask its administrator to add it \
             to allowedNamespaces"
        );
        return Err(own(Reason::AccountNotPermitted, message));
    }
    if account.meta().deletion_timestamp.is_some() && !Service::may_exist(memory) {
        let message = format!(
            "accountRef: CloudAccount {name} is being deleted and takes no new object: create the object with another \
             account, or the account again once it is gone"
        );
        return Err(own(Reason::AccountNotPermitted, message));
    }
    Ok(account)
}

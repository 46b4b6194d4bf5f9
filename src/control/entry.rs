//! `WhitelistEntry` in the loop: what it refers to, and the way to core and back.

use std::sync::Arc;

use kube::runtime::reflector::Store;
use privatelink_core::claims::Claims;
use privatelink_core::condition::{ConditionType, Reason};
use privatelink_core::desired::{Deletion, DesiredEntry, Parent};
use privatelink_core::id::{CloudId, Sort};
use privatelink_core::moment::Moment;
use privatelink_core::plan::{self, Plan};
use privatelink_core::read::FacetKey;
use privatelink_core::report;
use privatelink_core::status::{Common, EntryStatus};

use crate::api::WhitelistEntry;
use crate::api::memory::entry as memory;
use crate::api::parse::{self, Invalid};
use crate::api::whitelist::WhitelistEntryStatus;

use super::context::Context;
use super::events::Happening;
use super::finalizer;
use super::kind::{Kind, Turn, Unmet};
use super::own::Own;
use super::reach::Reached;
use super::relate::Ward as _;
use super::tenancy;
use super::ward;
use super::watch::Guarded;

/// The kind.
#[derive(Debug)]
pub struct Entry;

/// What an entry refers to.
#[derive(Debug)]
pub struct Around {
    reached: Reached,
    parent: Parent,
    claims: Arc<Claims>,
    everybody_permitted: bool,
}

impl Kind for Entry {
    type Object = WhitelistEntry;
    type Around = Around;
    type Desired = DesiredEntry;
    type Memory = EntryStatus;
    type Status = WhitelistEntryStatus;

    const STANDS_FOR: Option<Sort> = None;
    const SEEN_AMONG: Sort = Sort::Service;

    fn store(context: &Context) -> &Store<Guarded<WhitelistEntry>> {
        &context.stores.entries
    }

    fn own(context: &Context) -> &Own<WhitelistEntry> {
        &context.own.entries
    }

    fn dereference(context: &Context, object: &WhitelistEntry, memory: &EntryStatus) -> Result<Around, Unmet> {
        // It may have expired since it was seen last.
        tenancy::is(context, object);
        let name = object.service();
        let claims = tenancy::of(context, &name);
        let (reached, parent) = ward::home(context, object, &name, |parent| plan::entry::left_alone(parent, memory))?;
        Ok(Around { reached, parent, claims, everybody_permitted: tenancy::everybody_permitted(context, object) })
    }

    fn reached(around: &Around) -> &Reached {
        &around.reached
    }

    fn parse(object: &WhitelistEntry, around: &Around) -> Result<DesiredEntry, Invalid> {
        Ok(parse::entry::parse(object, around.parent.clone(), around.everybody_permitted))
    }

    fn memory(object: &WhitelistEntry) -> EntryStatus {
        match &object.status {
            Some(status) => memory::remembered(status),
            None => memory::remembered(&WhitelistEntryStatus::default()),
        }
    }

    fn common(memory: &mut EntryStatus) -> &mut Common {
        &mut memory.common
    }

    fn id(_: &EntryStatus) -> Option<CloudId> {
        None
    }

    fn stands(memory: &EntryStatus) -> bool {
        memory.allowed.is_some()
    }

    fn may_exist(object: &WhitelistEntry, _: &EntryStatus) -> bool {
        // See `ward::home`.
        finalizer::is_on(object)
    }

    fn is_found(_: &WhitelistEntry, memory: &EntryStatus) -> bool {
        memory.allowed.is_some()
    }

    fn deletion(object: &WhitelistEntry) -> Deletion {
        parse::entry::deletion(object)
    }

    fn left_behind(object: &WhitelistEntry, _: &EntryStatus) -> String {
        let spec = &object.spec;
        format!("{} stays on the list of EndpointService {}", spec.principal, spec.service_ref.name)
    }

    fn plan(turn: &Turn<'_, Self>) -> Plan {
        plan::entry::plan(&input(turn))
    }

    fn report(turn: &Turn<'_, Self>, plan: &Plan) -> EntryStatus {
        report::entry::report(&input(turn), plan)
    }

    fn parts(around: &Around, _: &EntryStatus) -> Vec<FacetKey> {
        let Parent::Service(service) = &around.parent else { return Vec::new() };
        let parts = [FacetKey::Service, FacetKey::Principals, FacetKey::Connections, FacetKey::Resources];
        parts.map(|part| part(service.id.clone())).into()
    }

    fn anew(around: &Around) -> Vec<FacetKey> {
        // Whoever names a tenant has often just been told that it has come.
        let Parent::Service(service) = &around.parent else { return Vec::new() };
        vec![FacetKey::Connections(service.id.clone())]
    }

    fn status(memory: &EntryStatus, object: &WhitelistEntry) -> WhitelistEntryStatus {
        memory::written(memory, object.status.as_ref())
    }

    fn current(object: &WhitelistEntry) -> Option<&WhitelistEntryStatus> {
        object.status.as_ref()
    }

    fn without_counts(status: &WhitelistEntryStatus) -> WhitelistEntryStatus {
        WhitelistEntryStatus { connection_counts: None, truncated: None, connections: Vec::new(), ..status.clone() }
    }

    fn ends(desired: &DesiredEntry) -> Option<Moment> {
        desired.expires_at.filter(|_| !desired.paused)
    }

    fn has_decided(plan: &Plan) -> bool {
        // What somebody else has cut is connected again by a request that meets a decision, not by one that passes
        // while nothing is done.
        plan.sayings.iter().any(|saying| saying.condition == ConditionType::ConnectionsSettled)
    }

    fn happenings(before: &EntryStatus, after: &EntryStatus) -> Vec<Happening> {
        let held = report::entry::newly_held(before, after);
        held.map(|endpoint| Happening {
            normal: false,
            reason: Reason::DisconnectedOutside.as_str(),
            note: format!("someone else has cut the connection of {endpoint}, which is left so until a person asks"),
        })
        .collect()
    }
}

fn input<'t>(turn: &'t Turn<'_, Entry>) -> plan::entry::Input<'t> {
    plan::entry::Input {
        ground: turn.ground(),
        desired: turn.desired,
        status: turn.memory,
        claims: &turn.around.claims,
    }
}

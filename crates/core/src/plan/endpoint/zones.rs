//! The interfaces of an endpoint against the declared ones. An interface cannot be changed: it is removed and made
//! again. The only connected one is never taken away, and none that is connected for the sake of its address: a
//! provider that replaces a load balancer changes that.

use std::collections::BTreeMap;

use crate::id::{EndpointId, SubnetId, Zone};
use crate::observed::{Interface, Interfaces};
use crate::state::ZoneState;
use crate::step::{InterfaceForm, Step};

/// What of the interfaces is not as declared.
#[derive(Debug, Default)]
pub(super) struct ZoneDifferences {
    /// Declared, and can be made now.
    pub(super) missing: Vec<(SubnetId, InterfaceForm)>,
    /// Declared, and has to wait for the interface that its zone has now.
    pub(super) displaced: Vec<SubnetId>,
    /// Not declared, or not so, and can be removed now.
    pub(super) surplus: Vec<(SubnetId, Zone)>,
    /// Not declared, or not so, and removed once it has stopped changing.
    pub(super) later: Vec<SubnetId>,
    /// Not declared, or not so, and the only one that is connected.
    pub(super) kept: Option<SubnetId>,
    /// Declared, and connected with another address: how it is.
    pub(super) astray: Vec<String>,
    /// Changing by itself.
    pub(super) moving: bool,
}

impl ZoneDifferences {
    /// Against the declared interfaces; nothing differs where none are.
    pub(super) fn of(declared: Option<&BTreeMap<SubnetId, InterfaceForm>>, held: &Interfaces) -> Self {
        let moving = held.values().any(Interface::is_moving);
        let Some(declared) = declared else { return Self { moving, ..Self::default() } };
        let is_declared = |subnet: &SubnetId, one: &Interface| declared.get(subnet).is_some_and(|form| fits(form, one));
        let mut found = Self { moving, ..Self::default() };
        for (subnet, form) in declared.iter().filter(|(subnet, _)| !held.contains_key(*subnet)) {
            if held.values().any(|one| one.zone == form.zone) {
                found.displaced.push(subnet.clone());
            } else {
                found.missing.push((subnet.clone(), form.clone()));
            }
        }
        let connected = held.values().filter(|one| one.is_connected()).count();
        for (subnet, one) in held.iter().filter(|(subnet, one)| !is_declared(subnet, one)) {
            if one.state == ZoneState::Deleting {
                continue;
            }
            let address = declared.get(subnet).filter(|form| form.zone == one.zone && one.is_connected());
            if let Some(form) = address {
                found.astray.push(differing(subnet, form, one));
            } else if one.is_connected() && connected == 1 {
                found.kept = Some(subnet.clone());
            } else if one.is_moving() {
                found.later.push(subnet.clone());
            } else {
                found.surplus.push((subnet.clone(), one.zone.clone()));
            }
        }
        // Those that others wait for go first: of several that are connected, another stays meanwhile.
        let waits = |zone: &Zone| found.displaced.iter().any(|subnet| declared[subnet].zone == *zone);
        found.surplus.sort_by_key(|(_, zone)| !waits(zone));
        // One that is declared otherwise stands in its own way.
        let in_its_own_way = found.kept.iter().filter(|subnet| declared.contains_key(*subnet)).cloned();
        found.displaced.extend(in_its_own_way);
        found
    }

    /// The interfaces are as declared, or the cloud is about to make them so.
    pub(super) const fn is_none(&self) -> bool {
        self.missing.is_empty() && self.displaced.is_empty() && self.astray.is_empty() && !self.takes_away()
    }

    /// The calls that can be made now: those that open, and once there are none those that close.
    pub(super) fn steps(&self, id: &EndpointId) -> Vec<Step> {
        let add = |(subnet, form): &(SubnetId, InterfaceForm)| Step::AddZone(id.clone(), subnet.clone(), form.clone());
        let remove = |(subnet, zone): &(SubnetId, Zone)| Step::RemoveZone(id.clone(), subnet.clone(), zone.clone());
        if self.missing.is_empty() {
            self.surplus.iter().map(remove).collect()
        } else {
            self.missing.iter().map(add).collect()
        }
    }

    /// Would take an interface away.
    pub(super) const fn takes_away(&self) -> bool {
        !self.surplus.is_empty() || !self.later.is_empty() || self.kept.is_some()
    }

    /// The next calls in words.
    pub(super) fn describe(&self, parts: &mut Vec<String>) {
        let missing: Vec<&str> =
            self.missing.iter().map(|(subnet, _)| subnet).chain(&self.displaced).map(SubnetId::as_str).collect();
        if !missing.is_empty() {
            parts.push(format!("add an interface in {}", missing.join(", ")));
        }
        let surplus: Vec<&str> = self
            .surplus
            .iter()
            .map(|(subnet, _)| subnet)
            .chain(&self.later)
            .chain(&self.kept)
            .map(SubnetId::as_str)
            .collect();
        if !surplus.is_empty() {
            parts.push(format!("remove the interface in {}", surplus.join(", ")));
        }
        if !self.astray.is_empty() {
            parts.push(format!("give other addresses: {}", self.astray.join(", ")));
        }
    }
}

/// Which address an interface has, and which it was to have.
fn differing(subnet: &SubnetId, form: &InterfaceForm, one: &Interface) -> String {
    let v4 = form.ip.zip(one.ip).filter(|(declared, has)| declared != has);
    let v6 = form.ipv6.zip(one.ipv6).filter(|(declared, has)| declared != has);
    let v4 = v4.map(|(declared, has)| format!("{has} and not {declared}"));
    let v6 = v6.map(|(declared, has)| format!("{has} and not {declared}"));
    let told: Vec<String> = v4.into_iter().chain(v6).collect();
    format!("the interface in {subnet} has {}", told.join(", "))
}

/// An interface is the declared one. An address that the cloud picks, or has not picked yet, fits.
fn fits(form: &InterfaceForm, one: &Interface) -> bool {
    let ip = form.ip.is_none() || one.ip.is_none() || form.ip == one.ip;
    let ipv6 = form.ipv6.is_none() || one.ipv6.is_none() || form.ipv6 == one.ipv6;
    form.zone == one.zone && ip && ipv6
}

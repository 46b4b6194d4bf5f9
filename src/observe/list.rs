//! One part of a place, read whole: every page of it.

use std::collections::{BTreeMap, BTreeSet};

use privatelink_core::error::{Failure, Meaning};
use privatelink_core::id::{CloudId, EndpointId, ServiceId};
use privatelink_core::observed::{Connection, Endpoint, Groups, Interfaces, Resource, ResourceKey, Service};
use privatelink_core::principal::Principal;
use privatelink_core::read::{Answer, FacetKey, Page, Read};

use crate::cloud::Door;

/// Most pages of one list. At the smallest page that a cloud gives (50) this is 50,000 items, beyond any quota.
const PAGES: usize = 1_000;

/// What the read of one part showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// All services.
    Services(Vec<Service>),
    /// One service, or that it does not exist.
    Service(ServiceId, Option<Box<Service>>),
    /// All resources of a service.
    Resources(ServiceId, BTreeMap<ResourceKey, Resource>),
    /// All connections of a service, by their endpoints.
    Connections(ServiceId, Vec<Connection>),
    /// All principals on a service's list.
    Principals(ServiceId, BTreeSet<Principal>),
    /// All endpoints.
    Endpoints(Vec<Endpoint>),
    /// One endpoint, or that it does not exist.
    Endpoint(EndpointId, Option<Box<Endpoint>>),
    /// All interfaces of an endpoint.
    Interfaces(EndpointId, Interfaces),
    /// All security groups of an endpoint.
    Groups(EndpointId, Groups),
}

impl Shown {
    /// A list that shows nothing.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Services(all) => all.is_empty(),
            Self::Endpoints(all) => all.is_empty(),
            Self::Resources(_, all) => all.is_empty(),
            Self::Connections(_, all) => all.is_empty(),
            Self::Principals(_, all) => all.is_empty(),
            Self::Interfaces(_, all) => all.is_empty(),
            Self::Groups(_, all) => all.is_empty(),
            Self::Service(..) | Self::Endpoint(..) => false,
        }
    }

    /// The part that was read.
    pub fn part(&self) -> FacetKey {
        match self {
            Self::Services(_) => FacetKey::Services,
            Self::Service(id, _) => FacetKey::Service(id.clone()),
            Self::Resources(id, _) => FacetKey::Resources(id.clone()),
            Self::Connections(id, _) => FacetKey::Connections(id.clone()),
            Self::Principals(id, _) => FacetKey::Principals(id.clone()),
            Self::Endpoints(_) => FacetKey::Endpoints,
            Self::Endpoint(id, _) => FacetKey::Endpoint(id.clone()),
            Self::Interfaces(id, _) => FacetKey::Interfaces(id.clone()),
            Self::Groups(id, _) => FacetKey::Groups(id.clone()),
        }
    }
}

/// Reads one part whole.
///
/// That an object does not exist is shown where it was asked for by its id. Where a part of it was asked for, it is
/// asked for by its id too, and the first answer counts if it exists all the same.
///
/// # Errors
/// That of the first page that fails; `<page loop>` where pages do not end.
pub async fn read(door: &dyn Door, part: &FacetKey) -> Result<Shown, Failure> {
    let mut shown = match part {
        FacetKey::Services => Shown::Services(Vec::new()),
        FacetKey::Endpoints => Shown::Endpoints(Vec::new()),
        FacetKey::Resources(id) => Shown::Resources(id.clone(), BTreeMap::new()),
        FacetKey::Connections(id) => Shown::Connections(id.clone(), Vec::new()),
        FacetKey::Principals(id) => Shown::Principals(id.clone(), BTreeSet::new()),
        FacetKey::Interfaces(id) => Shown::Interfaces(id.clone(), BTreeMap::new()),
        FacetKey::Groups(id) => Shown::Groups(id.clone(), BTreeMap::new()),
        FacetKey::Service(_) | FacetKey::Endpoint(_) => return by_id(door, part).await,
    };
    let read = pages(|page| call(part, page), door, |answer| shown.take(answer)).await;
    match (read, part.object()) {
        (Ok(()), _) => {
            shown.settle();
            Ok(shown)
        }
        (Err(gone), Some(object)) if gone.meaning == Meaning::Gone => {
            let absent = by_id(door, &FacetKey::whole(&object)).await?;
            let is_absent = matches!(absent, Shown::Service(_, None) | Shown::Endpoint(_, None));
            if is_absent { Ok(absent) } else { Err(gone) }
        }
        (Err(failure), _) => Err(failure),
    }
}

/// The call that reads a part, or one page of it.
fn call(part: &FacetKey, page: Page) -> Read {
    match part {
        FacetKey::Services => Read::Services(page),
        FacetKey::Service(id) => Read::Service(id.clone()),
        FacetKey::Resources(id) => Read::Resources(id.clone(), page),
        FacetKey::Connections(id) => Read::Connections(id.clone(), page),
        FacetKey::Principals(id) => Read::Principals(id.clone(), page),
        FacetKey::Endpoints => Read::Endpoints(page),
        FacetKey::Endpoint(id) => Read::Endpoint(id.clone()),
        FacetKey::Interfaces(id) => Read::Interfaces(id.clone(), page),
        FacetKey::Groups(id) => Read::Groups(id.clone(), page),
    }
}

impl Shown {
    /// Takes in one page; gives the next one, or nothing if it answers another question.
    fn take(&mut self, answer: Answer) -> Option<Page> {
        let next = match (self, answer) {
            (Self::Services(all), Answer::Services(page, next)) => {
                all.extend(page);
                next
            }
            (Self::Endpoints(all), Answer::Endpoints(page, next)) => {
                all.extend(page);
                next
            }
            (Self::Resources(_, all), Answer::Resources(page, next)) => {
                all.extend(page);
                next
            }
            (Self::Connections(_, all), Answer::Connections(page, next)) => {
                all.extend(page);
                next
            }
            (Self::Principals(_, all), Answer::Principals(page, next)) => {
                all.extend(page);
                next
            }
            (Self::Interfaces(_, all), Answer::Interfaces(page, next)) => {
                all.extend(page);
                next
            }
            (Self::Groups(_, all), Answer::Groups(page, next)) => {
                all.extend(page);
                next
            }
            _ => return None,
        };
        Some(next)
    }

    /// What moved from page to page while they were read is there once, as the later page has it.
    fn settle(&mut self) {
        match self {
            Self::Services(all) => each_once(all, |one| one.id.clone()),
            Self::Endpoints(all) => each_once(all, |one| one.id.clone()),
            Self::Connections(_, all) => each_once(all, |one| one.endpoint.clone()),
            _ => {}
        }
    }
}

fn each_once<T, I: Ord>(all: &mut Vec<T>, id: impl Fn(&T) -> I) {
    let by_id: BTreeMap<I, T> = all.drain(..).map(|one| (id(&one), one)).collect();
    all.extend(by_id.into_values());
}

async fn by_id(door: &dyn Door, part: &FacetKey) -> Result<Shown, Failure> {
    match (door.read(call(part, None)).await, part.object()) {
        (Ok(Answer::Service(service)), Some(CloudId::Service(id))) => Ok(Shown::Service(id, Some(service))),
        (Ok(Answer::Endpoint(endpoint)), Some(CloudId::Endpoint(id))) => Ok(Shown::Endpoint(id, Some(endpoint))),
        (Err(failure), Some(CloudId::Service(id))) if failure.meaning == Meaning::Gone => Ok(Shown::Service(id, None)),
        (Err(failure), Some(CloudId::Endpoint(id))) if failure.meaning == Meaning::Gone => {
            Ok(Shown::Endpoint(id, None))
        }
        (Err(failure), _) => Err(failure),
        (Ok(_), _) => Err(confused()),
    }
}

/// Reads page after page; `take` gives the next one of an answer, or nothing if it answers another question.
async fn pages(
    read: impl Fn(Page) -> Read,
    door: &dyn Door,
    mut take: impl FnMut(Answer) -> Option<Page>,
) -> Result<(), Failure> {
    let mut page = None;
    let mut seen = BTreeSet::new();
    for _ in 0..PAGES {
        let next = take(door.read(read(page)).await?).ok_or_else(confused)?;
        match next.filter(|token| !token.is_empty()) {
            None => return Ok(()),
            Some(token) if !seen.insert(token.clone()) => return Err(endless()),
            token => page = token,
        }
    }
    Err(endless())
}

fn endless() -> Failure {
    odd("<page loop>", "the pages of a list do not end: the cloud names a page for the second time")
}

fn confused() -> Failure {
    odd("<wrong answer>", "the answer is one to another question")
}

fn odd(code: &str, message: &str) -> Failure {
    Failure {
        meaning: Meaning::Unexpected,
        code: code.to_owned(),
        message: message.to_owned(),
        request_id: None,
        retry_after: None,
        maybe_done: false,
    }
}

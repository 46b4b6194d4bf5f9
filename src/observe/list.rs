//! One part of a place, read whole: every page of it.

use std::collections::{BTreeMap, BTreeSet};

use privatelink_core::error::{Failure, Meaning};
use privatelink_core::id::ServiceId;
use privatelink_core::observed::{Connection, Resource, ResourceKey, Service};
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
}

/// Reads one part whole.
///
/// That a service does not exist is shown where it was asked for by its id. Where its resources or connections
/// were asked for, it is asked for by its id too, and the first answer counts if it exists all the same.
///
/// # Errors
/// That of the first page that fails; `<page loop>` where pages do not end.
pub async fn read(door: &dyn Door, part: &FacetKey) -> Result<Shown, Failure> {
    match part {
        FacetKey::Services => {
            let mut all = BTreeMap::new();
            pages(Read::Services, door, |answer| match answer {
                Answer::Services(services, next) => {
                    all.extend(services.into_iter().map(|service| (service.id.clone(), service)));
                    Some(next)
                }
                _ => None,
            })
            .await?;
            Ok(Shown::Services(all.into_values().collect()))
        }
        FacetKey::Service(id) => by_id(door, id).await,
        FacetKey::Resources(id) => {
            let mut all = BTreeMap::new();
            let read = pages(
                |page| Read::Resources(id.clone(), page),
                door,
                |answer| match answer {
                    Answer::Resources(resources, next) => {
                        all.extend(resources);
                        Some(next)
                    }
                    _ => None,
                },
            )
            .await;
            unless_gone(door, id, read, || Shown::Resources(id.clone(), all)).await
        }
        FacetKey::Connections(id) => {
            let mut all = BTreeMap::new();
            let read = pages(
                |page| Read::Connections(id.clone(), page),
                door,
                |answer| match answer {
                    Answer::Connections(connections, next) => {
                        all.extend(connections.into_iter().map(|connection| (connection.endpoint.clone(), connection)));
                        Some(next)
                    }
                    _ => None,
                },
            )
            .await;
            unless_gone(door, id, read, || Shown::Connections(id.clone(), all.into_values().collect())).await
        }
    }
}

async fn by_id(door: &dyn Door, id: &ServiceId) -> Result<Shown, Failure> {
    match door.read(Read::Service(id.clone())).await {
        Ok(Answer::Service(service)) => Ok(Shown::Service(id.clone(), Some(service))),
        Ok(_) => Err(confused()),
        Err(failure) if failure.meaning == Meaning::Gone => Ok(Shown::Service(id.clone(), None)),
        Err(failure) => Err(failure),
    }
}

async fn unless_gone(
    door: &dyn Door,
    id: &ServiceId,
    read: Result<(), Failure>,
    shown: impl FnOnce() -> Shown,
) -> Result<Shown, Failure> {
    let gone = match read {
        Ok(()) => return Ok(shown()),
        Err(failure) if failure.meaning == Meaning::Gone => failure,
        Err(failure) => return Err(failure),
    };
    match by_id(door, id).await? {
        absent @ Shown::Service(_, None) => Ok(absent),
        _ => Err(gone),
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

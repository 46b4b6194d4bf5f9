//! Tags and resource groups of services and endpoints.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::call::{ObjectId, UntagKeys};
use super::id::RegionId;
use super::object::Tags;
use super::service::{MAX_TAGS, resource_group};
use super::{Actor, Answer, Refusal, State, Text};

pub(super) fn tag(
    state: &mut State,
    actor: Actor,
    at: RegionId,
    objects: &[ObjectId],
    tags: &Tags,
) -> Result<Answer, Refusal> {
    change_all(state, actor, at, objects, |held| {
        held.extend(tags.iter().map(|(key, value)| (key.clone(), value.clone())));
        if held.len() > MAX_TAGS { Err(Refusal::TooManyTags) } else { Ok(()) }
    })
}

pub(super) fn untag(
    state: &mut State,
    actor: Actor,
    at: RegionId,
    objects: &[ObjectId],
    keys: &UntagKeys,
) -> Result<Answer, Refusal> {
    change_all(state, actor, at, objects, |held| match keys {
        UntagKeys::All => {
            held.clear();
            Ok(())
        }
        UntagKeys::These(keys) => keys.iter().try_for_each(|key| held.remove(key).map(drop).ok_or(Refusal::NoTag)),
    })
}

/// Changes the tags of each object in turn; of none, where one of them is refused.
fn change_all(
    state: &mut State,
    actor: Actor,
    at: RegionId,
    objects: &[ObjectId],
    change: impl Fn(&mut Tags) -> Result<(), Refusal>,
) -> Result<Answer, Refusal> {
    let mut changed: BTreeMap<ObjectId, Tags> = BTreeMap::new();
    for object in objects {
        let held = match changed.entry(*object) {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(place) => place.insert(tags_of(state, actor, at, *object)?.clone()),
        };
        change(held)?;
    }
    for (object, tags) in changed {
        match object {
            ObjectId::Service(id) => state.services.get_mut(&id).map(|service| service.tags = tags),
            ObjectId::Endpoint(id) => state.endpoints.get_mut(&id).map(|endpoint| endpoint.tags = tags),
        };
    }
    Ok(Answer::Done)
}

/// Moves an object; the call names no region, so the object is looked for in all.
pub(super) fn change_resource_group(
    state: &mut State,
    actor: Actor,
    object: ObjectId,
    group: &Text,
) -> Result<Answer, Refusal> {
    let account = state.accounts.get(&actor.account).ok_or(Refusal::NoObject)?;
    let group = resource_group(account, Some(group))?;
    let held = match object {
        ObjectId::Service(id) => state
            .services
            .get_mut(&id)
            .filter(|service| service.owner == actor.account)
            .map(|service| &mut service.resource_group),
        ObjectId::Endpoint(id) => state
            .endpoints
            .get_mut(&id)
            .filter(|endpoint| endpoint.owner == actor.account)
            .map(|endpoint| &mut endpoint.resource_group),
    };
    *held.ok_or(Refusal::NoObject)? = group;
    Ok(Answer::Done)
}

fn tags_of(state: &State, actor: Actor, at: RegionId, object: ObjectId) -> Result<&Tags, Refusal> {
    let held = match object {
        ObjectId::Service(id) => state
            .services
            .get(&id)
            .filter(|service| service.owner == actor.account && service.region == at)
            .map(|service| &service.tags),
        ObjectId::Endpoint(id) => state
            .endpoints
            .get(&id)
            .filter(|endpoint| endpoint.owner == actor.account && endpoint.region == at)
            .map(|endpoint| &endpoint.tags),
    };
    held.ok_or(Refusal::NoObject)
}

//! Tags and resource groups of services and endpoints.

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
    for object in objects {
        let held = tags_of(state, actor, at, *object)?;
        held.extend(tags.iter().map(|(key, value)| (key.clone(), value.clone())));
        if held.len() > MAX_TAGS {
            return Err(Refusal::TooManyTags);
        }
    }
    Ok(Answer::Done)
}

pub(super) fn untag(
    state: &mut State,
    actor: Actor,
    at: RegionId,
    objects: &[ObjectId],
    keys: &UntagKeys,
) -> Result<Answer, Refusal> {
    for object in objects {
        let held = tags_of(state, actor, at, *object)?;
        match keys {
            UntagKeys::All => held.clear(),
            UntagKeys::These(keys) => {
                for key in keys {
                    held.remove(key).ok_or(Refusal::NoTag)?;
                }
            }
        }
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

fn tags_of(state: &mut State, actor: Actor, at: RegionId, object: ObjectId) -> Result<&mut Tags, Refusal> {
    let held = match object {
        ObjectId::Service(id) => state
            .services
            .get_mut(&id)
            .filter(|service| service.owner == actor.account && service.region == at)
            .map(|service| &mut service.tags),
        ObjectId::Endpoint(id) => state
            .endpoints
            .get_mut(&id)
            .filter(|endpoint| endpoint.owner == actor.account && endpoint.region == at)
            .map(|endpoint| &mut endpoint.tags),
    };
    held.ok_or(Refusal::NoObject)
}

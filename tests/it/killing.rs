//! Killing the operator at a request that a [`Door`](crate::kube_door::Door) holds, and what it has left of an object
//! in the world.

use serde_json::Value;

use crate::kube_door::{Asked, Hold};
use crate::operator::Operator;

/// What of these in the world carries the tags of the object with this name.
pub fn tagged(operator: &Operator, what: &str, namespace: &str, name: &str) -> Vec<Value> {
    let world = operator.world();
    let all = world[what].as_array().unwrap_or_else(|| panic!("the world has {what}")).iter();
    let ours = all.filter(|one| {
        let tags = &one["tags"];
        tags["privatelink.dev/namespace"] == namespace && tags["privatelink.dev/name"] == name
    });
    ours.cloned().collect()
}

/// Writes to Kubernetes, each of which is a moment to die at.
pub fn is_a_write(asked: &Asked) -> bool {
    asked.writes() && !asked.is_of_lease()
}

/// Kills the operator at the held request, unless `done` comes without it; whether it was killed.
pub async fn killed_at(operator: &mut Operator, hold: Hold, done: impl Future<Output = ()>) -> bool {
    let reached = tokio::select! {
        () = hold.has_come() => true,
        () = done => {
            // A held answer's own effect is seen before it is told that the request is held.
            let reached = hold.is_met();
            if reached {
                hold.has_come().await;
            }
            reached
        }
    };
    if reached {
        operator.kill();
        hold.lose();
        operator.run(&[]).await;
    }
    reached
}
